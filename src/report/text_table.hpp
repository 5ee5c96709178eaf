// The results as a person reads them on a terminal.
#pragma once

#include <cstddef>
#include <string>

#include "trialwright/results.hpp"

namespace trialwright::report {

struct TableOptions {
  std::size_t width = 110;  // characters a line
};

// In blocks, each with one row a design x scenario x sweep point and, where it speaks of hypotheses,
// one a hypothesis: the probability to reject (power, type I error where the hypothesis' null is true,
// assurance) with its Monte Carlo standard error, 95% interval and exact value; the estimate's true
// value, bias, RMSE and coverage, and the rates by arm; of designs with looks how trials end at each;
// where a published estimate lies among the simulated ones, if one is given; screening and time; what
// has no place of its own. Below the first block, rows that say the same are one. Numbers have the
// digits that the column's largest Monte Carlo error supports. What is the same everywhere stands in
// the heading alone. Columns that do not fit the width stand in further blocks below, with the rows'
// names again. Notes and a line that explains the errors end it.
std::string text_table(const Results& results, const TableOptions& options = {});

}  // namespace trialwright::report
