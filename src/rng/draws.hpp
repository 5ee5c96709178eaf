// Draws from the distributions that trials need, made from a Stream or a uniform by our own elementary
// functions, so that they have the same bits everywhere. Each says which words of the stream it takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "math/elementary.hpp"
#include "rng/stream.hpp"

namespace trialwright::rng {

// Exponential with mean 1 by inversion, -log(u), for u in (0, 1).
constexpr double exponential(double u) {
  return -math::log(u);
}

// Whether an event of the given probability happens, for u uniform on (0, 1). Never for 0, always
// for 1.
constexpr bool bernoulli(double u, double probability) {
  return u < probability;
}

// A uniform on (0, 1) on the grid of (k + 1/2) / 2^52. Takes two words.
double next_fine_uniform(Stream& stream);

// Gamma with the given shape (> 0) and mean shape. Marsaglia & Tsang 2000, "A simple method for
// generating gamma variables"; for a shape below 1 their boost by u^(1/shape). Takes a word first where
// the shape is below 1, then two words (normal, uniform) an attempt; 1.05 attempts at most on average
// for shapes from 1.
double gamma(Stream& stream, double shape);

// Poisson with the given mean (>= 0, finite), by inversion with a fine uniform;
// above 32 as the sum of independent parts of at most 32. Takes two words a part, none for a mean of 0;
// time grows with the mean.
std::uint64_t poisson(Stream& stream, double mean);

// An integer uniform on 0 .. n - 1 without bias, for n >= 1. Takes a word, and another with probability
// below n / 2^32. Lemire 2019, "Fast random integer generation in an interval".
std::uint32_t bounded(Stream& stream, std::uint32_t n);

// Puts the items (fewer than 2^32) into an order, each of them equally probable. Fisher & Yates 1938 in
// Durstenfeld's form (1964); takes bounded() of n, n - 1, ..., 2.
template <class T>
void shuffle(Stream& stream, std::span<T> items) {
  using std::swap;
  for (std::size_t n = items.size(); n > 1; --n)
    swap(items[n - 1], items[bounded(stream, static_cast<std::uint32_t>(n))]);
}

}  // namespace trialwright::rng
