// One-dimensional root finding and minimisation without derivatives.
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
