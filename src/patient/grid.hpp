// The measuring grid of a score or covariate.
#pragma once

#include <cmath>

namespace trialwright::patient {

// Multiples of a step (0: every number). Values are the doubles nearest to the decimal multiples, so
// that a score of 14.2 on the 0.1 grid is the literal 14.2.
class Grid {
 public:
  Grid() = default;
  explicit Grid(double step) : step_(step) {
    const double inverse = step > 0 ? 1 / step : 0;
    const double whole = std::floor(inverse + 0.5);
    if (whole >= 1 && std::abs(inverse - whole) < 1e-9 * whole) per_unit_ = whole;
  }
  double step() const { return step_; }
  bool continuous() const { return step_ == 0; }
  // 1 / step where that is a whole number, else 0.
  double per_unit() const { return per_unit_; }
  // The k-th multiple, and which multiple is nearest to x (ties to even); both for a grid only.
  double at(double k) const { return per_unit_ > 0 ? k / per_unit_ : k * step_; }
  double index(double x) const {
    constexpr double k_shift = 0x1.8p52;
    return ((per_unit_ > 0 ? x * per_unit_ : x / step_) + k_shift) - k_shift;
  }
  double round(double x) const { return continuous() ? x : at(index(x)); }
  bool holds(double x) const {
    return continuous() || std::abs(round(x) - x) < 1e-9 * (1 + std::abs(x));
  }

 private:
  double step_ = 0;
  double per_unit_ = 0;
};

}  // namespace trialwright::patient
