// The supremum of rejection probabilities over a common rate, where many regions of the same arm sizes
// are searched: the grid's binomial probabilities are tabulated once.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "analysis/rejection_sum.hpp"

namespace trialwright::analysis {

// One arm's binomial distribution at the rates of NullRateSearch's grid (difference 0), a row a count,
// a column a rate; the bits are those that RejectionSum has at that rate.
class GridColumns {
 public:
  enum class Of { count, below };  // P(x = row) of n + 1 rows, P(x < row) of n + 2
  GridColumns(int n, Of of);

  static std::size_t bytes(int n, Of of);
  const double* row(int i_row) const {
    return values_.data() + static_cast<std::size_t>(i_row) * NullRateSearch::k_grid_points;
  }

  // The rates at which a row is not 0 lie in these.
  struct Columns {
    std::size_t from = 0;
    std::size_t end = 0;
  };
  Columns nonzero(int i_row) const { return nonzero_[static_cast<std::size_t>(i_row)]; }

 private:
  std::vector<double> values_;
  std::vector<Columns> nonzero_;
};

// NullRateSearch(n_1, n_0).supremum(runs).probability to the bit, of the grid tabulated. `below_1` is
// of n_1 patients, `count_0` of n_0. Peaks are climbed only where they may come to the largest: between
// grid points a and b a rejection probability f is at most the larger of f(a) and f(b) and (b - a)^2 /
// 8 sqrt(2 N (N - 1) f) / (p (1 - p)), since f'' is the covariance of rejection with the second
// Krawtchouk polynomial of the N = n_1 + n_0 patients' responders, whose variance is 2 N (N - 1) / (p
// (1 - p))^2. Costs 2001 additions a run; a thread's own memory of 16 kB is allocated.
double supremum_on_grid(int n_1, int n_0, const GridColumns& below_1, const GridColumns& count_0,
                        std::span<const RejectedRun> runs);

}  // namespace trialwright::analysis
