#include <algorithm>
#include <numeric>

#include "base/contract.hpp"
#include "design/allocation.hpp"
#include "design/allocation_draws.hpp"

namespace trialwright::design {

namespace {

// The counts of one factor's level, each divided by its arm's ratio and multiplied by the ratios' least
// common multiple: a patient who joins arm a adds steps[a]. The imbalance is then a whole number, so
// ties are exact.
struct Margin {
  std::span<const std::int64_t> counts;
  std::span<const std::int64_t> steps;

  std::int64_t range_with(std::size_t joined) const {
    std::int64_t low = counts[joined] + steps[joined], high = low;
    for (std::size_t a = 0; a < counts.size(); ++a) {
      if (a == joined) continue;
      low = std::min(low, counts[a]);
      high = std::max(high, counts[a]);
    }
    return high - low;
  }

  // What joining adds to K sum(x^2) - (sum x)^2, which is K (K - 1) times the variance of the K counts.
  std::int64_t variance_added_by(std::size_t joined) const {
    const auto n_arms = static_cast<std::int64_t>(counts.size());
    const std::int64_t sum = std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
    const std::int64_t step = steps[joined];
    return n_arms * (2 * counts[joined] * step + step * step) - (2 * sum * step + step * step);
  }

  std::int64_t imbalance_with(std::size_t joined, Imbalance imbalance) const {
    switch (imbalance) {
      case Imbalance::range:
        return range_with(joined);
      case Imbalance::variance:
        return variance_added_by(joined);
    }
    return 0;
  }
};

}  // namespace

void Allocation::prepare_coin(Shares& shares) const {
  const std::size_t n_arms = shares.arms.size();
  const double p = std::get<Minimisation>(randomisation_).probability;
  std::int64_t multiple = 1;
  for (const std::int32_t r : shares.urn) multiple = std::lcm(multiple, std::int64_t{r});
  shares.steps.clear();
  for (const std::int32_t r : shares.urn) shares.steps.push_back(multiple / r);

  shares.coin.assign(n_arms * n_arms, 0.0);
  if (n_arms == 1) {
    shares.coin[0] = 1;
    return;
  }
  const double total = shares.total;
  const double smallest = *std::min_element(shares.urn.begin(), shares.urn.end());
  for (std::size_t k = 0; k < n_arms; ++k) {
    const double others = total - shares.urn[k];
    const double left = (1 - p) * others / (total - smallest);
    for (std::size_t j = 0; j < n_arms; ++j)
      shares.coin[k * n_arms + j] = j == k ? 1 - left : left * shares.urn[j] / others;
  }
}

std::size_t Allocation::toss(const Shares& shares, std::span<const std::int64_t> imbalances,
                             double uniform) {
  const std::size_t n_arms = shares.arms.size();
  const std::int64_t least = *std::min_element(imbalances.begin(), imbalances.end());
  double tied_ratio = 0;
  for (std::size_t k = 0; k < n_arms; ++k)
    if (imbalances[k] == least) tied_ratio += shares.urn[k];
  std::size_t chosen = 0;
  double cumulative = 0;
  for (std::size_t j = 0; j < n_arms; ++j) {
    double probability = 0;
    for (std::size_t k = 0; k < n_arms; ++k)
      if (imbalances[k] == least)
        probability += shares.urn[k] / tied_ratio * shares.coin[k * n_arms + j];
    if (probability <= 0) continue;
    chosen = j;
    cumulative += probability;
    if (uniform < cumulative) break;
  }
  return chosen;
}

void Allocation::allocate_minimising(const Draws& draws, const Shares& shares, Listed listed,
                                     const base::Columns<int>& strata, std::span<int> arm_out,
                                     Workspace& workspace) const {
  const std::size_t n_arms = shares.arms.size();
  const Imbalance imbalance = std::get<Minimisation>(randomisation_).imbalance;
  const int n_levels = std::accumulate(factor_levels_.begin(), factor_levels_.end(), 0);
  workspace.counts.assign(static_cast<std::size_t>(n_levels) * n_arms, 0);
  workspace.imbalances.resize(n_arms);
  const auto level_counts = [&](std::size_t f, std::size_t first_level, std::size_t patient) {
    const int level = strata[factors_[f]][patient];
    TRIALWRIGHT_EXPECT(level >= 0 && level < factor_levels_[f]);
    return std::span(workspace.counts)
        .subspan((first_level + static_cast<std::size_t>(level)) * n_arms, n_arms);
  };
  for (std::size_t i = 0; i < listed.n; ++i) {
    const std::size_t patient = listed[i];
    std::fill(workspace.imbalances.begin(), workspace.imbalances.end(), 0);
    for (std::size_t f = 0, first = 0; f < factors_.size(); first += factor_levels_[f++]) {
      const Margin margin{level_counts(f, first, patient), shares.steps};
      for (std::size_t a = 0; a < n_arms; ++a)
        workspace.imbalances[a] += margin.imbalance_with(a, imbalance);
    }
    const std::size_t chosen = toss(shares, workspace.imbalances, draws.uniform(patient));
    for (std::size_t f = 0, first = 0; f < factors_.size(); first += factor_levels_[f++])
      level_counts(f, first, patient)[chosen] += shares.steps[chosen];
    arm_out[patient] = arms_[static_cast<std::size_t>(shares.arms[chosen])].arm;
  }
}

}  // namespace trialwright::design
