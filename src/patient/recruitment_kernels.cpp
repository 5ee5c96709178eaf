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

// Both return for how many words, from the first on, the work is done: whole vectors only.

std::size_t fill_waitings(const std::uint32_t* HWY_RESTRICT words, std::size_t n,
                          float* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const std::size_t lanes = hn::Lanes(d), n_whole = n - n % lanes;
  for (std::size_t i = 0; i < n_whole; i += lanes)
    hn::StoreU(hn::Neg(vectors::vector_log(d, vectors::vector_uniform(d, hn::LoadU(du, words + i)))), d,
               out + i);
  return n_whole;
}

std::size_t fill_open_sites(const std::uint32_t* HWY_RESTRICT words, std::size_t n,
                            const float* HWY_RESTRICT rate_sums, std::size_t n_open,
                            std::int32_t* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::RebindToUnsigned<decltype(d)> du;
  const std::size_t lanes = hn::Lanes(d), n_whole = n - n % lanes;
  const auto rate = hn::Set(d, rate_sums[n_open - 1]), one = hn::Set(d, 1.0f);
  for (std::size_t i = 0; i < n_whole; i += lanes) {
    const auto place = hn::Mul(vectors::vector_uniform(d, hn::LoadU(du, words + i)), rate);
    auto count = hn::Zero(d);
    for (std::size_t site = 0; site + 1 < n_open; ++site)
      count = hn::Add(count, hn::IfThenElseZero(hn::Ge(place, hn::Set(d, rate_sums[site])), one));
    hn::StoreU(hn::ConvertTo(di, count), di, out + i);
  }
  return n_whole;
}

}  // namespace trialwright::patient::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace trialwright::patient {

namespace {

HWY_EXPORT(fill_waitings);
HWY_EXPORT(fill_open_sites);

}  // namespace

void waitings_of_words(std::span<const std::uint32_t> words, std::span<float> out) {
  TRIALWRIGHT_EXPECT(words.size() == out.size());
  for (std::size_t i = HWY_DYNAMIC_DISPATCH(fill_waitings)(words.data(), words.size(), out.data());
       i < words.size(); ++i)
    out[i] = waiting_of_word(words[i]);
}

int open_site_of_word(std::uint32_t word, std::span<const float> rate_sums) {
  const float place = rng::uniform_of_word(word) * rate_sums.back();
  return static_cast<int>(std::upper_bound(rate_sums.begin(), rate_sums.end() - 1, place) -
                          rate_sums.begin());
}

void open_sites_of_words(std::span<const std::uint32_t> words, std::span<const float> rate_sums,
                         std::span<int> out) {
  TRIALWRIGHT_EXPECT(words.size() == out.size() && !rate_sums.empty());
  // Beyond some tens of sites a search by halves is the quicker.
  constexpr std::size_t k_most_compared = 64;
  std::size_t i = 0;
  if (rate_sums.size() <= k_most_compared)
    i = HWY_DYNAMIC_DISPATCH(fill_open_sites)(words.data(), words.size(), rate_sums.data(),
                                              rate_sums.size(), out.data());
  for (; i < words.size(); ++i) out[i] = open_site_of_word(words[i], rate_sums);
}

}  // namespace trialwright::patient
#endif
