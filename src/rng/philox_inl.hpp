// Philox4x32-10 by the vector, compiled anew for each instruction set: columns of words over units or
// over trials. Twin: philox4x32_10.
//
// A 32-bit counter word stands in the low half of a 64-bit lane, so that one multiplication gives both
// halves of the product; what is left in the high half is never read. A vector of even and a vector of
// odd places are worked on side by side and interleaved when stored.

// In place of #pragma once: Highway's toggle, so that every pass of foreach_target.h includes it once.
#if defined(TRIALWRIGHT_RNG_PHILOX_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef TRIALWRIGHT_RNG_PHILOX_INL_HPP
#undef TRIALWRIGHT_RNG_PHILOX_INL_HPP
#else
#define TRIALWRIGHT_RNG_PHILOX_INL_HPP
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "rng/batch.hpp"
#include "rng/philox.hpp"

HWY_BEFORE_NAMESPACE();
namespace trialwright::rng::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

template <std::size_t varying>
void fill_scalar_words(Counter counter, Key key, std::size_t n, const WordColumns& out) {
  for (std::size_t i = 0; i < n; ++i, ++counter[varying]) {
    const Counter words = philox4x32_10(counter, key);
    for (std::size_t k = 0; k < 4; ++k)
      if (out[k] != nullptr) out[k][i] = words[k];
  }
}

inline void fill_unit_words(Counter counter, Key key, std::size_t n, const WordColumns& out) {
  fill_scalar_words<1>(counter, key, n, out);
}

inline void fill_trial_words(Counter counter, Key key, std::size_t n, const WordColumns& out) {
  fill_scalar_words<2>(counter, key, n, out);
}

#else

using Lanes64 = hn::ScalableTag<std::uint64_t>;
using Lanes32 = hn::Repartition<std::uint32_t, Lanes64>;
using Words = hn::Vec<Lanes64>;
constexpr std::size_t k_places = hn::MaxLanes(Lanes32());

struct Block {
  Words word[4];
};

// The keys of the ten rounds.
struct Schedule {
  std::uint64_t key[10][2];

  explicit Schedule(Key first) {
    for (auto& round : key) {
      round[0] = first[0];
      round[1] = first[1];
      first = {first[0] + k_philox_weyl_0, first[1] + k_philox_weyl_1};
    }
  }
};

HWY_INLINE Words broadcast(std::uint64_t word) {
  return hn::Set(Lanes64(), word);
}

HWY_INLINE Words product(std::uint32_t multiplier, Words words) {
  const Lanes32 d;
  return hn::MulEven(hn::Set(d, multiplier), hn::BitCast(d, words));
}

HWY_INLINE Words high(Words products) {
  return hn::ShiftRight<32>(products);
}

constexpr std::uint64_t high(std::uint64_t product) {
  return product >> 32;
}

constexpr std::uint64_t low(std::uint64_t product) {
  return product & 0xFFFFFFFFu;
}

template <std::size_t first_round>
HWY_INLINE void finish(const Schedule& schedule, Block& block) {
  if constexpr (first_round < 10) {
    const Words product_0 = product(k_philox_multiplier_0, block.word[0]);
    const Words product_1 = product(k_philox_multiplier_1, block.word[2]);
    const auto& key = schedule.key[first_round];
    block = {{hn::Xor3(high(product_1), block.word[1], broadcast(key[0])), product_1,
              hn::Xor3(high(product_0), block.word[3], broadcast(key[1])), product_0}};
    finish<first_round + 1>(schedule, block);
  }
}

// Blocks whose counters differ in the unit alone. What does not depend on it in the first three rounds
// is computed once.
class OverUnits {
 public:
  OverUnits(Counter counter, Key key) : schedule_(key), first_(counter[1]) {
    const auto& keys = schedule_.key;
    std::uint64_t product_0 = std::uint64_t{k_philox_multiplier_0} * counter[0];
    std::uint64_t product_1 = std::uint64_t{k_philox_multiplier_1} * counter[2];
    unit_xor_ = high(product_1) ^ keys[0][0];
    const std::uint64_t word_1 = low(product_1), word_2 = high(product_0) ^ counter[3] ^ keys[0][1];
    second_xor_ = low(product_0) ^ keys[1][1];
    product_1 = k_philox_multiplier_1 * word_2;
    product_0 = k_philox_multiplier_0 * (high(product_1) ^ word_1 ^ keys[1][0]);
    third_xor_0_ = low(product_1) ^ keys[2][0];
    third_xor_2_ = high(product_0) ^ keys[2][1];
    third_word_3_ = low(product_0);
  }

  std::uint64_t first() const { return first_; }

  HWY_INLINE Block operator()(Words unit) const {
    const Words product_0 = product(k_philox_multiplier_0, hn::Xor(unit, broadcast(unit_xor_)));
    const Words product_1 =
        product(k_philox_multiplier_1, hn::Xor(high(product_0), broadcast(second_xor_)));
    Block block{{hn::Xor(high(product_1), broadcast(third_xor_0_)), product_1,
                 hn::Xor(product_0, broadcast(third_xor_2_)), broadcast(third_word_3_)}};
    finish<3>(schedule_, block);
    return block;
  }

 private:
  Schedule schedule_;
  std::uint64_t first_;
  std::uint64_t unit_xor_;
  std::uint64_t second_xor_;
  std::uint64_t third_xor_0_;
  std::uint64_t third_xor_2_;
  std::uint64_t third_word_3_;
};

// Blocks whose counters differ in the low word of the trial alone, as above over the first two rounds.
class OverTrials {
 public:
  OverTrials(Counter counter, Key key) : schedule_(key), first_(counter[2]) {
    const auto& keys = schedule_.key;
    const std::uint64_t product_0 = std::uint64_t{k_philox_multiplier_0} * counter[0];
    first_xor_ = counter[1] ^ keys[0][0];
    const std::uint64_t word_2 = high(product_0) ^ counter[3] ^ keys[0][1];
    const std::uint64_t product_1 = k_philox_multiplier_1 * word_2;
    second_xor_0_ = high(product_1) ^ keys[1][0];
    second_word_1_ = low(product_1);
    second_xor_2_ = low(product_0) ^ keys[1][1];
  }

  std::uint64_t first() const { return first_; }

  HWY_INLINE Block operator()(Words trial) const {
    const Words product_1 = product(k_philox_multiplier_1, trial);
    const Words product_0 =
        product(k_philox_multiplier_0, hn::Xor(high(product_1), broadcast(first_xor_)));
    Block block{{hn::Xor(product_1, broadcast(second_xor_0_)), broadcast(second_word_1_),
                 hn::Xor(high(product_0), broadcast(second_xor_2_)), product_0}};
    finish<2>(schedule_, block);
    return block;
  }

 private:
  Schedule schedule_;
  std::uint64_t first_;
  std::uint64_t first_xor_;
  std::uint64_t second_xor_0_;
  std::uint64_t second_word_1_;
  std::uint64_t second_xor_2_;
};

// The words of places i .. i + k_places - 1 into out[k] + at.
template <class Blocks>
HWY_INLINE void store_places(const Blocks& blocks, std::uint64_t i, const WordColumns& out,
                             std::size_t at) {
  const Lanes64 d;
  const Lanes32 d32;
  const Words two = broadcast(2);
  const Words even_places = hn::Add(broadcast(blocks.first() + i), hn::Mul(hn::Iota(d, 0), two));
  const Block even = blocks(even_places);
  const Block odd = blocks(hn::Add(even_places, broadcast(1)));
  for (std::size_t k = 0; k < 4; ++k)
    if (out[k] != nullptr)
      hn::StoreU(
          hn::OddEven(hn::BitCast(d32, hn::ShiftLeft<32>(odd.word[k])), hn::BitCast(d32, even.word[k])),
          d32, out[k] + at);
}

template <class Blocks>
HWY_INLINE void fill_places(const Blocks& blocks, std::size_t n, const WordColumns& out) {
  if (n < k_places) {
    alignas(64) std::uint32_t words[4][k_places];
    store_places(blocks, 0, {words[0], words[1], words[2], words[3]}, 0);
    for (std::size_t k = 0; k < 4; ++k)
      if (out[k] != nullptr) std::memcpy(out[k], words[k], n * sizeof(words[k][0]));
    return;
  }
  std::size_t i = 0;
  for (; i + k_places <= n; i += k_places) store_places(blocks, i, out, i);
  // The last vector again where it overlaps the one before.
  if (i < n) store_places(blocks, n - k_places, out, n - k_places);
}

inline void fill_unit_words(Counter counter, Key key, std::size_t n, const WordColumns& out) {
  fill_places(OverUnits(counter, key), n, out);
}

inline void fill_trial_words(Counter counter, Key key, std::size_t n, const WordColumns& out) {
  fill_places(OverTrials(counter, key), n, out);
}

#endif

}  // namespace trialwright::rng::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
