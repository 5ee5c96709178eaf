// Draws from the Poisson distribution, made of a Stream by our own elementary functions.
#pragma once

#include "rng/stream.hpp"

namespace trialwright::rng {

// Poisson with the given mean (0 to 1e15), of 32-bit uniforms. Below a mean of 10 by adding up
// probabilities (one word); from there by Hörmann 1993, "The transformed rejection method for
// generating Poisson random variables", Insurance: Mathematics and Economics 12:39-45, algorithm PTRS
// (two words an attempt, 1.2 attempts at most on average).
double poisson(Stream& stream, double mean);

}  // namespace trialwright::rng
