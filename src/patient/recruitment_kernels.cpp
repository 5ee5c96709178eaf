#include "patient/recruitment_kernels.hpp"

#include <algorithm>

#include "base/contract.hpp"
#include "rng/vector_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "patient/recruitment_kernels.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "rng/vector_inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace trialwright::patient::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
namespace vectors = rng::HWY_NAMESPACE;

// f(i) for i in steps of n_lanes up to n >= n_lanes, the last step back to overlap the one before.
template <class Function>
HWY_INLINE void by_vectors(std::size_t n, std::size_t n_lanes, Function f) {
  for (std::size_t i = 0; i + n_lanes <= n; i += n_lanes) f(i);
  if (n % n_lanes != 0) f(n - n_lanes);
}

void fill_waitings(const std::uint32_t* HWY_RESTRICT words, std::size_t n, float* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  by_vectors(n, hn::Lanes(d), [&](std::size_t i) HWY_ATTR {
    const auto u = vectors::vector_uniform(d, hn::LoadU(du, words + i));
    hn::StoreU(hn::Neg(vectors::vector_log(d, u)), d, out + i);
  });
}

void fill_site_places(const std::uint32_t* HWY_RESTRICT words, const float* HWY_RESTRICT rates,
                      std::size_t n, const float* HWY_RESTRICT rate_sums, std::size_t n_sites,
                      std::int32_t* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto one = hn::Set(d, 1.0f);
  by_vectors(n, hn::Lanes(d), [&](std::size_t i) HWY_ATTR {
    const auto u = vectors::vector_uniform(d, hn::LoadU(du, words + i));
    const auto at = hn::Mul(u, hn::LoadU(d, rates + i));
    auto count = hn::Zero(d);
    for (std::size_t site = 0; site + 1 < n_sites; ++site)
      count = hn::Add(count, hn::IfThenElseZero(hn::Ge(at, hn::Set(d, rate_sums[site])), one));
    hn::StoreU(hn::ConvertTo(di, count), di, out + i);
  });
}

}  // namespace trialwright::patient::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trialwright::patient {

namespace {

HWY_EXPORT(fill_waitings);
HWY_EXPORT(fill_site_places);

// So few that a vector may be longer are left to the twins.
constexpr std::size_t k_shortest = 16;
// Beyond some tens of sites a search by halves is the quicker.
constexpr std::size_t k_most_compared = 64;

}  // namespace

void waitings_of_words(std::span<const std::uint32_t> words, std::span<float> out) {
  TRIALWRIGHT_EXPECT(words.size() == out.size());
  if (words.size() >= k_shortest) {
    HWY_DYNAMIC_DISPATCH(fill_waitings)(words.data(), words.size(), out.data());
    return;
  }
  std::transform(words.begin(), words.end(), out.begin(), waiting_of_word);
}

int site_place_of_word(std::uint32_t word, float rate, std::span<const float> rate_sums) {
  return static_cast<int>(
      std::upper_bound(rate_sums.begin(), rate_sums.end() - 1, rng::uniform_of_word(word) * rate) -
      rate_sums.begin());
}

void site_places_of_words(std::span<const std::uint32_t> words, std::span<const float> rates,
                          std::span<const float> rate_sums, std::span<int> out) {
  TRIALWRIGHT_EXPECT(words.size() == out.size() && words.size() == rates.size());
  TRIALWRIGHT_EXPECT(!rate_sums.empty());
  if (words.size() >= k_shortest && rate_sums.size() <= k_most_compared) {
    HWY_DYNAMIC_DISPATCH(fill_site_places)
    (words.data(), rates.data(), words.size(), rate_sums.data(), rate_sums.size(), out.data());
    return;
  }
  for (std::size_t i = 0; i < words.size(); ++i)
    out[i] = site_place_of_word(words[i], rates[i], rate_sums);
}

}  // namespace trialwright::patient
#endif
