// One-dimensional root finding and minimisation.
#pragma once

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <cstdint>
#include <optional>

namespace trialwright::math {

// A root of the continuous function f in [lo, hi], to an absolute error of `tolerance` (0: to the last
// bit). Nothing where f(lo) and f(hi) have the same sign or one of them is NaN. An end at which f is 0
// is a root. Alefeld, Potra & Shi 1995, Algorithm 748, a successor of Brent's.
template <class F>
std::optional<double> brent_root(F&& f, double lo, double hi, double tolerance) {
  const double at_lo = f(lo), at_hi = f(hi);
  if (at_lo == 0) return lo;
  if (at_hi == 0) return hi;
  if (!(at_lo < 0 ? at_hi > 0 : at_lo > 0 && at_hi < 0)) return std::nullopt;
  std::uintmax_t iterations = 200;
  const auto narrow = [&](double a, double b) {
    return std::abs(b - a) <= std::max(tolerance, 0x1p-51 * std::min(std::abs(a), std::abs(b)));
  };
  const auto [a, b] = boost::math::tools::toms748_solve(f, lo, hi, at_lo, at_hi, narrow, iterations);
  return a + 0.5 * (b - a);
}

struct ValueAndSlope {
  double value;
  double slope;
};

// The root in [lo, hi] of a continuous function that rises there, f(x) a ValueAndSlope: Newton's steps
// from `guess`, halving the bracket where a step would leave it. Ends with a step of at most
// `tolerance` (> 0), which leaves an error of the order of tolerance squared times the function's
// curvature, or with a bracket as short. The nearer end where the root is outside. + - * / alone on top
// of f.
template <class F>
double newton_root(F&& f, double lo, double hi, double guess, double tolerance) {
  double x = std::min(std::max(guess, lo), hi);
  while (true) {
    const ValueAndSlope at = f(x);
    if (at.value == 0) return x;
    (at.value < 0 ? lo : hi) = x;
    const double step = at.value / at.slope;
    const double next = x - step;
    if (at.slope > 0 && std::abs(step) <= tolerance) return std::min(std::max(next, lo), hi);
    // Negated, so that a slope of 0 and a NaN halve too.
    x = !(at.slope > 0 && next > lo && next < hi) ? lo + 0.5 * (hi - lo) : next;
    if (hi - lo <= tolerance) return x;
  }
}

struct Minimum {
  double x;
  double value;
};

// A local minimum of f in [lo, hi]; the only one where f is unimodal.
// x to about 1e-8 relative (half the digits, since f is flat there). Brent 1973,
// "Algorithms for minimization without derivatives", chapter 5.
template <class F>
Minimum brent_minimise(F&& f, double lo, double hi) {
  std::uintmax_t iterations = 200;
  const auto [x, value] = boost::math::tools::brent_find_minima(f, lo, hi, 26, iterations);
  return {x, value};
}

}  // namespace trialwright::math
