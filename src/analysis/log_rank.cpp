#include "analysis/log_rank.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"

namespace trialwright::analysis {
namespace {

// First and second derivative of the log partial likelihood in the log hazard ratio.
struct Slopes {
  double first = 0;
  double second = 0;
};

Slopes slopes_at(std::span<const RiskSet> sets, double log_ratio) {
  const double ratio = math::exp(log_ratio);
  Slopes slopes;
  for (const auto& set : sets) {
    const int n_events = set.events_1 + set.events_0;
    slopes.first += set.events_1;
    for (int i = 0; i < n_events; ++i) {
      // Efron: of the tied events the share i / n has left already.
      const double left = static_cast<double>(i) / n_events;
      const double weight_1 = ratio * (set.at_risk_1 - left * set.events_1);
      const double weight_0 = set.at_risk_0 - left * set.events_0;
      const double share = weight_1 / (weight_1 + weight_0);
      slopes.first -= share;
      slopes.second -= share * (1 - share);
    }
  }
  return slopes;
}

// Does the likelihood fall on both sides? It does not where every event is in the arm whose hazard
// would grow for ever.
bool has_maximum(std::span<const RiskSet> sets) {
  bool grows = false, falls = false;
  for (const auto& set : sets) {
    if (set.events_1 > 0 && set.at_risk_0 > 0) grows = true;
    if (set.events_0 > 0 && set.at_risk_1 > 0) falls = true;
  }
  return grows && falls;
}

}  // namespace

std::vector<RiskSet> risk_sets(std::span<const double> time, std::span<const int> event,
                               std::span<const int> arm) {
  TRIALWRIGHT_EXPECT(time.size() == event.size() && time.size() == arm.size());
  std::vector<std::size_t> order(time.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return time[a] < time[b]; });
  int at_risk[2] = {0, 0};
  for (const int a : arm) ++at_risk[a];
  std::vector<RiskSet> sets;
  for (std::size_t i = 0; i < order.size();) {
    RiskSet set{0, at_risk[1], 0, at_risk[0]};
    const double now = time[order[i]];
    for (; i < order.size() && time[order[i]] == now; ++i) {
      (arm[order[i]] == 1 ? set.events_1 : set.events_0) += event[order[i]];
      --at_risk[arm[order[i]]];
    }
    if (set.events_1 + set.events_0 > 0) sets.push_back(set);
  }
  return sets;
}

double LogRank::z() const {
  return variance > 0 ? (expected_1 - observed_1) / std::sqrt(variance) : 0;
}

LogRank log_rank(std::span<const RiskSet> sets) {
  LogRank sum;
  for (const auto& set : sets) {
    const double events = set.events_1 + set.events_0;
    const double at_risk = set.at_risk_1 + set.at_risk_0;
    if (events == 0) continue;
    const double share = set.at_risk_1 / at_risk;
    sum.observed_1 += set.events_1;
    sum.expected_1 += events * share;
    if (at_risk > 1) sum.variance += events * share * (1 - share) * (at_risk - events) / (at_risk - 1);
  }
  return sum;
}

TestResult log_rank_test(std::span<const RiskSet> sets, Sides sides, double alpha,
                         Direction direction) {
  const LogRank sum = log_rank(sets);
  TestResult result;
  result.degenerate = !(sum.variance > 0);
  result.statistic = direction == Direction::lower_is_better ? sum.z() : -sum.z();
  if (result.degenerate) return result;
  const double z = sides == Sides::two ? std::abs(result.statistic) : result.statistic;
  const double n_sides = sides == Sides::two ? 2 : 1;
  result.p_value = n_sides * math::normal_survival(z);
  result.reject = z >= math::normal_quantile(1 - alpha / n_sides);
  return result;
}

Estimate hazard_ratio(std::span<const RiskSet> sets, double confidence_level) {
  constexpr int k_most_steps = 50;
  constexpr double k_tolerance = 1e-10;
  Estimate estimate;
  if (!has_maximum(sets)) return estimate;
  double log_ratio = 0;
  Slopes slopes;
  for (int i = 0; i < k_most_steps; ++i) {
    slopes = slopes_at(sets, log_ratio);
    // The likelihood is concave; a step is held where Newton's would overshoot.
    const double step = std::clamp(-slopes.first / slopes.second, -1.0, 1.0);
    log_ratio += step;
    if (std::abs(step) < k_tolerance) break;
  }
  estimate.standard_error = std::sqrt(-1 / slopes_at(sets, log_ratio).second);
  const double half_width = math::normal_quantile(0.5 + confidence_level / 2) * estimate.standard_error;
  estimate.value = math::exp(log_ratio);
  estimate.lower = math::exp(log_ratio - half_width);
  estimate.upper = math::exp(log_ratio + half_width);
  estimate.defined = true;
  return estimate;
}

}  // namespace trialwright::analysis
