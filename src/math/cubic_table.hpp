// Tables of smooth functions: piecewise cubic interpolation on a uniform grid, made once from a plan
// and read in the inner loop with the same bits on every machine.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "base/contract.hpp"

namespace trialwright::math {

// x rounded to `bits` significant bits (2 to 53), ties to even; infinities and NaN as they are. Values
// that two machines' libraries give with different last bits become the same number, but for rare ties.
double round_to_bits(double x, int bits);

inline constexpr int k_knot_bits = 40;

// A function on [lo, hi] by cubic Hermite interpolation between n equidistant knots;
// constant outside. The values at the knots are rounded to 40 significant bits and everything
// else follows from them by + - * / alone. Error: h^4/384 max|f''''| for supplied slopes,
// of the same order (h^6 in the slopes) for slopes by differences, plus 1e-12 max|f|.
class CubicTable {
 public:
  // f and its derivative at n >= 2 knots.
  template <class F, class Derivative>
  CubicTable(F&& f, Derivative&& derivative, double lo, double hi, std::size_t n) {
    std::vector<double> values(n), slopes(n);
    for (std::size_t i = 0; i < n; ++i) {
      values[i] = f(knot(i, lo, hi, n));
      slopes[i] = derivative(knot(i, lo, hi, n));
    }
    build(values, slopes, lo, hi);
  }

  // f at n >= 7 knots; slopes by seven-point differences of the values, one-sided near the ends.
  template <class F>
  CubicTable(F&& f, double lo, double hi, std::size_t n) {
    std::vector<double> values(n);
    for (std::size_t i = 0; i < n; ++i) values[i] = f(knot(i, lo, hi, n));
    build(values, {}, lo, hi);
  }

  double operator()(double x) const {
    const double position = std::min(std::max((x - lo_) * per_width_, 0.0), last_position_);
    const auto i = std::min(static_cast<std::size_t>(position), cells_.size() - 1);
    const double t = position - static_cast<double>(i);
    const Cell& cell = cells_[i];
    return cell.c0 + t * (cell.c1 + t * (cell.c2 + t * cell.c3));
  }

  // out[i] = (*this)(x[i]); in place where they are the same.
  void evaluate(std::span<const double> x, std::span<double> out) const {
    TRIALWRIGHT_EXPECT(x.size() == out.size());
    for (std::size_t i = 0; i < x.size(); ++i) out[i] = (*this)(x[i]);
  }

  double lo() const { return lo_; }
  double hi() const { return hi_; }

 private:
  struct Cell {
    double c0, c1, c2, c3;
  };

  static double knot(std::size_t i, double lo, double hi, std::size_t n) {
    return i + 1 == n ? hi : lo + (hi - lo) * (static_cast<double>(i) / static_cast<double>(n - 1));
  }
  // Slopes as given, in units of f per x, or by differences where there are none.
  void build(std::span<const double> values, std::span<const double> slopes, double lo, double hi);

  double lo_ = 0;
  double hi_ = 0;
  double per_width_ = 0;
  double last_position_ = 0;
  std::vector<Cell> cells_;
};

}  // namespace trialwright::math
