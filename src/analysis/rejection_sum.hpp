// The probability of a rejection region, and its supremum over the nuisance rate: what exact power,
// exact size and the exact unconditional tests rest on.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace trialwright::analysis {

// Rejected values of x_1 at one x_0: x_1_from .. x_1_to, both included.
struct RejectedRun {
  int x_0 = 0;
  int x_1_from = 0;
  int x_1_to = 0;
};

// P(rejection) where the arms' counts are independent binomials. Holds working memory:
// not to be shared by threads.
class RejectionSum {
 public:
  RejectionSum(int n_1, int n_0);
  // Costs n_1 + n_0 + the number of runs; absolute error about 1e-14.
  double operator()(std::span<const RejectedRun> runs, double rate_1, double rate_0);

 private:
  int n_1_;
  int n_0_;
  std::vector<double> probability_1_;
  std::vector<double> probability_0_;
  std::vector<double> below_1_;  // below_1_[k] = P(x_1 < k)
};

struct Supremum {
  double probability = 0.0;
  double rate_0 = 0.0;
};

// Largest rejection probabilities along the line rate_1 = rate_0 + difference. The nuisance rate runs
// over 2001 points that are even on the arcsine scale, where sampling noise is even, to within 8%; then
// the eight best local maxima are climbed (Brent's method). Rejection probabilities are polynomials
// that vary on the scale of 1 / sqrt(n), so a higher peak between grid points would need tens of
// thousands of patients an arm.
class NullRateSearch {
 public:
  static constexpr std::size_t k_grid_points = 2001;

  NullRateSearch(int n_1, int n_0, double difference = 0.0);

  Supremum supremum(std::span<const RejectedRun> runs);
  // The supremum, or nothing where it is above the limit (found sooner than the supremum itself).
  std::optional<Supremum> supremum_within(std::span<const RejectedRun> runs, double limit);

  // The control's rate at a grid point.
  double grid_rate(std::size_t i) const;
  // The rejection probabilities on the grid, for a caller who has them; 0 at first.
  std::span<double> on_grid() { return on_grid_; }
  // Peaks climbed: the eight best, or of these those that may come to the largest (difference 0).
  enum class Climb { best_peaks, where_needed };
  // The supremum of runs whose probabilities on the grid are those of on_grid().
  Supremum highest_near_grid(std::span<const RejectedRun> runs, Climb climb);

 private:
  double rate_0_at(double u) const;
  bool may_exceed(std::size_t peak, double best) const;
  double probability_at(std::span<const RejectedRun> runs, double u);

  RejectionSum sum_;
  double n_patients_;
  double lowest_;
  double highest_;
  double difference_;
  std::size_t last_peak_ = 0;
  std::vector<double> on_grid_;
};

}  // namespace trialwright::analysis
