#include "analysis/restricted_ml.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"

namespace trialwright::analysis {

namespace {

// The derivative of the log-likelihood in p = rate_0, times p (1 - p) (p + d) (1 - p - d): positive
// left of the maximum, negative right of it.
class LikelihoodCubic {
 public:
  LikelihoodCubic(double x_1, double n_1, double x_0, double n_0, double d) {
    c_3_ = n_1 + n_0;
    c_2_ = -(x_1 + x_0 + n_1 * (1.0 - d) + n_0 * (1.0 - 2.0 * d));
    c_1_ = x_1 - n_1 * d + x_0 * (1.0 - 2.0 * d) - n_0 * d * (1.0 - d);
    c_0_ = x_0 * d * (1.0 - d);
  }
  double value(double p) const { return ((c_3_ * p + c_2_) * p + c_1_) * p + c_0_; }
  double slope(double p) const { return (3.0 * c_3_ * p + 2.0 * c_2_) * p + c_1_; }

 private:
  double c_3_, c_2_, c_1_, c_0_;
};

Rates maximise(double x_1, double n_1, double x_0, double n_0, double d) {
  const double left = std::max(0.0, -d);
  const double right = std::min(1.0, 1.0 - d);
  const LikelihoodCubic cubic(x_1, n_1, x_0, n_0, d);
  const auto rates = [&](double p) { return Rates{std::clamp(p + d, 0.0, 1.0), p}; };

  // Where the count that bounds an end is zero the cubic vanishes there,
  // and the maximum may lie on the end.
  const bool left_free = (d < 0.0 || x_0 == 0.0) && (d > 0.0 || x_1 == 0.0);
  const bool right_free = (d > 0.0 || x_0 == n_0) && (d < 0.0 || x_1 == n_1);
  if (left_free && cubic.slope(left) <= 0.0) return rates(left);
  if (right_free && cubic.slope(right) <= 0.0) return rates(right);

  double low = left;
  double high = right;
  double p = std::clamp((x_1 + x_0 - n_1 * d) / (n_1 + n_0), low, high);
  if (p <= low || p >= high) p = 0.5 * (low + high);
  for (int step = 0; step < 100; ++step) {
    const double value = cubic.value(p);
    if (value == 0.0) break;
    (value > 0.0 ? low : high) = p;
    const double slope = cubic.slope(p);
    double next = slope < 0.0 ? p - value / slope : low;
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    const double moved = std::abs(next - p);
    p = next;
    if (moved <= 1e-15) break;
  }
  return rates(p);
}

}  // namespace

Rates restricted_by_difference(const TwoByTwo& table, double difference) {
  TRIALWRIGHT_EXPECT(table.n_1 > 0 && table.n_0 > 0 && std::abs(difference) < 1.0);
  return maximise(table.responders_1, table.n_1, table.responders_0, table.n_0, difference);
}

Rates restricted_by_difference(const Rates& observed, double n_1, double n_0, double difference) {
  TRIALWRIGHT_EXPECT(n_1 > 0.0 && n_0 > 0.0 && std::abs(difference) < 1.0);
  return maximise(observed.rate_1 * n_1, n_1, observed.rate_0 * n_0, n_0, difference);
}

Rates restricted_by_ratio(const TwoByTwo& table, double ratio) {
  const double n_1 = table.n_1, n_0 = table.n_0;
  const double responders = table.responders_1 + table.responders_0;
  const double a = (n_1 + n_0) * ratio;
  const double b = n_1 * ratio + table.responders_1 + n_0 + table.responders_0 * ratio;
  const double root = std::sqrt(std::max(0.0, b * b - 4.0 * a * responders));
  const double rate_0 = std::min(1.0, 2.0 * responders / (b + root));
  return {std::min(1.0, ratio * rate_0), rate_0};
}

Rates restricted_by_odds_ratio(const TwoByTwo& table, double ratio) {
  const double n_1 = table.n_1, n_0 = table.n_0;
  const double responders = table.responders_1 + table.responders_0;
  const double a = n_0 * (ratio - 1.0);
  const double b = n_1 * ratio + n_0 - responders * (ratio - 1.0);
  const double root = std::sqrt(std::max(0.0, b * b + 4.0 * a * responders));
  const double rate_0 =
      std::clamp(b > 0.0 ? 2.0 * responders / (b + root) : (root - b) / (2.0 * a), 0.0, 1.0);
  return {ratio * rate_0 / (1.0 + rate_0 * (ratio - 1.0)), rate_0};
}

}  // namespace trialwright::analysis
