// A confidence interval, and the normal one of an estimate with a standard error.
#pragma once

#include "math/normal.hpp"

namespace trialwright::stats {

struct Interval {
  double lower;
  double upper;
};

// estimate -+ z standard_error with the two-sided normal quantile of the confidence level, in (0, 1).
inline Interval normal_interval(double estimate, double standard_error, double level) {
  const double half_width = math::normal_quantile(0.5 + 0.5 * level) * standard_error;
  return {estimate - half_width, estimate + half_width};
}

}  // namespace trialwright::stats
