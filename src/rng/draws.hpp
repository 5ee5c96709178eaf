// Draws from the distributions that trials need, made from a Stream or a uniform by our own elementary
// functions, so that they have the same bits everywhere. Each says which words of the stream it takes.
#pragma once

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

// Gamma with the given shape (> 0) and mean shape. Marsaglia & Tsang 2000, "A simple method for
// generating gamma variables"; for a shape below 1 their boost by u^(1/shape). Takes a word first where
// the shape is below 1, then two words (normal, uniform) an attempt; 1.05 attempts at most on average
// for shapes from 1.
double gamma(Stream& stream, double shape);

}  // namespace trialwright::rng
