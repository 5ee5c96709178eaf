// Sums of doubles without any rounding till the end.
#pragma once

#include <span>
#include <vector>

namespace trialwright::stats {

// The exact sum of finite doubles, held as a few doubles that do not overlap (Shewchuk 1997, "Adaptive
// precision floating-point arithmetic and fast robust geometric predicates", section 2.4; as math.fsum
// of Python). No order of additions and no nesting of merges changes value(), as long as no sum on the
// way is beyond the largest double. With values that are not finite it is what plain addition gives.
class ExactSum {
 public:
  ExactSum() = default;
  // The sum of these: of another's partials(), that sum again.
  explicit ExactSum(std::span<const double> values);

  void add(double x);
  // Adds the sum of another one, not of itself.
  void merge(const ExactSum& other);
  // The exact sum rounded once, to the nearest double, ties to even; 0 of none.
  double value() const;

  // Not 0, each beyond all digits of the one before. Which ones depends on the order, their sum does
  // not.
  const std::vector<double>& partials() const { return partials_; }

 private:
  std::vector<double> partials_;
};

}  // namespace trialwright::stats
