// The normal distribution: density, distribution function, tail and quantile, from math/elementary
// alone, so that their bits are the same everywhere.
#pragma once

#include "math/elementary.hpp"

namespace trialwright::math {

// Density of the standard normal distribution; 1e-15 relative to |z| = 38.
double normal_pdf(double z);

// P(Z <= z), accurate to 2e-15 relative to z = -37; Cody 1969, "Rational Chebyshev approximations for
// the error function", with the coefficients of Algorithm 715 (Cody 1993, ANORM).
double normal_cdf(double z);

// P(Z > z), as accurate in the upper tail as normal_cdf in the lower.
double normal_survival(double z);

// The z with normal_cdf(z) = p; 1e-15 relative for p from 1e-300. -infinity at 0, infinity at 1, NaN
// outside. Wichura 1988, "Algorithm AS 241: the percentage points of the normal distribution", PPND16.
double normal_quantile(double p);

// log(Phi(z) / (1 - Phi(z))), the log odds of the normal distribution function;
// 2e-15 relative for |z| <= 37.
double log_odds_of_normal(double z);

}  // namespace trialwright::math
