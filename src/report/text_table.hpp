// The results as a person reads them on a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "trialwright/results.hpp"

namespace trialwright::report {

struct TableOptions {
  std::size_t width = 110;  // characters a line
};

// One row for each design x scenario x sweep point and hypothesis: sample size, probability to reject
// with its Monte Carlo standard error and 95% interval (called type I error under a null scenario),
// exact power, estimate, bias, RMSE, coverage, the range of the middle 95% of the estimates (its other
// quantiles stand in results.json only), event and adverse-event rates by arm, enrolment, duration;
// what has no column of its own follows as a list. Columns that do not fit the width stand in further
// blocks below, with the rows' names again. Notes and a line that explains the intervals end it.
std::string text_table(const Results& results, const TableOptions& options = {});

}  // namespace trialwright::report
