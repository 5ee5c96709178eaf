#include "stats/exact_sum.hpp"

#include <cmath>
#include <utility>

#include "base/contract.hpp"

namespace trialwright::stats {

ExactSum::ExactSum(std::span<const double> values) {
  for (const double x : values) add(x);
}

void ExactSum::add(double x) {
  std::size_t n_kept = 0;
  for (double y : partials_) {
    if (std::abs(x) < std::abs(y)) std::swap(x, y);
    const double high = x + y;
    const double low = y - (high - x);
    if (low != 0) partials_[n_kept++] = low;
    x = high;
  }
  // Of what is infinite no digits below are known, and NaN stays.
  if (!std::isfinite(x)) n_kept = 0;
  partials_.resize(n_kept);
  if (x != 0) partials_.push_back(x);
}

void ExactSum::merge(const ExactSum& other) {
  TRIALWRIGHT_EXPECT(this != &other);
  for (const double x : other.partials_) add(x);
}

double ExactSum::value() const {
  if (partials_.empty()) return 0;
  std::size_t i = partials_.size() - 1;
  double high = partials_[i];
  double low = 0;
  while (i > 0 && low == 0) {
    const double x = high, y = partials_[--i];
    high = x + y;
    low = y - (high - x);
  }
  // `low` alone may look like half a last digit of `high`, and was rounded to even: what lies below it
  // tells on which side of the half the sum is.
  if (i > 0 && ((low < 0 && partials_[i - 1] < 0) || (low > 0 && partials_[i - 1] > 0))) {
    const double twice = low * 2;
    const double next = high + twice;
    if (next - high == twice) high = next;
  }
  return high;
}

}  // namespace trialwright::stats
