// Gauss-Legendre quadrature of any order, for exact calculations and for tables built once from a plan.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/contract.hpp"

namespace trialwright::math {

// Nodes and weights of the Gauss-Legendre rule of one order on [-1, 1], nodes ascending: exact for
// polynomials of degree 2 order - 1. Nodes and weights to 1e-15 (Newton on the Legendre polynomial;
// Davis & Rabinowitz 1984, section 2.7).
class GaussLegendre {
 public:
  // order >= 1.
  explicit GaussLegendre(std::size_t order);

  std::size_t order() const { return nodes_.size(); }
  std::span<const double> nodes() const { return nodes_; }
  std::span<const double> weights() const { return weights_; }

  // The integral of f over [lo, hi].
  template <class F>
  double integrate(F&& f, double lo, double hi) const {
    const double centre = 0.5 * (lo + hi), half_width = 0.5 * (hi - lo);
    double sum = 0;
    for (std::size_t i = 0; i < nodes_.size(); ++i)
      sum += weights_[i] * f(centre + half_width * nodes_[i]);
    return half_width * sum;
  }

  // The same on n_panels equal panels, each with the whole rule.
  template <class F>
  double integrate(F&& f, double lo, double hi, std::size_t n_panels) const {
    TRIALWRIGHT_EXPECT(n_panels > 0);
    const double width = (hi - lo) / static_cast<double>(n_panels);
    double sum = 0;
    for (std::size_t panel = 0; panel < n_panels; ++panel) {
      const double start = lo + width * static_cast<double>(panel);
      sum += integrate(f, start, panel + 1 == n_panels ? hi : start + width);
    }
    return sum;
  }

 private:
  std::vector<double> nodes_;
  std::vector<double> weights_;
};

}  // namespace trialwright::math
