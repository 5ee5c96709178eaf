#include "engine/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/metric_values.hpp"
#include "engine/staged_metrics.hpp"
#include "stats/ratio.hpp"

namespace trialwright::engine {
namespace {

// Estimates of a ratio are averaged as logarithms.
void name_scale(const trial::PlannedAnalysis& analysis, std::vector<Metric>& metrics,
                std::size_t first) {
  if (analysis.effect == analysis::EffectMeasure::risk_difference) return;
  for (std::size_t i = first; i < metrics.size(); ++i) {
    const std::string& name = metrics[i].metric;
    if (!name.ends_with("coverage") && name != "published_percentile") metrics[i].scale = "log";
  }
}

// Events over patients, both summed over the trials: a ratio estimator, trials being the sampling
// units.
Metric rate(const char* metric, const std::string& hypothesis, const std::string& arm,
            const ArmAccumulator& sum, std::uint64_t n_trials) {
  const stats::RatioSums sums = ratio_sums(sum);
  Metric result =
      with_error(metric, hypothesis, stats::ratio(sums), stats::mcse_of_ratio(sums), n_trials);
  result.lower = std::max(0.0, result.lower);
  result.upper = std::min(1.0, result.upper);
  result.arm = arm;
  return result;
}

// The distribution of the estimate, and where a published one lies in it (ties counted half).
void add_distribution(const trial::PlannedAnalysis& analysis, const AnalysisAccumulator& sum,
                      std::vector<Metric>& metrics) {
  if (sum.n_defined == 0) return;
  for (const double probability : {0.025, 0.25, 0.5, 0.75, 0.975}) {
    const auto interval = sum.distribution.quantile_interval(probability, k_level);
    metrics.push_back({fmt::format("estimate_quantile_{}", probability),
                       analysis.name,
                       std::nullopt,
                       {},
                       {},
                       sum.distribution.quantile(probability) - k_distribution_offset,
                       sum.distribution.mcse_of_quantile(probability),
                       interval.lower - k_distribution_offset,
                       interval.upper - k_distribution_offset,
                       sum.n_defined});
  }
  if (!analysis.published) return;
  metrics.push_back(exactly("published_estimate", analysis.name, *analysis.published));
  const double n = static_cast<double>(sum.n_defined);
  const double percentile =
      (static_cast<double>(sum.n_below_published) + 0.5 * static_cast<double>(sum.n_at_published)) / n;
  metrics.push_back(with_error("published_percentile", analysis.name, percentile,
                               std::sqrt(percentile * (1 - percentile) / n), sum.n_defined));
}

void add_estimation(const trial::PlannedAnalysis& analysis, const std::optional<TrueValue>& truth,
                    const AnalysisAccumulator& sum, std::vector<Metric>& metrics) {
  if (sum.n_defined < 2) return;
  const auto& moments = sum.estimate;
  const std::uint64_t n = sum.n_defined;
  if (truth) {
    // Of a ratio the logarithm is reported, whose standard error is relative.
    const bool is_ratio = analysis.effect != analysis::EffectMeasure::risk_difference;
    const double true_mcse = is_ratio ? truth->mcse / truth->value : truth->mcse;
    const double true_value = on_analysis_scale(analysis.effect, truth->value);
    metrics.push_back(with_error("true_value", analysis.name, true_value, true_mcse, n));
    metrics.push_back(
        with_error("mean_estimate", analysis.name, moments.mean(), moments.mcse_of_mean(), n));
    const double bias_mcse =
        std::sqrt(moments.mcse_of_mean() * moments.mcse_of_mean() + true_mcse * true_mcse);
    metrics.push_back(with_error("bias", analysis.name, moments.mean() - true_value, bias_mcse, n));
    metrics.push_back(with_error("rmse", analysis.name, moments.root_mean_square(),
                                 moments.mcse_of_root_mean_square(), n));
    metrics.push_back(proportion("coverage", analysis.name, sum.n_covered, n));
  } else {
    metrics.push_back(
        with_error("mean_estimate", analysis.name, moments.mean(), moments.mcse_of_mean(), n));
  }
}

// The trials that `analyses` and `arms` rest on.
std::uint64_t n_analysed_trials(const PointAccumulator& sum) {
  return sum.staged.is_empty() ? sum.n_trials : sum.staged.n_inference;
}

// Kept, lost or flared in the two maintenance arms that an analysis compares.
void add_maintenance_rates(const trial::TrialPlan& plan, const trial::PlannedAnalysis& analysis,
                           const PointAccumulator& sum, std::vector<Metric>& metrics) {
  const auto& arms = plan.maintenance->spec().arms;
  const auto& comparison = *analysis.maintenance;
  for (const int arm : {comparison.arm_1, comparison.arm_0}) {
    const auto i_arm = static_cast<std::size_t>(arm);
    const auto& count =
        sum.maintenance[static_cast<std::size_t>(comparison.outcome) * arms.size() + i_arm];
    if (count.patients > 0)
      metrics.push_back(rate("event_rate", analysis.name, arms[i_arm].name, count, sum.n_trials));
  }
}

// Responders randomised again, by arm.
void add_rerandomised(const trial::TrialPlan& plan, const PointAccumulator& sum,
                      std::vector<Metric>& metrics) {
  const auto& arms = plan.maintenance->spec().arms;
  const auto n = static_cast<double>(sum.n_trials);
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const double mean = static_cast<double>(sum.maintenance[i].patients) / n;
    const double square = static_cast<double>(sum.maintenance[i].patients_squared) / n;
    metrics.push_back(with_error("rerandomised_patients", {}, mean,
                                 std::sqrt(std::max(0.0, square - mean * mean) / n), sum.n_trials));
    metrics.back().arm = arms[i].name;
  }
}

void add_consistency(const trial::PlannedAnalysis& analysis, const ConsistencyCounts& counts,
                     std::vector<Metric>& metrics) {
  if (counts.n_trials == 0) return;
  metrics.push_back(
      proportion("consistency_probability", analysis.name, counts.n_consistent, counts.n_trials));
  if (counts.n_rejected > 0)
    metrics.push_back(proportion("consistency_probability_given_rejection", analysis.name,
                                 counts.n_consistent_rejected, counts.n_rejected));
}

void add_rates(const trial::TrialPlan& plan, const trial::PlannedAnalysis& analysis,
               const PointAccumulator& sum, std::vector<Metric>& metrics) {
  // Arms are counted whole.
  if (analysis.subgroup) return;
  if (analysis.maintenance) {
    add_maintenance_rates(plan, analysis, sum, metrics);
    return;
  }
  const auto& estimand = plan.estimands[static_cast<std::size_t>(analysis.i_estimand)];
  const char* name = estimand.higher_is_better() ? "event_rate" : "ae_rate";
  for (std::size_t i_arm = 0; i_arm < plan.arms.size(); ++i_arm) {
    const int arm = plan.arms[i_arm];
    if (arm != analysis.arm_1 && arm != analysis.arm_0) continue;
    const auto& count =
        sum.arms[static_cast<std::size_t>(analysis.i_estimand) * plan.arms.size() + i_arm];
    if (count.patients == 0) continue;
    metrics.push_back(rate(name, analysis.name, plan.model->arms()[static_cast<std::size_t>(arm)].name,
                           count, n_analysed_trials(sum)));
  }
}

}  // namespace

std::vector<Metric> metrics_of(const trial::TrialPlan& plan,
                               const std::vector<std::optional<TrueValue>>& true_values,
                               const std::vector<std::optional<double>>& exact_powers,
                               const PointAccumulator& sum, std::span<const ExactStop> exact_stops) {
  std::vector<Metric> metrics;
  if (sum.n_trials == 0) return metrics;
  const char* power = plan.model->truth_is_drawn() ? "assurance" : "power";
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const auto& analysis = plan.analyses[i];
    const bool is_staged = i < sum.staged.rejected.size();
    if (is_staged) {
      metrics.push_back(proportion(power, analysis.name, sum.staged.rejected[i], sum.n_trials));
      metrics.push_back(
          proportion("naive_power", analysis.name, sum.staged.naive_rejected[i], sum.n_trials));
    } else if (const std::uint64_t n = n_analysed_trials(sum); n > 0) {
      metrics.push_back(proportion(power, analysis.name, sum.analyses[i].n_rejected, n));
    }
    if (exact_powers[i]) metrics.push_back(exactly("exact_power", analysis.name, *exact_powers[i]));
    const std::size_t first_estimate = metrics.size();
    add_estimation(analysis, true_values[i], sum.analyses[i], metrics);
    add_distribution(analysis, sum.analyses[i], metrics);
    if (is_staged) add_adjusted_estimation(plan, i, true_values[i], sum, metrics);
    name_scale(analysis, metrics, first_estimate);
    add_consistency(analysis, sum.analyses[i].consistency, metrics);
    add_rates(plan, analysis, sum, metrics);
  }
  if (!sum.staged.is_empty()) {
    add_staged_metrics(plan, sum, exact_stops, metrics);
    return metrics;
  }
  metrics.push_back(exactly("expected_patients", {}, plan.n_patients));
  if (plan.maintenance) add_rerandomised(plan, sum, metrics);
  metrics.push_back(mean_of("screened_patients", sum.n_screened));
  metrics.push_back(mean_of("enrolment_months", sum.enrolment_months));
  metrics.push_back(mean_of("duration_months", sum.duration_months));
  return metrics;
}

}  // namespace trialwright::engine
