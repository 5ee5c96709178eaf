#include "analysis/null_rate_grid.hpp"

#include "analysis/binomial.hpp"
#include "base/contract.hpp"

namespace trialwright::analysis {
namespace {

std::size_t n_rows(int n, GridColumns::Of of) {
  return static_cast<std::size_t>(n) + (of == GridColumns::Of::count ? 1 : 2);
}

}  // namespace

std::size_t GridColumns::bytes(int n, Of of) {
  return n_rows(n, of) * NullRateSearch::k_grid_points * sizeof(double);
}

GridColumns::GridColumns(int n, Of of)
    : values_(n_rows(n, of) * NullRateSearch::k_grid_points), nonzero_(n_rows(n, of)) {
  const NullRateSearch search(n, 0);
  std::vector<double> probabilities(static_cast<std::size_t>(n) + 1);
  for (std::size_t i = 0; i < NullRateSearch::k_grid_points; ++i) {
    binomial_probabilities(n, search.grid_rate(i), probabilities);
    double below = 0.0;
    for (std::size_t k = 0; k < n_rows(n, of); ++k) {
      values_[k * NullRateSearch::k_grid_points + i] = of == Of::count ? probabilities[k] : below;
      if (k < probabilities.size()) below += probabilities[k];
      if (values_[k * NullRateSearch::k_grid_points + i] == 0) continue;
      auto& columns = nonzero_[k];
      if (columns.end == 0) columns.from = i;
      columns.end = i + 1;
    }
  }
}

double supremum_on_grid(int n_1, int n_0, const GridColumns& below_1, const GridColumns& count_0,
                        std::span<const RejectedRun> runs) {
  NullRateSearch search(n_1, n_0);
  const std::span<double> sums = search.on_grid();
  for (const auto& run : runs) {
    const double* at_0 = count_0.row(run.x_0);
    const double* to = below_1.row(run.x_1_to + 1);
    const double* from = below_1.row(run.x_1_from);
    double* sum = sums.data();
    const auto [first, end] = count_0.nonzero(run.x_0);
    for (std::size_t i = first; i < end; ++i) sum[i] += at_0[i] * (to[i] - from[i]);
  }
  return search.highest_near_grid(runs, NullRateSearch::Climb::where_needed).probability;
}

}  // namespace trialwright::analysis
