// From a point's sums to its metrics: estimates, Monte Carlo standard errors and 95% intervals.
#pragma once

#include <optional>
#include <span>
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
//
// Of a design that looks before the end instead (n_trials states the trials that each rests on): of
// each hypothesis power, naive_power (of an analysis that takes no account of the looks), exact_power,
// the estimation's metrics at the look that ended the trial, unadjusted, and adjusted_mean_estimate,
// adjusted_bias, adjusted_rmse, adjusted_coverage and, where the design has them, repeated_coverage (of
// its repeated interval at that look; all of the trials that still tested it there); of other analyses
// as above, at that look. Of the trial: power_any and power_all of several hypotheses; familywise_error
// and naive_familywise_error where a null is true; stop_probability by look and reason,
// exact_stop_probability where it is known, p_stop_harm; selection_probability of each hypothesis at
// each look after the first (it is tested there), and where arms are chosen by means mean_value of each
// arm at the first look (over the trials that came to it; under `hypothesis` the estimand's name);
// expected_patients and patients_quantile (enrolled, the pipeline included; reason "0.9"),
// expected_patients_analysed (on whom the estimates rest), overrun_patients (enrolled when the trial
// ended, with an outcome that its decision did not know); duration_months and duration_quantile (until
// the decision that ended the trial).
std::vector<Metric> metrics_of(const trial::TrialPlan& plan,
                               const std::vector<std::optional<TrueValue>>& true_values,
                               const std::vector<std::optional<double>>& exact_powers,
                               const PointAccumulator& sum,
                               std::span<const ExactStop> exact_stops = {});

}  // namespace trialwright::engine
