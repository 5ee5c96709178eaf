// Vector functions for kernels, compiled anew for each instruction set: normal, uniform, exponential
// and logarithm in single precision, each with the bits of its scalar twin.
//
// To be included after hwy/highway.h by a kernel file that begins with rng/vector_targets.hpp, and used
// from within HWY_BEFORE_NAMESPACE, where its functions are trialwright::rng::HWY_NAMESPACE::vector_…

// In place of #pragma once: Highway's toggle, so that every pass of foreach_target.h includes it once.
#if defined(TRIALWRIGHT_RNG_VECTOR_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TRIALWRIGHT_RNG_VECTOR_INL_HPP
#undef TRIALWRIGHT_RNG_VECTOR_INL_HPP
#else
#define TRIALWRIGHT_RNG_VECTOR_INL_HPP
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "math/elementary_float.hpp"
#include "rng/batch.hpp"
#include "rng/normal_coefficients.hpp"

HWY_BEFORE_NAMESPACE();
namespace trialwright::rng::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// The words of a vector of floats.
template <class D>
using WordsOf = hn::Vec<hn::RebindToUnsigned<D>>;

// Twin: uniform_of_word.
template <class D>
HWY_INLINE hn::Vec<D> vector_uniform(D d, WordsOf<D> words) {
  const hn::RebindToSigned<D> di;
  const auto high = hn::ConvertTo(d, hn::BitCast(di, hn::ShiftRight<9>(words)));
  return hn::Mul(hn::Add(high, hn::Set(d, 0.5f)), hn::Set(d, 0x1p-23f));
}

#if HWY_TARGET == HWY_SCALAR

template <class D>
HWY_INLINE hn::Vec<D> vector_normal(D d, WordsOf<D> words) {
  return hn::Set(d, normal_of_word(hn::GetLane(words)));
}

#else

// How many octaves of the normal, from the centre out, have their coefficients in registers; the rarer
// are left to the scalar twin.
template <class D>
constexpr std::size_t n_octaves_at_hand() {
  return hn::MaxLanes(D()) < 8 ? 8 : hn::MaxLanes(D());
}

// The normals with those beyond the octaves at hand put right: 1 word in 256, or 65,536 on AVX-512.
template <class D>
HWY_NOINLINE hn::Vec<D> replace_rare_normals(D d, WordsOf<D> words, hn::Vec<D> normals) {
  constexpr std::size_t n_lanes = hn::MaxLanes(D());
  constexpr std::uint32_t rare_below = std::uint32_t{1} << (31 - n_octaves_at_hand<D>());
  alignas(64) std::uint32_t word[n_lanes];
  alignas(64) float normal[n_lanes];
  hn::Store(words, hn::RebindToUnsigned<D>(), word);
  hn::Store(normals, d, normal);
  for (std::size_t i = 0; i < n_lanes; ++i)
    if (word[i] < rare_below || ~word[i] < rare_below) normal[i] = normal_of_word(word[i]);
  return hn::Load(d, normal);
}

// Twin: normal_of_word.
template <class D>
HWY_INLINE hn::Vec<D> vector_normal(D d, WordsOf<D> words) {
  constexpr std::size_t n_lanes = hn::MaxLanes(D());
  static_assert(n_lanes == 4 || n_lanes == 8 || n_lanes == 16);
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  const auto signed_words = hn::BitCast(di, words);
  const auto mirrored = hn::Xor(signed_words, hn::ShiftRight<31>(signed_words));
  const auto f = hn::Min(hn::Add(hn::ConvertTo(d, mirrored), hn::Set(d, 0.5f)),
                         hn::Set(d, k_largest_normal_argument));
  const auto bits = hn::BitCast(du, f);
  const auto octave = hn::Sub(hn::Set(du, 157), hn::ShiftRight<23>(bits));
  const auto mantissa =
      hn::BitCast(d, hn::Or(hn::And(bits, hn::Set(du, 0x007FFFFF)), hn::Set(du, 0x3F800000)));
  const auto distance = hn::Sub(hn::Set(d, 2.0f), mantissa);

  const auto lane = hn::IndicesFromVec(d, hn::And(octave, hn::Set(du, n_lanes - 1)));
  const auto in_second = hn::Lt(f, hn::Set(d, 0x1p27f));
  const auto coefficient = [&](std::size_t k) HWY_ATTR {
    const auto first = hn::TableLookupLanes(hn::Load(d, k_normal_coefficients[k]), lane);
    if constexpr (n_lanes > 4) {
      return first;
    } else {
      const auto second = hn::TableLookupLanes(hn::Load(d, k_normal_coefficients[k] + 4), lane);
      return hn::IfThenElse(in_second, second, first);
    }
  };
  auto sum = coefficient(k_normal_terms - 1);
  for (std::size_t k = k_normal_terms - 1; k-- > 0;)
    sum = hn::Add(hn::Mul(sum, distance), coefficient(k));

  const auto sign = hn::AndNot(hn::BitCast(d, words), hn::SignBit(d));
  const auto normals = hn::Or(sum, sign);
  const auto rare =
      hn::Lt(f, hn::Set(d, static_cast<float>(std::uint32_t{1} << (31 - n_octaves_at_hand<D>()))));
  if (HWY_LIKELY(hn::AllFalse(d, rare))) return normals;
  return replace_rare_normals(d, words, normals);
}

#endif

// Twin: math::exp_float.
template <class D>
HWY_INLINE hn::Vec<D> vector_exp(D d, hn::Vec<D> x) {
  using namespace math::detail;
  const hn::RebindToSigned<D> di;
  const auto inside =
      hn::Min(hn::Max(x, hn::Set(d, k_float_exp_lowest)), hn::Set(d, k_float_exp_highest));
  const auto shift = hn::Set(d, k_float_round_shift);
  const auto shifted = hn::Add(hn::Mul(inside, hn::Set(d, k_float_log2_e)), shift);
  const auto k = hn::Sub(shifted, shift);
  const auto r = hn::Sub(hn::Sub(inside, hn::Mul(k, hn::Set(d, k_float_ln2_high))),
                         hn::Mul(k, hn::Set(d, k_float_ln2_low)));
  auto sum = hn::Set(d, k_float_exp_terms[0]);
  for (int i = 1; i < 6; ++i) sum = hn::Add(hn::Mul(sum, r), hn::Set(d, k_float_exp_terms[i]));
  const auto value = hn::Add(hn::Add(hn::Mul(sum, hn::Mul(r, r)), r), hn::Set(d, 1.0f));
  return hn::BitCast(d, hn::Add(hn::BitCast(di, value), hn::ShiftLeft<23>(hn::BitCast(di, shifted))));
}

// Twin: math::log_float.
template <class D>
HWY_INLINE hn::Vec<D> vector_log(D d, hn::Vec<D> x) {
  using namespace math::detail;
  const hn::RebindToSigned<D> di;
  const auto bits = hn::BitCast(di, x);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, k_float_root_half_bits)));
  const auto k = hn::ConvertTo(d, exponent);
  const auto f = hn::Sub(hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent))), hn::Set(d, 1.0f));
  const auto square = hn::Mul(f, f);
  auto sum = hn::Set(d, k_float_log_terms[0]);
  for (int i = 1; i < 9; ++i) sum = hn::Add(hn::Mul(sum, f), hn::Set(d, k_float_log_terms[i]));
  const auto small =
      hn::Sub(hn::Add(hn::Mul(sum, hn::Mul(f, square)), hn::Mul(k, hn::Set(d, k_float_ln2_low))),
              hn::Mul(hn::Set(d, 0.5f), square));
  return hn::Add(hn::Add(f, small), hn::Mul(k, hn::Set(d, k_float_ln2_high)));
}

}  // namespace trialwright::rng::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
