// The z statistics of two rates as numerator and variance, so that a decision needs no square root.
#pragma once

#include <span>

#include "analysis/binary_test.hpp"
#include "analysis/two_by_two.hpp"

namespace trialwright::analysis {

// z = numerator / sqrt(variance), positive where treatment has the higher rate. Variance 0: degenerate.
// `defined` is false where an arm (of every stratum) is empty.
struct ZScore {
  double numerator = 0.0;
  double variance = 0.0;
  bool defined = false;
};

// H0 difference is -margin. Both arms of the table may be empty.
ZScore pooled_z(const TwoByTwo& table);
ZScore yates_z(const TwoByTwo& table);
ZScore unpooled_z(const TwoByTwo& table, double margin);
ZScore farrington_manning_z(const TwoByTwo& table, double margin);
ZScore cmh_z(std::span<const TwoByTwo> strata);

// Has the method a p-value of its own and no z?
bool is_exact(Method method);
// The table as it reads where higher is better.
TwoByTwo oriented(const TwoByTwo& table, Direction direction);
// The z of a planned test, positive where treatment has the better rate; not of exact methods.
ZScore z_score(const TestSpec& spec, std::span<const TwoByTwo> strata);

}  // namespace trialwright::analysis
