// After a sequential trial: p-values, estimates and intervals that allow for the looks.
#pragma once

#include <span>

namespace trialwright::sequential {

// A trial that ended at the last of `information` (on any scale, e.g. 1 / variance of the estimate) with this z there;
// earlier looks had these efficacy and (binding or heeded) futility critical values, -infinity where none.
struct SequentialResult {
  std::span<const double> information;
  std::span<const double> efficacy_z;  // of all looks up to the last
  std::span<const double> futility_z;  // as many, or empty
  double z = 0;
};

struct SequentialEstimate {
  double p_value = 1;  // one-sided, stagewise ordering
  double median_unbiased = 0;
  double lower = 0;  // equal-tailed interval by stagewise ordering
  double upper = 0;
  double repeated_lower = 0;  // repeated interval
  double repeated_upper = 0;
};

// Stagewise ordering: Fairbanks & Madsen 1982; Tsiatis, Rosner & Mehta 1984; Jennison & Turnbull 2000, sections 8.4 and
// 8.5; repeated intervals ibid. chapter 9. The estimate is of theta where z_k ~ N(theta sqrt(I_k), 1).
double stagewise_p_value(const SequentialResult& result, double theta_0 = 0);
SequentialEstimate sequential_estimate(const SequentialResult& result, double confidence_level);

}  // namespace trialwright::sequential
