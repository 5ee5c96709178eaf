// Draws by the column: whole columns of words, uniforms and normals, made by vector kernels.
//
// Every kernel gives the same bits on every instruction set (plain code, SSE4, AVX2, AVX-512; chosen at
// run time) as its scalar twin beside it: + - * / and sqrt kept apart, words addressed one by one.
// Exactly n values of a column are written.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "rng/stream.hpp"

namespace trialwright::rng {

// The four words of a Philox block as columns; a null column is not written.
using WordColumns = std::array<std::uint32_t*, 4>;

// Word k of counter block `block` (words 4 block + k of the address) of units first.unit + i into
// out[k][i], i < n.
void fill_words(const Address& first, std::uint32_t block, std::size_t n, const WordColumns& out);

// The same of one unit in trials first.trial + i.
void fill_words_of_trials(const Address& first, std::uint32_t block, std::size_t n,
                          const WordColumns& out);

// A word as a single-precision uniform in (0, 1): (floor(w / 512) + 1/2) / 2^23, exactly. Its steps of
// 2^-23 bend no probability by more than 6e-8.
constexpr float uniform_of_word(std::uint32_t word) {
  return (static_cast<float>(word >> 9) + 0.5f) * 0x1p-23f;
}
void uniforms_of_words(std::span<const std::uint32_t> words, std::span<float> out);

// A word as a single-precision standard normal by inversion, Phi^-1((w + 1/2) / 2^32): the one normal
// of the simulation. Over all words it never decreases, the mirrored word ~w gives -z, |Phi(z) - (w +
// 1/2) / 2^32| is at most 6.4e-8, and in the tails the error of the probability beyond z is at most
// 2.5e-6 of itself.
float normal_of_word(std::uint32_t word);
void normals_of_words(std::span<const std::uint32_t> words, std::span<float> out);

}  // namespace trialwright::rng
