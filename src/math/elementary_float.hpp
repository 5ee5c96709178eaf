// Exponential and logarithm in single precision, made of + - * and bit operations alone: the scalar
// twins of vector_exp and vector_log in rng/vector_inl.hpp, with the same bits.
#pragma once

#include <bit>
#include <cstdint>

namespace trialwright::math {

namespace detail {

// ln 2 in two parts, the first with 9 significant bits, so that its product with an exponent is exact.
inline constexpr float k_float_ln2_high = 0.693359375f;
inline constexpr float k_float_ln2_low = -2.12194440e-4f;
inline constexpr float k_float_log2_e = 1.44269504f;
inline constexpr float k_float_round_shift = 0x1.8p23f;
inline constexpr float k_float_exp_lowest = -86.0f;
inline constexpr float k_float_exp_highest = 88.0f;
inline constexpr std::int32_t k_float_root_half_bits = 0x3F3504F3;

// The polynomials of Cephes' expf and logf (Moshier 1989), highest power first.
inline constexpr float k_float_exp_terms[] = {1.9875691500e-4f, 1.3981999507e-3f, 8.3334519073e-3f,
                                              4.1665795894e-2f, 1.6666665459e-1f, 5.0000001201e-1f};
inline constexpr float k_float_log_terms[] = {7.0376836292e-2f,  -1.1514610310e-1f, 1.1676998740e-1f,
                                              -1.2420140846e-1f, 1.4249322787e-1f,  -1.6668057665e-1f,
                                              2.0000714765e-1f,  -2.4999993993e-1f, 3.3333331174e-1f};

}  // namespace detail

// e^x for x in [-86, 88], and the value at the nearer end outside; relative error below 1e-7.
constexpr float exp_float(float x) {
  using namespace detail;
  const float above = x < k_float_exp_lowest ? k_float_exp_lowest : x;
  const float inside = above > k_float_exp_highest ? k_float_exp_highest : above;
  const float shifted = inside * k_float_log2_e + k_float_round_shift;
  const float k = shifted - k_float_round_shift;
  const float r = (inside - k * k_float_ln2_high) - k * k_float_ln2_low;
  float sum = k_float_exp_terms[0];
  for (int i = 1; i < 6; ++i) sum = sum * r + k_float_exp_terms[i];
  const float value = (sum * (r * r) + r) + 1.0f;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) +
                              (std::bit_cast<std::uint32_t>(shifted) << 23));
}

// Natural logarithm of a normal, finite x > 0; relative error below 1e-7.
constexpr float log_float(float x) {
  using namespace detail;
  const auto bits = std::bit_cast<std::int32_t>(x);
  const std::int32_t exponent = (bits - k_float_root_half_bits) >> 23;
  const float k = static_cast<float>(exponent);
  const float f = std::bit_cast<float>(bits - (exponent << 23)) - 1.0f;
  const float square = f * f;
  float sum = k_float_log_terms[0];
  for (int i = 1; i < 9; ++i) sum = sum * f + k_float_log_terms[i];
  const float small = (sum * (f * square) + k * k_float_ln2_low) - 0.5f * square;
  return (f + small) + k * k_float_ln2_high;
}

}  // namespace trialwright::math
