#include "analysis/score_interval.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/restricted_ml.hpp"
#include "base/contract.hpp"
#include "math/root.hpp"

namespace trialwright::analysis {

namespace {

// Where the estimate itself has no variance the score is 0/0 there; its limit from either side lies
// inside the interval, and so does this.
constexpr double k_inside = 1e-9;
constexpr double k_tolerance = 1e-14;

// Squared score = (numerator / deviation)^2.
struct Score {
  double numerator = 0.0;
  double deviation = 0.0;
};

enum class Bound { lower, upper };

// The parameter between `edge` (where the numerator is far from 0 and the deviation vanishes) and
// `estimate` (where the numerator is 0) at which the numerator is z deviations.
template <class ScoreAt>
double limit(Bound bound, double edge, double estimate, double z, ScoreAt score_at) {
  if (edge == estimate) return edge;
  const double side = bound == Bound::lower ? 1.0 : -1.0;
  const auto excess = [&](double parameter) {
    const Score score = score_at(parameter);
    if (parameter == estimate) return score.deviation > 0.0 ? -z * score.deviation : -k_inside;
    return side * score.numerator - z * score.deviation;
  };
  const auto root = bound == Bound::lower ? math::brent_root(excess, edge, estimate, k_tolerance)
                                          : math::brent_root(excess, estimate, edge, k_tolerance);
  TRIALWRIGHT_EXPECT(root.has_value());
  return root.value_or(edge);
}

double correction(const TwoByTwo& table) {
  const double total = table.n_1 + table.n_0;
  return total / (total - 1.0);
}

double odds_from(double share) {
  return share == 1.0 ? std::numeric_limits<double>::infinity() : share / (1.0 - share);
}

}  // namespace

Limits score_limits_of_difference(std::span<const TwoByTwo> strata, double z) {
  double sum_of_weights = 0.0;
  double estimate = 0.0;
  for (const auto& table : strata) {
    if (table.n_1 == 0 || table.n_0 == 0) continue;
    const double n_1 = table.n_1, n_0 = table.n_0;
    const double weight = n_1 * n_0 / (n_1 + n_0);
    sum_of_weights += weight;
    estimate += weight * (table.responders_1 / n_1 - table.responders_0 / n_0);
  }
  estimate /= sum_of_weights;
  const auto score_at = [&](double difference) {
    Score score{estimate - difference, 0.0};
    if (std::abs(difference) >= 1.0) return score;
    double variance = 0.0;
    for (const auto& table : strata) {
      if (table.n_1 == 0 || table.n_0 == 0) continue;
      const double n_1 = table.n_1, n_0 = table.n_0;
      const double weight = n_1 * n_0 / (n_1 + n_0) / sum_of_weights;
      const Rates rates = restricted_by_difference(table, difference);
      variance +=
          weight * weight * correction(table) *
          (rates.rate_1 * (1.0 - rates.rate_1) / n_1 + rates.rate_0 * (1.0 - rates.rate_0) / n_0);
    }
    score.deviation = std::sqrt(variance);
    return score;
  };
  return {limit(Bound::lower, -1.0, estimate, z, score_at),
          limit(Bound::upper, 1.0, estimate, z, score_at)};
}

// Both ratios are searched as their share r / (1 + r) of one, which is bounded.

Limits score_limits_of_ratio(const TwoByTwo& table, double z) {
  const double n_1 = table.n_1, n_0 = table.n_0;
  const double rate_1 = table.responders_1 / n_1, rate_0 = table.responders_0 / n_0;
  const auto score_at = [&](double share) {
    Score score{(1.0 - share) * rate_1 - share * rate_0, 0.0};
    if (share <= 0.0 || share >= 1.0) return score;
    const Rates rates = restricted_by_ratio(table, share / (1.0 - share));
    const double variance = (1.0 - share) * (1.0 - share) * rates.rate_1 * (1.0 - rates.rate_1) / n_1 +
                            share * share * rates.rate_0 * (1.0 - rates.rate_0) / n_0;
    score.deviation = std::sqrt(correction(table) * variance);
    return score;
  };
  const double estimate = rate_1 / (rate_1 + rate_0);
  return {odds_from(limit(Bound::lower, 0.0, estimate, z, score_at)),
          odds_from(limit(Bound::upper, 1.0, estimate, z, score_at))};
}

Limits score_limits_of_odds_ratio(const TwoByTwo& table, double z) {
  const double n_1 = table.n_1, n_0 = table.n_0;
  const double x_1 = table.responders_1, x_0 = table.responders_0;
  const auto score_at = [&](double share) {
    if (share <= 0.0) return Score{std::min(x_1, n_0 - x_0), 0.0};
    if (share >= 1.0) return Score{-std::min(n_1 - x_1, x_0), 0.0};
    const Rates rates = restricted_by_odds_ratio(table, share / (1.0 - share));
    const double spread_1 = n_1 * rates.rate_1 * (1.0 - rates.rate_1);
    const double spread_0 = n_0 * rates.rate_0 * (1.0 - rates.rate_0);
    if (!(spread_1 > 0.0 && spread_0 > 0.0)) return Score{x_1 - n_1 * rates.rate_1, 0.0};
    return Score{x_1 - n_1 * rates.rate_1,
                 std::sqrt(correction(table) * (spread_1 * spread_0 / (spread_1 + spread_0)))};
  };
  const double for_treatment = x_1 * (n_0 - x_0), for_control = x_0 * (n_1 - x_1);
  const double estimate = for_treatment / (for_treatment + for_control);
  return {odds_from(limit(Bound::lower, 0.0, estimate, z, score_at)),
          odds_from(limit(Bound::upper, 1.0, estimate, z, score_at))};
}

}  // namespace trialwright::analysis
