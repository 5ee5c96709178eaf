#include "math/quadrature.hpp"

#include <cmath>
#include <numbers>

namespace trialwright::math {

namespace {

struct Legendre {
  double value;
  double derivative;
};

Legendre legendre(std::size_t order, double x) {
  double before = 1.0, value = x;
  for (std::size_t k = 2; k <= order; ++k) {
    const double degree = static_cast<double>(k);
    const double next = ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * before) / degree;
    before = value;
    value = next;
  }
  return {value, static_cast<double>(order) * (x * value - before) / (x * x - 1.0)};
}

}  // namespace

GaussLegendre::GaussLegendre(std::size_t order) : nodes_(order, 0.0), weights_(order, 0.0) {
  TRIALWRIGHT_EXPECT(order > 0);
  for (std::size_t i = 0; i < (order + 1) / 2; ++i) {
    const bool middle = 2 * i + 1 == order;
    double x = middle ? 0.0
                      : std::cos(std::numbers::pi * (static_cast<double>(i) + 0.75) /
                                 (static_cast<double>(order) + 0.5));
    for (int iteration = 0; iteration < 10 && !middle; ++iteration) {
      const Legendre p = legendre(order, x);
      const double step = p.value / p.derivative;
      x -= step;
      if (std::abs(step) < 1e-16) break;
    }
    const double derivative = legendre(order, x).derivative;
    const double weight = 2.0 / ((1.0 - x * x) * derivative * derivative);
    nodes_[i] = -x;
    nodes_[order - 1 - i] = x;
    weights_[i] = weights_[order - 1 - i] = weight;
  }
}

}  // namespace trialwright::math
