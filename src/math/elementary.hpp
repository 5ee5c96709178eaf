// Elementary functions made of + - * / and bit operations alone, so that their bits are the same on
// every machine, compiler flag and instruction set; straight-line code, ready to become vector kernels.
//
// Errors are the largest found against long double libm over millions of points, in units in the last
// place of the result (tests/unit/math/elementary.test.cpp holds the code to them).
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace trialwright::math {

namespace detail {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
// ln 2 in two parts, the first with 32 trailing zero bits, so that its product
// with an exponent is exact.
constexpr double k_ln2_high = 6.93147180369123816490e-01;
constexpr double k_ln2_low = 1.90821492927058770002e-10;
constexpr double k_log2_e = 1.44269504088896338700;
constexpr double k_round_shift = 0x1.8p52;

struct DoubleDouble {
  double high;
  double low;
};

// high + low == a + b exactly, where |a| >= |b| or a == 0.
constexpr DoubleDouble fast_two_sum(double a, double b) {
  const double sum = a + b;
  return {sum, b - (sum - a)};
}

// The leading 26 significant bits, so that a product of two such numbers is exact.
constexpr double upper_half(double x) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & 0xFFFFFFFFF8000000u);
}

// high + low == a * b exactly (Dekker 1971), barring overflow and underflow.
constexpr DoubleDouble two_product(double a, double b) {
  const double a_high = upper_half(a), a_low = a - a_high;
  const double b_high = upper_half(b), b_low = b - b_high;
  const double product = a * b;
  return {product, ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

// 2^k for -1022 <= k <= 1023.
constexpr double power_of_two(std::int64_t k) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

// x * 2^k for |k| <= 2044, rounded once also where the result is subnormal.
constexpr double scale(double x, std::int64_t k) {
  const std::int64_t half = k >> 1;
  return x * power_of_two(half) * power_of_two(k - half);
}

// x = k ln 2 + high - low with |high - low| <= ln(2)/2, for |x| <= 1000.
struct ReducedExponent {
  std::int64_t k;
  double high;
  double low;
};

constexpr ReducedExponent reduce_exponent(double x) {
  const double shifted = x * k_log2_e + k_round_shift;
  const double k = shifted - k_round_shift;
  const auto bits = std::bit_cast<std::uint64_t>(shifted) - std::bit_cast<std::uint64_t>(k_round_shift);
  return {static_cast<std::int64_t>(bits << 12) >> 12, x - k * k_ln2_high, k * k_ln2_low};
}

// (exp(r) - 1 - r) for |r| <= ln(2)/2: Taylor's series to r^13, whose remainder is below 5e-18.
constexpr double exp_remainder(double r) {
  const double r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
  const double a = (1.0 / 2 + r * (1.0 / 6)) + r2 * (1.0 / 24 + r * (1.0 / 120));
  const double b = (1.0 / 720 + r * (1.0 / 5040)) + r2 * (1.0 / 40320 + r * (1.0 / 362880));
  const double c =
      (1.0 / 3628800 + r * (1.0 / 39916800)) + r2 * (1.0 / 479001600 + r * (1.0 / 6227020800));
  return r2 * (a + r4 * b + r8 * c);
}

constexpr double clamp_exponent(double x, double lowest) {
  const double below = x > 710.0 ? 710.0 : x;
  return below < lowest ? lowest : below;
}

// x = m 2^k with sqrt(1/2) <= m < sqrt(2), for finite x > 0.
struct Decomposed {
  double k;
  double mantissa;
};

constexpr Decomposed decompose(double x) {
  const bool subnormal = x < std::numeric_limits<double>::min();
  const auto bits = std::bit_cast<std::uint64_t>(subnormal ? x * 0x1p54 : x);
  const auto k = static_cast<std::int64_t>(bits - 0x3FE6A09E667F3BCDu) >> 52;
  return {static_cast<double>(k) - (subnormal ? 54.0 : 0.0),
          std::bit_cast<double>(bits - (static_cast<std::uint64_t>(k) << 52))};
}

// log(x) for finite x > 0; the polynomial is that of FDLIBM's e_log.c (Sun Microsystems 1993).
constexpr double log_of_positive(double x) {
  const Decomposed d = decompose(x);
  const double f = d.mantissa - 1.0;
  const double s = f / (2.0 + f);
  const double z = s * s, w = z * z;
  const double odd =
      w * (3.999999999940941908e-01 + w * (2.222219843214978396e-01 + w * 1.531383769920937332e-01));
  const double even =
      z *
      (6.666666666666735130e-01 +
       w * (2.857142874366239149e-01 + w * (1.818357216161805012e-01 + w * 1.479819860511658591e-01)));
  const double half_square = 0.5 * f * f;
  return d.k * k_ln2_high - ((half_square - (s * (half_square + (odd + even)) + d.k * k_ln2_low)) - f);
}

// log(x) to about 2^-57 relative, as an unevaluated sum, for finite x > 0: 2 artanh(s), s = f/(2 + f).
constexpr DoubleDouble log_extended(double x) {
  const Decomposed d = decompose(x);
  const double f = d.mantissa - 1.0;
  const DoubleDouble divisor = fast_two_sum(2.0, f);
  const double inverse = 1.0 / divisor.high;
  const double s = f * inverse;
  const DoubleDouble product = two_product(s, divisor.high);
  const double s_low = (((f - product.high) - product.low) - s * divisor.low) * inverse;
  const double z = s * s, z2 = z * z, z4 = z2 * z2;
  const double a = (2.0 / 3 + z * (2.0 / 5)) + z2 * (2.0 / 7 + z * (2.0 / 9));
  const double b = (2.0 / 11 + z * (2.0 / 13)) + z2 * (2.0 / 15 + z * (2.0 / 17));
  const double c = (2.0 / 19 + z * (2.0 / 21)) + z2 * (2.0 / 23 + z * (2.0 / 25));
  const double tail = s * (z * (a + z4 * (b + z4 * c)));
  const DoubleDouble sum = fast_two_sum(d.k * k_ln2_high, 2.0 * s);
  return fast_two_sum(sum.high, sum.low + (d.k * k_ln2_low + (2.0 * s_low + tail)));
}

}  // namespace detail

// |x|, as std::abs, usable in constant expressions.
constexpr double absolute(double x) {
  return std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) & 0x7FFFFFFFFFFFFFFFu);
}

// e^x; below 0.9 ulp. 0 below -745.14, infinity above 709.79.
constexpr double exp(double x) {
  const auto [k, high, low] = detail::reduce_exponent(detail::clamp_exponent(x, -746.0));
  return detail::scale(1.0 + (high + (detail::exp_remainder(high - low) - low)), k);
}

// e^x - 1; below 1.9 ulp.
constexpr double expm1(double x) {
  const auto [k, high, low] = detail::reduce_exponent(detail::clamp_exponent(x, -60.0));
  const double fraction = high + (detail::exp_remainder(high - low) - low);
  return detail::scale(fraction + (1.0 - detail::scale(1.0, -k)), k);
}

// Natural logarithm; below 0.9 ulp. -infinity at 0, NaN below.
constexpr double log(double x) {
  const double value = detail::log_of_positive(x);
  const double at_edge = x == 0.0 ? -detail::k_infinity : (x > 0.0 ? x : detail::k_nan);
  return x > 0.0 && x < detail::k_infinity ? value : at_edge;
}

// log(1 + x); below 1.5 ulp. -infinity at -1, NaN below.
constexpr double log1p(double x) {
  const double u = 1.0 + x;
  const double value = detail::log_of_positive(u) + (x - (u - 1.0)) / u;
  const double at_edge = x == -1.0 ? -detail::k_infinity : (x > -1.0 ? x : detail::k_nan);
  return x > -1.0 && x < detail::k_infinity ? value : at_edge;
}

// x^y for x >= 0; below 1 ulp where |y log x| <= 4, below 4 ulp where |y log x| <= 50 and
// 50 ulp to the ends of the range. x^0 = 1, also of 0 and NaN; 0^y is 0 for y > 0 and infinity
// for y < 0; NaN where x < 0.
constexpr double pow(double x, double y) {
  const bool regular = x > 0.0 && x < detail::k_infinity;
  const auto [log_high, log_low] = detail::log_extended(regular ? x : 1.0);
  const double leading = y * log_high;
  const bool beyond = !(absolute(leading) < 800.0);
  const auto [product, product_low] = detail::two_product(beyond ? 0.0 : y, log_high);
  const double exponent = detail::clamp_exponent(beyond ? leading : product, -746.0);
  const double correction = beyond ? 0.0 : product_low + y * log_low;
  const auto [k, high, low_part] = detail::reduce_exponent(exponent);
  const double low = low_part - correction;
  const double value = detail::scale(1.0 + (high + (detail::exp_remainder(high - low) - low)), k);
  const bool to_zero = (x == 0.0) == (y > 0.0);
  const double at_edge = x >= 0.0 && y == y ? (to_zero ? 0.0 : detail::k_infinity) : detail::k_nan;
  return y == 0.0 || x == 1.0 ? 1.0 : (regular ? value : at_edge);
}

// 1 / (1 + e^-x), with full relative accuracy in the lower tail; below 2.4 ulp.
constexpr double logistic(double x) {
  const double e = exp(-absolute(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

// log(p / (1 - p)), the inverse of logistic, with full relative accuracy about 1/2; below 3.8 ulp.
// Infinite at 0 and 1, NaN outside.
constexpr double logit(double p) {
  const double q = 1.0 - p;
  const double odds = p / q;
  const double excess = (2.0 * p - 1.0) / q;
  const bool central = absolute(p - 0.5) < 0.25;
  const double value = detail::log_of_positive(odds) + (central ? (excess - (odds - 1.0)) / odds : 0.0);
  const double at_edge =
      p == 0.0 ? -detail::k_infinity : (p == 1.0 ? detail::k_infinity : detail::k_nan);
  return p > 0.0 && p < 1.0 ? value : at_edge;
}

}  // namespace trialwright::math
