#include "rng/batch.hpp"

#include "rng/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "rng/batch.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <bit>
#include <cstring>

#include "base/contract.hpp"
#include "rng/philox_inl.hpp"
#include "rng/vector_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace trialwright::rng::HWY_NAMESPACE {

// out[i] = f(in[i]): whole vectors, the last one again where it overlaps the one before.
template <class Function>
HWY_INLINE void transform_words(const std::uint32_t* HWY_RESTRICT in, std::size_t n,
                                float* HWY_RESTRICT out, Function f) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  constexpr std::size_t n_lanes = hn::MaxLanes(d);
  if (n < n_lanes) {
    alignas(64) std::uint32_t words[n_lanes];
    alignas(64) float values[n_lanes];
    // Zero words would be the rarest normals, which take longer.
    for (std::uint32_t& word : words) word = 0x40000000u;
    std::memcpy(words, in, n * sizeof(words[0]));
    hn::Store(f(d, hn::Load(du, words)), d, values);
    std::memcpy(out, values, n * sizeof(values[0]));
    return;
  }
  std::size_t i = 0;
  for (; i + n_lanes <= n; i += n_lanes) hn::StoreU(f(d, hn::LoadU(du, in + i)), d, out + i);
  if (i == n) return;
  i = n - n_lanes;
  hn::StoreU(f(d, hn::LoadU(du, in + i)), d, out + i);
}

void fill_uniforms(const std::uint32_t* words, std::size_t n, float* out) {
  transform_words(words, n, out, [](auto d, auto w) HWY_ATTR { return vector_uniform(d, w); });
}

void fill_normals(const std::uint32_t* words, std::size_t n, float* out) {
  transform_words(words, n, out, [](auto d, auto w) HWY_ATTR { return vector_normal(d, w); });
}

}  // namespace trialwright::rng::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trialwright::rng {

namespace {

HWY_EXPORT(fill_unit_words);
HWY_EXPORT(fill_trial_words);
HWY_EXPORT(fill_uniforms);
HWY_EXPORT(fill_normals);

}  // namespace

void fill_words(const Address& first, std::uint32_t block, std::size_t n, const WordColumns& out) {
  HWY_DYNAMIC_DISPATCH(fill_unit_words)(first.counter(block), first.key, n, out);
}

void fill_words_of_trials(const Address& first, std::uint32_t block, std::size_t n,
                          const WordColumns& out) {
  Address address = first;
  WordColumns rest = out;
  // The kernel varies the low word of the trial's number alone, so it stops where that carries.
  while (n > 0) {
    const std::uint64_t to_carry = (std::uint64_t{1} << 32) - (address.trial & 0xFFFFFFFFu);
    const std::size_t here = n < to_carry ? n : static_cast<std::size_t>(to_carry);
    HWY_DYNAMIC_DISPATCH(fill_trial_words)(address.counter(block), address.key, here, rest);
    for (std::uint32_t*& column : rest)
      if (column != nullptr) column += here;
    address.trial += here;
    n -= here;
  }
}

void uniforms_of_words(std::span<const std::uint32_t> words, std::span<float> out) {
  TRIALWRIGHT_EXPECT(words.size() == out.size());
  HWY_DYNAMIC_DISPATCH(fill_uniforms)(words.data(), words.size(), out.data());
}

float normal_of_word(std::uint32_t word) {
  const auto mirrored = static_cast<std::int32_t>(word >> 31 ? ~word : word);
  const float unclamped = static_cast<float>(mirrored) + 0.5f;
  const float f = unclamped < k_largest_normal_argument ? unclamped : k_largest_normal_argument;
  const auto bits = std::bit_cast<std::uint32_t>(f);
  const std::size_t octave = 157 - (bits >> 23);
  const float distance = 2.0f - std::bit_cast<float>((bits & 0x007FFFFF) | 0x3F800000);
  float sum = k_normal_coefficients[k_normal_terms - 1][octave];
  for (std::size_t k = k_normal_terms - 1; k-- > 0;)
    sum = sum * distance + k_normal_coefficients[k][octave];
  return word >> 31 ? sum : -sum;
}

void normals_of_words(std::span<const std::uint32_t> words, std::span<float> out) {
  TRIALWRIGHT_EXPECT(words.size() == out.size());
  HWY_DYNAMIC_DISPATCH(fill_normals)(words.data(), words.size(), out.data());
}

}  // namespace trialwright::rng
#endif
