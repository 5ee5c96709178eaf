#include "engine/precision.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/contract.hpp"
#include "engine/metrics.hpp"
#include "math/normal.hpp"
#include "stats/binomial_interval.hpp"

namespace trialwright::engine {
namespace {

enum class ErrorKind { proportion, rate, mean };

ErrorKind error_kind(const std::string& metric) {
  using enum scenario::PrecisionMetric;
  switch (base::find(scenario::precision_metric_table(), metric)->value) {
    case power:
    case coverage:
      return ErrorKind::proportion;
    case event_rate:
    case ae_rate:
      return ErrorKind::rate;
    case mean_estimate:
    case bias:
    case rmse:
      return ErrorKind::mean;
  }
  return ErrorKind::mean;
}

bool is_called(const std::string& target, const std::string& metric) {
  return metric == target || (target == "power" && metric == "assurance");
}

// NaN where it is undefined.
double half_width_of(const Metric& metric, ErrorKind kind) {
  const double nothing_yet = std::nan("");
  if (!std::isfinite(metric.estimate)) return nothing_yet;
  if (kind == ErrorKind::proportion) return 0.5 * (metric.upper - metric.lower);
  if (metric.mcse > 0) return math::normal_quantile(0.5 + 0.5 * k_level) * metric.mcse;
  if (kind == ErrorKind::mean) return nothing_yet;
  const auto interval = stats::wilson_interval(0, metric.n_trials, k_level);
  return 0.5 * (interval.upper - interval.lower);
}

bool is_precise(const Metric& metric, const scenario::PrecisionTarget& target) {
  if (metric.n_trials == 0) return true;
  const double half_width = half_width_of(metric, error_kind(target.metric));
  if (target.half_width) return half_width <= *target.half_width;
  return half_width / math::normal_quantile(0.5 + 0.5 * k_level) <= *target.mcse;
}

}  // namespace

Rounds::Rounds(const scenario::SimulationSpec& simulation, const TrackShape& trials)
    : n_trials_(trials.n_trials), round_trials_(trials.n_trials) {
  if (!simulation.precision) return;
  const std::uint64_t block = trials.block_trials;
  const std::uint64_t whole_blocks = (simulation.precision->round_trials + block - 1) / block * block;
  round_trials_ = std::min(whole_blocks, n_trials_);
}

std::uint64_t Rounds::n_rounds() const {
  return round_trials_ == 0 ? 1 : (n_trials_ + round_trials_ - 1) / round_trials_;
}

TrialRange Rounds::round(std::uint64_t i_round) const {
  TRIALWRIGHT_EXPECT(i_round < n_rounds());
  const std::uint64_t from = i_round * round_trials_;
  return {from, std::min(from + round_trials_, n_trials_)};
}

bool is_precise(const Point& point, const scenario::PrecisionTarget& target) {
  // The primary analysis comes first.
  const std::string& hypothesis = target.hypothesis.empty() && !point.metrics.empty()
                                      ? point.metrics.front().hypothesis
                                      : target.hypothesis;
  bool has_metric = false;
  for (const Metric& metric : point.metrics) {
    if (!is_called(target.metric, metric.metric) || metric.hypothesis != hypothesis) continue;
    if (!is_precise(metric, target)) return false;
    has_metric = true;
  }
  return has_metric;
}

}  // namespace trialwright::engine
