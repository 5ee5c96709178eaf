#include "engine/staged_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "engine/metric_values.hpp"

namespace trialwright::engine {
namespace {

constexpr double k_high_quantile = 0.9;

// The arm that a hypothesis is about, where several hypotheses of a design are about different ones.
std::string arm_of(const trial::TrialPlan& plan, std::size_t i_hypothesis) {
  const auto hypotheses = std::span(plan.analyses).first(static_cast<std::size_t>(plan.n_hypotheses));
  const int arm = hypotheses[i_hypothesis].arm_1;
  const bool tells_apart = std::any_of(hypotheses.begin(), hypotheses.end(),
                                       [arm](const auto& other) { return other.arm_1 != arm; });
  return tells_apart ? plan.model->arms()[static_cast<std::size_t>(arm)].name : "";
}

std::string_view name_of(design::StopReason reason) {
  return design::k_stop_reason_names[static_cast<std::size_t>(reason)].name;
}

void add_rejections(const PointAccumulator& sum, std::vector<Metric>& metrics) {
  const auto& staged = sum.staged;
  const std::uint64_t n = sum.n_trials;
  if (staged.n_hypotheses > 1) {
    metrics.push_back(proportion("power_any", {}, staged.n_any, n));
    metrics.push_back(proportion("power_all", {}, staged.n_all, n));
  }
  if (staged.true_nulls == 0) return;
  metrics.push_back(proportion("familywise_error", {}, staged.n_error, n));
  metrics.push_back(proportion("naive_familywise_error", {}, staged.n_naive_error, n));
}

// Reasons that ended no trial are left out, but for efficacy.
void add_stops(const PointAccumulator& sum, std::vector<Metric>& metrics) {
  const auto& staged = sum.staged;
  std::uint64_t n_harm = 0;
  for (int i_look = 0; i_look < staged.n_looks; ++i_look)
    for (const auto& reason : design::k_stop_reason_names) {
      const auto place = i_look * design::k_stop_reasons + static_cast<int>(reason.value);
      const std::uint64_t n = staged.stops[static_cast<std::size_t>(place)];
      if (reason.value == design::StopReason::harm) n_harm += n;
      if (n == 0 && reason.value != design::StopReason::efficacy) continue;
      auto metric = proportion("stop_probability", {}, n, sum.n_trials);
      metric.look = i_look + 1;
      metric.reason = reason.name;
      metrics.push_back(std::move(metric));
    }
  metrics.push_back(proportion("p_stop_harm", {}, n_harm, sum.n_trials));
}

void add_selection(const trial::TrialPlan& plan, const PointAccumulator& sum,
                   std::vector<Metric>& metrics) {
  const auto& staged = sum.staged;
  if (staged.n_hypotheses < 2) return;
  const auto n_hypotheses = static_cast<std::size_t>(staged.n_hypotheses);
  for (int i_look = 1; i_look < staged.n_looks; ++i_look)
    for (std::size_t i = 0; i < n_hypotheses; ++i) {
      const std::uint64_t n = staged.open[static_cast<std::size_t>(i_look) * n_hypotheses + i];
      auto metric = proportion("selection_probability", plan.analyses[i].name, n, sum.n_trials);
      metric.look = i_look + 1;
      metric.arm = arm_of(plan, i);
      metrics.push_back(std::move(metric));
    }
}

// What the first look saw of each arm, where the arms are chosen by their means.
void add_means(const trial::TrialPlan& plan, const PointAccumulator& sum,
               std::vector<Metric>& metrics) {
  const auto& means = sum.staged.first_means;
  for (std::size_t arm = 0; arm < means.size(); ++arm) {
    if (means[arm].count() < 2) continue;
    auto metric = mean_of("mean_value", means[arm]);
    metric.hypothesis = plan.merit_mean->name();
    metric.look = 1;
    metric.arm = plan.model->arms()[static_cast<std::size_t>(plan.arms[arm])].name;
    metrics.push_back(std::move(metric));
  }
}

// Either the mean of the trials that have a calendar, or the mean number analysed, of all trials, with
// the mean over-run of those: the surer of the two. The error of the sum allows for the trials that its
// parts have in common.
Metric expected_patients(const PointAccumulator& sum) {
  const auto& staged = sum.staged;
  const auto n = static_cast<double>(staged.analysed.count());
  const auto m = static_cast<double>(staged.enrolled.count());
  const auto enrolled = mean_and_variance(staged.enrolled);
  const auto analysed = mean_and_variance(staged.analysed), overrun = mean_and_variance(staged.overrun);
  const double covariance = (enrolled.variance - analysed.variance - overrun.variance) / 2;
  const double variance = analysed.variance / n + overrun.variance / m + 2 * covariance / n;
  if (m >= n || enrolled.variance / m <= variance)
    return with_error("expected_patients", {}, enrolled.mean, std::sqrt(enrolled.variance / m),
                      staged.enrolled.count());
  return with_error("expected_patients", {}, analysed.mean + overrun.mean, std::sqrt(variance),
                    staged.analysed.count());
}

void add_size_and_time(const PointAccumulator& sum, std::vector<Metric>& metrics) {
  const auto& staged = sum.staged;
  const auto mean = [](const char* name, const stats::Histogram& histogram) {
    const auto [value, variance] = mean_and_variance(histogram);
    return with_error(name, {}, value, std::sqrt(variance / static_cast<double>(histogram.count())),
                      histogram.count());
  };
  if (staged.enrolled.count() > 0) {
    metrics.push_back(expected_patients(sum));
    metrics.push_back(quantile_of("patients_quantile", staged.enrolled, k_high_quantile));
  }
  metrics.push_back(mean("expected_patients_analysed", staged.analysed));
  if (staged.enrolled.count() == 0) return;
  metrics.push_back(mean("overrun_patients", staged.overrun));
  if (sum.n_screened.count() > 0) metrics.push_back(mean_of("screened_patients", sum.n_screened));
  if (sum.enrolment_months.count() > 0)
    metrics.push_back(mean_of("enrolment_months", sum.enrolment_months));
  metrics.push_back(mean_of("duration_months", staged.decision_months));
  metrics.push_back(quantile_of("duration_quantile", staged.months, k_high_quantile));
}

}  // namespace

void add_staged_metrics(const trial::TrialPlan& plan, const PointAccumulator& sum,
                        std::span<const ExactStop> exact_stops, std::vector<Metric>& metrics) {
  add_rejections(sum, metrics);
  add_stops(sum, metrics);
  for (const auto& stop : exact_stops) {
    metrics.push_back(exactly("exact_stop_probability", {}, stop.probability));
    metrics.back().look = stop.look;
    metrics.back().reason = name_of(stop.reason);
  }
  add_means(plan, sum, metrics);
  add_selection(plan, sum, metrics);
  add_size_and_time(sum, metrics);
}

void add_adjusted_estimation(const trial::TrialPlan& plan, std::size_t i_hypothesis,
                             const std::optional<TrueValue>& truth, const PointAccumulator& sum,
                             std::vector<Metric>& metrics) {
  const auto& analysis = plan.analyses[i_hypothesis];
  const auto& adjusted = sum.staged.adjusted[i_hypothesis];
  const auto& moments = adjusted.estimate;
  const std::uint64_t n = adjusted.n_defined;
  if (n < 2) return;
  metrics.push_back(
      with_error("adjusted_mean_estimate", analysis.name, moments.mean(), moments.mcse_of_mean(), n));
  if (!truth) return;
  const bool is_ratio = analysis.effect != analysis::EffectMeasure::risk_difference;
  const double true_mcse = is_ratio ? truth->mcse / truth->value : truth->mcse;
  const double true_value = on_analysis_scale(analysis.effect, truth->value);
  metrics.push_back(with_error(
      "adjusted_bias", analysis.name, moments.mean() - true_value,
      std::sqrt(moments.mcse_of_mean() * moments.mcse_of_mean() + true_mcse * true_mcse), n));
  metrics.push_back(with_error("adjusted_rmse", analysis.name, moments.root_mean_square(),
                               moments.mcse_of_root_mean_square(), n));
  metrics.push_back(proportion("adjusted_coverage", analysis.name, adjusted.n_covered, n));
  if (adjusted.n_repeated > 0)
    metrics.push_back(proportion("repeated_coverage", analysis.name, adjusted.n_repeated_covered,
                                 adjusted.n_repeated));
}

}  // namespace trialwright::engine
