// Confidence intervals of a proportion, and its Monte Carlo standard error.
#pragma once

#include <cstdint>

#include "stats/interval.hpp"

namespace trialwright::stats {

// The exact interval: both tails at most (1 - level)/2 (Clopper & Pearson 1934),
// 0 <= n_events <= n, n >= 1. By the beta quantile, rounded to 40 significant bits so that another
// machine's libm gives the same.
Interval clopper_pearson_interval(std::uint64_t n_events, std::uint64_t n, double level);

// The score interval without continuity correction (Wilson 1927), 0 <= n_events <= n, n >= 1;
// exactly 0 below where there are no events and exactly 1 above where there are only events.
// The same bits everywhere.
Interval wilson_interval(std::uint64_t n_events, std::uint64_t n, double level);

// The Monte Carlo standard error of a proportion, sqrt(p (1 - p) / n) at p = n_events / n (Morris,
// White & Crowther 2019, table 6). It is 0 at p = 0 and p = 1, where the intervals above
// carry the uncertainty.
double mcse_of_proportion(std::uint64_t n_events, std::uint64_t n);

}  // namespace trialwright::stats
