// The ratio of two sums over independent units, and its standard error.
#pragma once

#include <algorithm>
#include <cmath>

namespace trialwright::stats {

// Sums over units (trials, say) of x, y and their products.
struct RatioSums {
  double x = 0;
  double y = 0;
  double x_squared = 0;
  double y_squared = 0;
  double x_y = 0;
};

// sum x / sum y; NaN or infinite where the y are 0.
inline double ratio(const RatioSums& sums) {
  return sums.x / sums.y;
}

// sqrt(sum (x - r y)^2) / sum y, r the ratio (Cochran 1977, "Sampling Techniques", section 2.11, with n
// in place of n - 1); 0 for one unit.
inline double mcse_of_ratio(const RatioSums& sums) {
  const double r = ratio(sums);
  const double squares = sums.x_squared - 2 * r * sums.x_y + r * r * sums.y_squared;
  return std::sqrt(std::max(0.0, squares)) / sums.y;
}

}  // namespace trialwright::stats
