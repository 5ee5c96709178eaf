// The block of the text table that tells, look by look, how trials end and what they test.
#pragma once

#include <string>

#include "report/table_parts.hpp"

namespace trialwright::report {

// One row a look of a point: the probability to end there, by reason (in brackets the exact one, where
// there is one), and of designs of several hypotheses the probability that each is tested there. Empty
// without looks.
std::string look_table(const Table& table);

}  // namespace trialwright::report
