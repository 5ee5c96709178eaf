#include "math/cubic_table.hpp"

#include <array>
#include <bit>
#include <cstdint>

namespace trialwright::math {

namespace {

// Row j: sixty times the weights of the derivative at point j of the polynomial through points
// 0 .. 6 at unit distance (Fornberg 1988, "Generation of finite difference formulas on arbitrarily
// spaced grids").
constexpr std::array<std::array<double, 7>, 7> k_derivative_weights = {
    {{-147, 360, -450, 400, -225, 72, -10},
     {-10, -77, 150, -100, 50, -15, 2},
     {2, -24, -35, 80, -30, 8, -1},
     {-1, 9, -45, 0, 45, -9, 1},
     {1, -8, 30, -80, 35, 24, -2},
     {-2, 15, -50, 100, -150, 77, 10},
     {10, -72, 225, -400, 450, -360, 147}}};

double difference_slope(std::span<const double> values, std::size_t i) {
  const std::size_t first = std::min(i < 3 ? 0 : i - 3, values.size() - 7);
  const auto& weights = k_derivative_weights[i - first];
  double sum = 0;
  for (std::size_t j = 0; j < weights.size(); ++j) sum += weights[j] * values[first + j];
  return sum / 60.0;
}

}  // namespace

double round_to_bits(double x, int bits) {
  TRIALWRIGHT_EXPECT(bits >= 2 && bits <= 53);
  auto word = std::bit_cast<std::uint64_t>(x);
  constexpr std::uint64_t k_exponent = 0x7FF0000000000000u;
  if (bits == 53 || (word & k_exponent) == k_exponent) return x;
  const std::uint64_t unit = std::uint64_t{1} << (53 - bits);
  // A carry out of the fraction rightly raises the exponent.
  const std::uint64_t odd = (word & unit) / unit;
  word += unit / 2 - 1 + odd;
  return std::bit_cast<double>(word & ~(unit - 1));
}

void CubicTable::build(std::span<const double> values, std::span<const double> slopes, double lo,
                       double hi) {
  const std::size_t n = values.size();
  TRIALWRIGHT_EXPECT(n >= (slopes.empty() ? 7u : 2u));
  TRIALWRIGHT_EXPECT(lo < hi);
  const double width = (hi - lo) / static_cast<double>(n - 1);
  std::vector<double> rounded(n), rises(n);
  for (std::size_t i = 0; i < n; ++i) rounded[i] = round_to_bits(values[i], k_knot_bits);
  for (std::size_t i = 0; i < n; ++i)
    rises[i] =
        slopes.empty() ? difference_slope(rounded, i) : round_to_bits(slopes[i], k_knot_bits) * width;
  lo_ = lo;
  hi_ = hi;
  per_width_ = static_cast<double>(n - 1) / (hi - lo);
  last_position_ = static_cast<double>(n - 1);
  cells_.resize(n - 1);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const double step = rounded[i + 1] - rounded[i];
    cells_[i] = {rounded[i], rises[i], 3.0 * step - 2.0 * rises[i] - rises[i + 1],
                 rises[i] + rises[i + 1] - 2.0 * step};
  }
}

}  // namespace trialwright::math
