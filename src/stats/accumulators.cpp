#include "stats/accumulators.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace trialwright::stats {

namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double Count::mcse() const {
  const double p = proportion();
  return std::sqrt(p * (1.0 - p) / static_cast<double>(n));
}

void Moments::merge(const Moments& other) {
  TRIALWRIGHT_EXPECT(state_.shift == other.state_.shift);
  state_.n += other.state_.n;
  state_.sum += other.state_.sum;
  state_.sum_of_squares += other.state_.sum_of_squares;
  state_.sum_of_cubes += other.state_.sum_of_cubes;
  state_.sum_of_fourths += other.state_.sum_of_fourths;
}

double Moments::mean() const {
  return state_.n == 0 ? k_nan : state_.shift + state_.sum / n();
}

double Moments::variance() const {
  if (state_.n < 2) return k_nan;
  return std::max(0.0, (state_.sum_of_squares - state_.sum * (state_.sum / n())) / (n() - 1.0));
}

double Moments::standard_deviation() const {
  return std::sqrt(variance());
}

double Moments::mcse_of_mean() const {
  return std::sqrt(variance() / n());
}

double Moments::mcse_of_variance() const {
  if (state_.n < 2) return k_nan;
  const double d = state_.sum / n();
  const double fourth = (state_.sum_of_fourths - 4.0 * d * state_.sum_of_cubes +
                         6.0 * d * d * state_.sum_of_squares - 3.0 * d * d * d * state_.sum) /
                        n();
  const double square = variance() * variance();
  return std::sqrt(std::max(0.0, (fourth - (n() - 3.0) / (n() - 1.0) * square) / n()));
}

double Moments::mcse_of_standard_deviation() const {
  const double deviation = standard_deviation();
  return deviation == 0.0 ? 0.0 : mcse_of_variance() / (2.0 * deviation);
}

double Moments::root_mean_square() const {
  return state_.n == 0 ? k_nan : std::sqrt(state_.sum_of_squares / n());
}

double Moments::mcse_of_root_mean_square() const {
  if (state_.n < 2) return k_nan;
  const double mean_square = state_.sum_of_squares / n();
  if (mean_square == 0.0) return 0.0;
  const double variance_of_squares =
      std::max(0.0, (state_.sum_of_fourths - mean_square * state_.sum_of_squares) / (n() - 1.0));
  return std::sqrt(variance_of_squares / n()) / (2.0 * std::sqrt(mean_square));
}

}  // namespace trialwright::stats
