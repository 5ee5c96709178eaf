#include <algorithm>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/elementary_float.hpp"
#include "patient/course_kernels.hpp"

namespace trialwright::patient {

namespace {

// The zeros of the fourth Chebyshev polynomial: cos(pi/8), cos(3 pi/8).
constexpr double k_outer = 0.92387953251128674, k_inner = 0.38268343236508977;
// Adding it rounds to a whole number, ties to even.
constexpr float k_round_shift = 0x1.8p23f;
constexpr double k_largest_per_unit = 0x1p20, k_largest_whole = 0x1p26;

}  // namespace

std::vector<double> CellGrid::nodes() const {
  std::vector<double> result;
  const double half = 0.5 / per_unit;
  for (int k = -reach; k <= reach; ++k)
    for (const double at : {-k_outer, -k_inner, k_inner, k_outer})
      result.push_back(static_cast<double>(k) / per_unit + half * at);
  return result;
}

void SingleTable::add(std::span<const double> values) {
  TRIALWRIGHT_EXPECT(values.size() == 4 * static_cast<std::size_t>(cells_.n_cells()));
  const double half = 0.5 / cells_.per_unit, a = half * k_outer, b = half * k_inner;
  const double apart = a * a - b * b;
  for (std::size_t i = 0; i < values.size(); i += 4) {
    // The even and odd parts of the cubic through the four values.
    const double even_a = 0.5 * (values[i + 3] + values[i]),
                 even_b = 0.5 * (values[i + 2] + values[i + 1]);
    const double odd_a = (values[i + 3] - values[i]) / (2 * a),
                 odd_b = (values[i + 2] - values[i + 1]) / (2 * b);
    const double c2 = (even_a - even_b) / apart, c3 = (odd_a - odd_b) / apart;
    for (const double c : {even_b - c2 * (b * b), odd_b - c3 * (b * b), c2, c3})
      rows_.push_back(static_cast<float>(c));
  }
}

float SingleTable::operator()(std::size_t i, float v) const {
  const auto per_unit = static_cast<float>(cells_.per_unit);
  const float reach = static_cast<float>(cells_.reach) / per_unit;
  const float held = std::min(std::max(v, -reach), reach);
  const float whole = (held * per_unit + k_round_shift) - k_round_shift;
  const float delta = held - whole * (1.0f / per_unit);
  const auto row = i * static_cast<std::size_t>(cells_.n_cells()) +
                   static_cast<std::size_t>(static_cast<int>(whole) + cells_.reach);
  const float* c = rows_.data() + 4 * row;
  return c[0] + delta * (c[1] + delta * (c[2] + delta * c[3]));
}

float normal_log_odds(float z) {
  const float square = z * z;
  float numerator = k_odds_numerator[0], denominator = k_odds_denominator[0];
  for (int i = 1; i < 5; ++i) numerator = numerator * square + k_odds_numerator[i];
  for (int i = 1; i < 4; ++i) denominator = denominator * square + k_odds_denominator[i];
  return z * numerator / denominator;
}

float raise(float exponent, float x) {
  return x >= 1e-37f ? math::exp_float(exponent * math::log_float(x)) : 0.0f;
}

ScoreScale::ScoreScale(double per_unit, double maximum) : maximum_(maximum) {
  if (!(per_unit > 0) || per_unit > k_largest_per_unit || !(maximum * per_unit < k_largest_whole))
    return;
  per_unit_ = per_unit;
  // The leading 26 bits: their product with a whole number below 2^26 is exact, and what the sum of
  // both products is rounded from is nearer to k / per_unit than any tie can be.
  inverse_high_ = math::detail::upper_half(1 / per_unit);
  inverse_low_ = (1 - per_unit * inverse_high_) / per_unit;
}

float hazard_left(float left, float intercept, float slope, float previous) {
  return left - math::exp_float(intercept + slope * previous);
}

float odds_grown(float grown, float intercept, float slope, float previous, float periods) {
  const float odds = math::exp_float(intercept + slope * previous);
  if (is_few(periods)) {
    for (float k = 0; k < periods; ++k) grown = grown + odds * (1.0f + grown);
    return grown;
  }
  const float factor = 1.0f + odds;
  const float lost = factor < 1.5f ? (odds - (factor - 1.0f)) * (2.0f - factor) : 0.0f;
  const float log_growth = periods * (math::log_float(factor) + lost);
  float sum = math::detail::k_float_exp_terms[0];
  for (int i = 1; i < 6; ++i) sum = sum * log_growth + math::detail::k_float_exp_terms[i];
  const float growth = log_growth < k_small_exponent ? sum * (log_growth * log_growth) + log_growth
                                                     : math::exp_float(log_growth) - 1.0f;
  return grown + growth * (1.0f + grown);
}

}  // namespace trialwright::patient
