// Single metrics from counts, moments and histograms.
#pragma once

#include <cstdint>
#include <string>

#include "stats/accumulators.hpp"
#include "stats/histogram.hpp"
#include "trialwright/results.hpp"

namespace trialwright::engine {

// What is calculated rests on no trials.
Metric exactly(std::string metric, std::string hypothesis, double value);
// A proportion of n trials, with Wilson's interval.
Metric proportion(std::string metric, std::string hypothesis, std::uint64_t n_events, std::uint64_t n);
// A value with its normal interval.
Metric with_error(std::string metric, std::string hypothesis, double value, double mcse,
                  std::uint64_t n);
Metric mean_of(std::string metric, const stats::Moments& moments);
// The quantile `probability` (0.9: reason "0.9") with its interval by order statistics.
Metric quantile_of(std::string metric, const stats::Histogram& histogram, double probability);

// Mean and variance (divisor n - 1) of whole numbers, which a histogram of width 1 holds exactly.
struct MeanAndVariance {
  double mean = 0;
  double variance = 0;
};
MeanAndVariance mean_and_variance(const stats::Histogram& whole_numbers);

}  // namespace trialwright::engine
