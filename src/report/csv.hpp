// results.csv: every metric of every point as one tidy table.
#pragma once

#include <string>
#include <string_view>

#include "trialwright/results.hpp"

namespace trialwright::report {

// `field` as it stands in a CSV line: in quotes, inner quotes doubled, where it holds a comma, a quote,
// a line break or a blank at its ends (RFC 4180, section 2).
std::string csv_field(std::string_view field);

// The text of results.csv: design,scenario,<one column a sweep axis, by its
// path>,metric,hypothesis,look,reason, arm,estimate,mcse,lower,upper,n_trials. A field that does not
// apply is empty, as is a value that is NaN and the n_trials of what was calculated. Lines end in \n.
std::string write_csv(const Results& results);

}  // namespace trialwright::report
