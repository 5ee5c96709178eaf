// A list of words, one a place, for draws that belong to a trial's patients one word each: four places
// share a Philox block, so that no word of a block is thrown away.
#pragma once

#include <cstdint>
#include <span>

#include "rng/stream.hpp"

namespace trialwright::rng {

// Places stand in groups of 64, made of the 16 units from 16 g on: place 64 g + 16 k + j is word k of
// counter block `block` of unit 16 g + j. Neighbouring places are thus neighbouring lanes of a kernel.
constexpr std::uint32_t k_places_per_group = 64;
constexpr std::uint32_t k_units_per_group = 16;

// Word of one place of the list at (key, purpose, trial) of `of`, whose unit is not read.
std::uint32_t word_of_list(const Address& of, std::uint32_t block, std::uint32_t place);

// out[place] = word_of_list(of, block, place).
void fill_list(const Address& of, std::uint32_t block, std::span<std::uint32_t> out);

}  // namespace trialwright::rng
