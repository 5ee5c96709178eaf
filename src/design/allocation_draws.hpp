// The random words of one trial's allocation, patient after patient (Allocation
// states their addresses).
#pragma once

#include <cstdint>
#include <span>

#include "design/allocation.hpp"
#include "rng/stream.hpp"

namespace trialwright::design {

struct Allocation::Draws {
  rng::Address address;
  std::span<const std::uint32_t> words;  // one a patient

  // Uniform on 0 .. bound - 1, of a patient.
  std::uint32_t below(std::uint32_t bound, std::size_t patient) const {
    const std::uint64_t product = std::uint64_t{words[patient]} * bound;
    if (static_cast<std::uint32_t>(product) >= bound) [[likely]]
      return static_cast<std::uint32_t>(product >> 32);
    return settle(product, bound, patient);
  }

  double uniform(std::size_t patient) const { return rng::to_uniform(words[patient]); }

 private:
  // Out of the loops, which hardly ever come here.
  [[gnu::noinline]] std::uint32_t settle(std::uint64_t product, std::uint32_t bound,
                                         std::size_t patient) const {
    const std::uint32_t threshold = (0u - bound) % bound;
    rng::Stream spare(
        {address.key, address.purpose, address.trial, static_cast<std::uint32_t>(patient)});
    // The words before belong to the list.
    for (std::uint32_t draw = 4; static_cast<std::uint32_t>(product) < threshold; ++draw)
      product = std::uint64_t{spare.word(draw)} * bound;
    return static_cast<std::uint32_t>(product >> 32);
  }
};

}  // namespace trialwright::design
