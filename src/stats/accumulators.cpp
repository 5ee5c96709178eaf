#include "stats/accumulators.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace trialwright::stats {

namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t k_powers = 4;

std::array<double, k_powers> by_power(const PowerSums& sums) {
  return {sums.sum, sums.sum_of_squares, sums.sum_of_cubes, sums.sum_of_fourths};
}

}  // namespace

double Count::mcse() const {
  const double p = proportion();
  return std::sqrt(p * (1.0 - p) / static_cast<double>(n));
}

Moments::Moments(const State& state) : shift_(state.shift), n_(state.n), own_(state.own) {
  if (std::all_of(state.merged.begin(), state.merged.end(), [](const auto& p) { return p.empty(); }))
    return;
  for (const auto& partials : state.merged) merged_.emplace_back(partials);
}

void Moments::merge(const Moments& other) {
  TRIALWRIGHT_EXPECT(shift_ == other.shift_ && this != &other);
  if (other.n_ == 0) return;
  merged_.resize(k_powers);
  n_ += other.n_;
  const auto own = by_power(other.own_);
  for (std::size_t i = 0; i < k_powers; ++i) {
    merged_[i].add(own[i]);
    if (!other.merged_.empty()) merged_[i].merge(other.merged_[i]);
  }
}

Moments::State Moments::state() const {
  State state{.shift = shift_, .n = n_, .own = own_};
  for (std::size_t i = 0; i < merged_.size(); ++i) state.merged[i] = merged_[i].partials();
  return state;
}

PowerSums Moments::sums() const {
  if (merged_.empty()) return own_;
  auto total = by_power(own_);
  for (std::size_t i = 0; i < k_powers; ++i) {
    ExactSum sum = merged_[i];
    sum.add(total[i]);
    total[i] = sum.value();
  }
  return {total[0], total[1], total[2], total[3]};
}

double Moments::mean() const {
  return n_ == 0 ? k_nan : shift_ + sums().sum / n();
}

double Moments::variance() const {
  if (n_ < 2) return k_nan;
  const PowerSums s = sums();
  return std::max(0.0, (s.sum_of_squares - s.sum * (s.sum / n())) / (n() - 1.0));
}

double Moments::standard_deviation() const {
  return std::sqrt(variance());
}

double Moments::mcse_of_mean() const {
  return std::sqrt(variance() / n());
}

double Moments::mcse_of_variance() const {
  if (n_ < 2) return k_nan;
  const PowerSums s = sums();
  const double d = s.sum / n();
  const double fourth = (s.sum_of_fourths - 4.0 * d * s.sum_of_cubes + 6.0 * d * d * s.sum_of_squares -
                         3.0 * d * d * d * s.sum) /
                        n();
  const double square = variance() * variance();
  return std::sqrt(std::max(0.0, (fourth - (n() - 3.0) / (n() - 1.0) * square) / n()));
}

double Moments::mcse_of_standard_deviation() const {
  const double deviation = standard_deviation();
  return deviation == 0.0 ? 0.0 : mcse_of_variance() / (2.0 * deviation);
}

double Moments::root_mean_square() const {
  return n_ == 0 ? k_nan : std::sqrt(sums().sum_of_squares / n());
}

double Moments::mcse_of_root_mean_square() const {
  if (n_ < 2) return k_nan;
  const PowerSums s = sums();
  const double mean_square = s.sum_of_squares / n();
  if (mean_square == 0.0) return 0.0;
  const double variance_of_squares =
      std::max(0.0, (s.sum_of_fourths - mean_square * s.sum_of_squares) / (n() - 1.0));
  return std::sqrt(variance_of_squares / n()) / (2.0 * std::sqrt(mean_square));
}

}  // namespace trialwright::stats
