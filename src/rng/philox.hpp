// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), a
// counter-based generator: a pure function of counter and key.
#pragma once

#include <array>
#include <cstdint>

namespace trialwright::rng {

using Counter = std::array<std::uint32_t, 4>;
using Key = std::array<std::uint32_t, 2>;

inline constexpr std::uint32_t k_philox_multiplier_0 = 0xD2511F53;
inline constexpr std::uint32_t k_philox_multiplier_1 = 0xCD9E8D57;
inline constexpr std::uint32_t k_philox_weyl_0 = 0x9E3779B9;
inline constexpr std::uint32_t k_philox_weyl_1 = 0xBB67AE85;

// The four words of one counter. Known answers: Random123's kat_vectors.
constexpr Counter philox4x32_10(Counter counter, Key key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product_0 = std::uint64_t{k_philox_multiplier_0} * counter[0];
    const std::uint64_t product_1 = std::uint64_t{k_philox_multiplier_1} * counter[2];
    counter = {static_cast<std::uint32_t>(product_1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product_1),
               static_cast<std::uint32_t>(product_0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product_0)};
    key[0] += k_philox_weyl_0;
    key[1] += k_philox_weyl_1;
  }
  return counter;
}

constexpr Key key_from_seed(std::uint64_t seed) {
  return {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
}

}  // namespace trialwright::rng
