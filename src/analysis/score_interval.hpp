// Miettinen & Nurminen's (1985, Statistics in Medicine 4:213) score intervals,
// by bracketed root finding.
#pragma once

#include <span>

#include "analysis/two_by_two.hpp"

namespace trialwright::analysis {

struct Limits {
  double lower = 0.0;
  double upper = 0.0;
};

// The values not rejected by the score test at the two-sided normal quantile z; bounds to about 1e-13.
// A single table has patients in both arms, of strata at least one. The ratios' estimate must not be
// 0/0; a bound may be 0 or +infinity.

// Strata are combined with Mantel-Haenszel weights n_1 n_0 / (n_1 + n_0);
// those with an empty arm are left out.
Limits score_limits_of_difference(std::span<const TwoByTwo> strata, double z);
Limits score_limits_of_ratio(const TwoByTwo& table, double z);
Limits score_limits_of_odds_ratio(const TwoByTwo& table, double z);

}  // namespace trialwright::analysis
