// From a point's sums to its metrics: estimates, Monte Carlo standard errors and 95% intervals.
#pragma once

#include <optional>
#include <vector>

#include "engine/accumulator.hpp"
#include "engine/true_values.hpp"
#include "trialwright/results.hpp"

namespace trialwright::engine {

// The level of every interval in the results.
inline constexpr double k_level = 0.95;

// All metrics of one point, the primary analysis first. Proportions have Wilson intervals, means normal
// ones. Of each analysis: power (assurance, where every trial draws its truth), exact_power,
// true_value, mean_estimate, bias, rmse and coverage (of ratios: of their logarithm, scale "log"),
// event_rate or ae_rate by arm. Of the trial: expected_patients, screened_patients, enrolment_months,
// duration_months.
std::vector<Metric> metrics_of(const trial::TrialPlan& plan,
                               const std::vector<std::optional<TrueValue>>& true_values,
                               const std::vector<std::optional<double>>& exact_powers,
                               const PointAccumulator& sum);

}  // namespace trialwright::engine
