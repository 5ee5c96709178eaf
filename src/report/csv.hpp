// results.csv: every metric of every point as one tidy table.
#pragma once

#include <string>

#include "trialwright/results.hpp"

namespace trialwright::report {

// The text of results.csv: design,scenario,<one column a sweep axis, by its
// path>,metric,hypothesis,look,reason, arm,estimate,mcse,lower,upper,n_trials. A field that does not
// apply is empty, as is a value that is NaN and the n_trials of what was calculated. Of interrupted and
// partial results each line ends with one more field, `partial`: true. Lines end in \n.
std::string write_csv(const Results& results);

}  // namespace trialwright::report
