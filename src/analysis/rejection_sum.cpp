#include "analysis/rejection_sum.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/binomial.hpp"
#include "math/root.hpp"

namespace trialwright::analysis {

namespace {

constexpr std::size_t k_peaks_climbed = 8;
// More than the rounding of any two rejection probabilities.
constexpr double k_rounding = 1e-13;

double grid_step(std::size_t i) {
  return static_cast<double>(i) / (NullRateSearch::k_grid_points - 1);
}

}  // namespace

RejectionSum::RejectionSum(int n_1, int n_0)
    : n_1_(n_1),
      n_0_(n_0),
      probability_1_(static_cast<std::size_t>(n_1) + 1),
      probability_0_(static_cast<std::size_t>(n_0) + 1),
      below_1_(static_cast<std::size_t>(n_1) + 2) {}

double RejectionSum::operator()(std::span<const RejectedRun> runs, double rate_1, double rate_0) {
  binomial_probabilities(n_1_, rate_1, probability_1_);
  if (n_0_ == n_1_ && rate_0 == rate_1)
    probability_0_ = probability_1_;
  else
    binomial_probabilities(n_0_, rate_0, probability_0_);
  for (std::size_t k = 0; k < probability_1_.size(); ++k)
    below_1_[k + 1] = below_1_[k] + probability_1_[k];
  double sum = 0.0;
  for (const auto& run : runs) {
    const double inside = below_1_[static_cast<std::size_t>(run.x_1_to) + 1] -
                          below_1_[static_cast<std::size_t>(run.x_1_from)];
    sum += probability_0_[static_cast<std::size_t>(run.x_0)] * inside;
  }
  return sum;
}

NullRateSearch::NullRateSearch(int n_1, int n_0, double difference)
    : sum_(n_1, n_0),
      n_patients_(static_cast<double>(n_1) + n_0),
      lowest_(std::max(0.0, -difference)),
      highest_(std::min(1.0, 1.0 - difference)),
      difference_(difference),
      last_peak_(k_grid_points / 2),
      on_grid_(k_grid_points) {}

double NullRateSearch::rate_0_at(double u) const {
  return lowest_ + (highest_ - lowest_) * (u * u * (3.0 - 2.0 * u));
}

double NullRateSearch::probability_at(std::span<const RejectedRun> runs, double u) {
  const double rate_0 = rate_0_at(u);
  return sum_(runs, std::clamp(rate_0 + difference_, 0.0, 1.0), std::clamp(rate_0, 0.0, 1.0));
}

Supremum NullRateSearch::supremum(std::span<const RejectedRun> runs) {
  return *supremum_within(runs, std::numeric_limits<double>::infinity());
}

std::optional<Supremum> NullRateSearch::supremum_within(std::span<const RejectedRun> runs,
                                                        double limit) {
  // A region that is too large shows it first where the last one was largest.
  if (probability_at(runs, grid_step(last_peak_)) > limit) return std::nullopt;
  for (std::size_t i = 0; i < k_grid_points; ++i) {
    on_grid_[i] = probability_at(runs, grid_step(i));
    if (on_grid_[i] > limit) {
      last_peak_ = i;
      return std::nullopt;
    }
  }
  const Supremum best = highest_near_grid(runs, Climb::best_peaks);
  if (best.probability > limit) return std::nullopt;
  return best;
}

double NullRateSearch::grid_rate(std::size_t i) const {
  return rate_0_at(grid_step(i));
}

// By the bound on the curvature that null_rate_grid.hpp tells, on both sides of the peak.
bool NullRateSearch::may_exceed(std::size_t peak, double best) const {
  const auto bound = [&](double a, double b) {
    const double spread = std::min(a * (1 - a), b * (1 - b));
    if (!(spread > 0)) return std::numeric_limits<double>::infinity();
    const double half =
        (b - a) * (b - a) / 16 * std::sqrt(2 * n_patients_ * (n_patients_ - 1)) / spread;
    const double root = half + std::sqrt(half * half + on_grid_[peak]);
    return root * root;
  };
  const double at = grid_rate(peak);
  const double left = peak == 0 ? 0 : bound(grid_rate(peak - 1), at);
  const double right = peak + 1 == k_grid_points ? 0 : bound(at, grid_rate(peak + 1));
  return std::max(left, right) + k_rounding >= best;
}

Supremum NullRateSearch::highest_near_grid(std::span<const RejectedRun> runs, Climb climb) {
  std::vector<std::size_t> peaks;
  for (std::size_t i = 0; i < k_grid_points; ++i) {
    const bool above_left = i == 0 || on_grid_[i] >= on_grid_[i - 1];
    const bool above_right = i + 1 == k_grid_points || on_grid_[i] >= on_grid_[i + 1];
    if (above_left && above_right) peaks.push_back(i);
  }
  const auto higher = [&](std::size_t a, std::size_t b) { return on_grid_[a] > on_grid_[b]; };
  const auto n_climbed = static_cast<std::ptrdiff_t>(std::min(peaks.size(), k_peaks_climbed));
  std::partial_sort(peaks.begin(), peaks.begin() + n_climbed, peaks.end(), higher);
  last_peak_ = peaks.front();
  Supremum best{on_grid_[last_peak_], rate_0_at(grid_step(last_peak_))};
  for (auto peak = peaks.begin(); peak != peaks.begin() + n_climbed; ++peak) {
    if (climb == Climb::where_needed && !may_exceed(*peak, best.probability)) continue;
    const double left = grid_step(*peak == 0 ? 0 : *peak - 1);
    const double right = grid_step(std::min(*peak + 1, k_grid_points - 1));
    const auto climbed =
        math::brent_minimise([&](double u) { return -probability_at(runs, u); }, left, right);
    if (-climbed.value > best.probability) best = {-climbed.value, rate_0_at(climbed.x)};
  }
  return best;
}

}  // namespace trialwright::analysis
