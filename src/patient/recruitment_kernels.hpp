// The draws of recruitment over whole columns: waiting times, and which open site a patient comes to.
//
// Each kernel is made for several instruction sets, chosen at run time; the scalar twin beside it gives the
// same bits.
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

// The place among open sites, in the order of their opening, that a word stands for: how many
// of the sums of rates before the last are at most u times the last, u = rng::uniform_of_word(word).
// `rate_sums`: cumulative, one an open site; a site that adds nothing is never chosen.
int open_site_of_word(std::uint32_t word, std::span<const float> rate_sums);
void open_sites_of_words(std::span<const std::uint32_t> words, std::span<const float> rate_sums,
                         std::span<int> out);

}  // namespace trialwright::patient
