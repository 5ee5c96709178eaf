// The draws of recruitment over whole columns: waiting times, and which open site a patient comes to.
//
// Each kernel is made for several instruction sets, chosen at run time; the scalar twin beside it gives
// the same bits.
#pragma once

#include <cstdint>
#include <span>

#include "math/elementary_float.hpp"
#include "rng/batch.hpp"

namespace trialwright::patient {

// A word as an exponential waiting time of mean 1, by inversion in single precision; no cell of its law
// is off by more than 2^-23.
inline float waiting_of_word(std::uint32_t word) {
  return -math::log_float(rng::uniform_of_word(word));
}
void waitings_of_words(std::span<const std::uint32_t> words, std::span<float> out);

// The place, in the order of opening, of the site that a word stands for when the open sites' rates sum
// to `rate`, which is one of the sums: how many sums are at most u rate, u =
// rng::uniform_of_word(word). `rate_sums`: cumulative, over all sites; one that adds nothing is never
// chosen, nor one not yet open.
int site_place_of_word(std::uint32_t word, float rate, std::span<const float> rate_sums);
// rates: one a word.
void site_places_of_words(std::span<const std::uint32_t> words, std::span<const float> rates,
                          std::span<const float> rate_sums, std::span<int> out);

}  // namespace trialwright::patient
