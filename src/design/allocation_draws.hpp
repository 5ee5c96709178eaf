// The random words of one trial's allocation, patient after patient (Allocation
// states their addresses).
#pragma once

#include <cstdint>

#include "design/allocation.hpp"
#include "rng/stream.hpp"

namespace trialwright::design {

struct Allocation::Draws {
  rng::Address address;
  rng::Stream words;
  std::uint32_t patient = 0;

  explicit Draws(const rng::Address& at) : address(at), words(at) {}

  // Uniform on 0 .. bound - 1, of the next patient.
  std::uint32_t below(std::uint32_t bound) {
    const std::uint64_t product = std::uint64_t{words()} * bound;
    ++patient;
    if (static_cast<std::uint32_t>(product) >= bound) [[likely]]
      return static_cast<std::uint32_t>(product >> 32);
    return settle(product, bound);
  }

  double uniform() {
    ++patient;
    return words.next_uniform();
  }

 private:
  std::uint32_t settle(std::uint64_t product, std::uint32_t bound) const {
    const std::uint32_t threshold = (0u - bound) % bound;
    rng::Stream spare({address.key, address.purpose, address.trial, patient});
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{spare()} * bound;
    return static_cast<std::uint32_t>(product >> 32);
  }
};

}  // namespace trialwright::design
