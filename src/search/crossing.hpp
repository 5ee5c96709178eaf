// Where a fitted power curve meets its target, from noisy powers at several sizes on common random
// numbers.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "stats/interval.hpp"

namespace trialwright::search {

// Powers at several sizes from the same n_trials trials.
struct CommonPowers {
  std::vector<int> sizes;  // patients, rising, at least two
  double n_trials = 0;
  std::vector<double> n_rejected;                    // [i_size]
  std::vector<std::vector<double>> n_both_rejected;  // [i_size][i_size]
};

struct Crossing {
  double root = 0;                 // patients at which the fitted power is the target
  double root_standard_error = 0;  // delta method
  stats::Interval interval{0, 0};  // 95%, of the root; by the normal interval of sqrt(patients)
  double slope_z = 0;              // the fitted slope over its standard error
};

// Weighted least squares of probit(power) on sqrt(patients), weights n phi(z)^2 / (p (1 - p)) (Finney
// 1971, "Probit Analysis", section 3.4), p moved off 0 and 1 by half a trial. The normal approximation
// of a two-sample test is a straight line on these scales (Fleiss 1981, section 3.3). The powers'
// covariance is (P(both reject) - p_i p_j) / n. nullopt where the fitted curve does not rise.
std::optional<Crossing> fit_crossing(const CommonPowers& powers, double target);

}  // namespace trialwright::search
