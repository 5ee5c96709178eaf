// After a sequential trial: p-values, estimates and intervals that allow for the looks.
#pragma once

#include <span>

namespace trialwright::sequential {

// A trial that ended at the last of `information` (on any scale, e.g. 1 / variance of the estimate)
// with this z there; earlier looks had these efficacy and (binding or heeded) futility critical values,
// -infinity where none. A look whose information did not grow counts for nothing.
struct SequentialResult {
  std::span<const double> information;
  std::span<const double> efficacy_z;  // of all looks up to the last
  std::span<const double> futility_z;  // as many, or empty
  double z = 0;
};

struct SequentialEstimate {
  double p_value = 1;     // one-sided, of theta = 0, stagewise ordering
  double unadjusted = 0;  // of all data as if there had been no looks
  double median_unbiased = 0;
  double lower = 0;  // equal-tailed interval by stagewise ordering
  double upper = 0;
  double repeated_lower = 0;  // repeated interval, at the level of the efficacy boundary
  double repeated_upper = 0;
};

// The stagewise ordering (Fairbanks & Madsen 1982; Tsiatis, Rosner & Mehta 1984; Jennison & Turnbull
// 2000, sections 8.4 and 8.5): an efficacy stop outranks every later end and a futility stop ranks
// below it; ends at one look rank by z. P(rank at least this | theta_0), for theta where z_k ~ N(theta
// sqrt(I_k), 1); relative error below 1e-8.
double stagewise_p_value(const SequentialResult& result, double theta_0 = 0);

// Estimates of that theta, 0 < confidence_level < 1; repeated intervals (z_k +- c_k) / sqrt(I_k) ibid.
// chapter 9, infinite where no stop was possible. Limits to 1e-7 / sqrt(I_k). Without any information
// the p-value is 1, the estimate 0 and the limits infinite. Same bits everywhere. Costs one Recursion
// and some ten sums over its nodes: about 7, 15 and 65 us at 2, 3 and 5 looks, 0.7 ms at 20.
SequentialEstimate sequential_estimate(const SequentialResult& result, double confidence_level);

// A trial whose stages are combined by inverse_normal_z. `stage_z` are independent between stages, for
// theta = 0; that theta makes each of them z_i ~ N(theta sqrt(stage_information), 1), with the
// information that was really collected in the stage. `efficacy_z` and `futility_z` are the critical
// values of the combined z at all looks so far (futility may be empty).
struct CombinationResult {
  std::span<const double> stage_z;
  std::span<const double> stage_information;
  std::span<const double> weights;  // as planned
  std::span<const double> efficacy_z;
  std::span<const double> futility_z;
};

// Repeated interval: the thetas of which the combined z is within +- the look's critical value,
// whatever was changed and why (Lehmacher & Wassmer 1999, section 4). P-value, median-unbiased estimate
// and interval by stagewise ordering of the combined z of each theta (Brannath, Mehta & Posch 2009):
// exact for two stages whatever the rule for the second one's size, and for more where all but the last
// stage were as planned.
SequentialEstimate combination_estimate(const CombinationResult& result, double confidence_level);

// A trial of one or two stages combined by Fisher's product of the one-sided p-values: rejects at stage
// 1 where p_1 <= alpha_1, accepts there where p_1 >= alpha_0 (1: never, also where that was not
// heeded), and rejects at the end where p_1 p_2 <= critical_value.
struct FisherResult {
  std::span<const double> stage_z;
  std::span<const double> stage_information;
  double alpha_1 = 0;
  double alpha_0 = 1;
  double critical_value = 0;
};

// The same for Fisher's combination (Brannath, Posch & Bauer 2002, sections 3 and 4).
SequentialEstimate fisher_estimate(const FisherResult& result, double confidence_level);

}  // namespace trialwright::sequential
