// From the sums of a design that looks before the end to its metrics.
#pragma once

#include <vector>

#include "engine/metrics.hpp"

namespace trialwright::engine {

// What metrics_of says of such a design's trials as wholes, appended.
void add_staged_metrics(const trial::TrialPlan& plan, const PointAccumulator& sum,
                        std::span<const ExactStop> exact_stops, std::vector<Metric>& metrics);

// Adjusted estimation of the i-th hypothesis, appended.
void add_adjusted_estimation(const trial::TrialPlan& plan, std::size_t i_hypothesis,
                             const std::optional<TrueValue>& truth, const PointAccumulator& sum,
                             std::vector<Metric>& metrics);

}  // namespace trialwright::engine
