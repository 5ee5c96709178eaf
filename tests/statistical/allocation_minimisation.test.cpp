// Minimisation: its coin's probability, its ties, its kept ratio and what it gains over simple
// randomisation. Binomial and chi-square tests fail a right program with probability 1e-4 (the seeds
// are fixed: once, or never).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "design/allocation.hpp"
#include "support/allocation_cases.hpp"
#include "unit/rng/chi_square.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using test::chi_square_p_value;
using test::k_false_alarm_rate;

constexpr rng::Key k_key = rng::key_from_seed(7002);

// Patients with two binary factors and one of five levels.
base::Columns<int> random_strata(std::size_t n, unsigned seed) {
  base::Columns<int> strata(n, 3);
  std::mt19937 random(seed);
  for (std::size_t i = 0; i < n; ++i) {
    strata[0][i] = static_cast<int>(random() % 2);
    strata[1][i] = static_cast<int>(random() % 2);
    strata[2][i] = static_cast<int>(random() % 5);
  }
  return strata;
}
const std::vector<int> k_levels{2, 2, 5};

// The arms whose summed range, were patient i to join them, is the least; counts divided by the ratios.
std::vector<int> preferred_arms(const std::vector<ArmShare>& shares, const base::Columns<int>& strata,
                                const std::vector<int>& arms, std::size_t i) {
  std::vector<double> totals;
  for (std::size_t joined = 0; joined < shares.size(); ++joined) {
    double total = 0;
    for (std::size_t f = 0; f < strata.n_columns(); ++f) {
      std::vector<double> counts(shares.size(), 0);
      for (std::size_t j = 0; j < i; ++j) counts[arms[j]] += strata[f][j] == strata[f][i];
      counts[joined] += 1;
      for (std::size_t a = 0; a < shares.size(); ++a) counts[a] /= shares[a].ratio;
      const auto [low, high] = std::minmax_element(counts.begin(), counts.end());
      total += *high - *low;
    }
    totals.push_back(total);
  }
  const double least = *std::min_element(totals.begin(), totals.end());
  std::vector<int> preferred;
  for (std::size_t a = 0; a < totals.size(); ++a)
    if (totals[a] < least + 1e-9) preferred.push_back(static_cast<int>(a));
  return preferred;
}

// [preferred][given] over patients with one preferred arm; the last row where all arms tie.
std::vector<std::vector<std::uint64_t>> coin_counts(const std::vector<ArmShare>& shares,
                                                    double probability) {
  constexpr std::size_t n = 60;
  std::vector<std::vector<std::uint64_t>> counts(shares.size() + 1,
                                                 std::vector<std::uint64_t>(shares.size(), 0));
  const Allocation allocation(Minimisation{{0, 1, 2}, probability, Imbalance::range}, shares, n,
                              k_levels);
  Allocation::Workspace workspace;
  std::vector<int> arms(n);
  for (unsigned trial = 0; trial < 800; ++trial) {
    const auto strata = random_strata(n, trial);
    allocation.allocate(k_key, trial, strata, arms, workspace);
    for (std::size_t i = 0; i < n; ++i) {
      const auto preferred = preferred_arms(shares, strata, arms, i);
      if (preferred.size() == 1) ++counts[preferred[0]][arms[i]];
      if (preferred.size() == shares.size()) ++counts.back()[arms[i]];
    }
  }
  return counts;
}

TEST(AllocationMinimisation, CoinAndTiesAtEqualRatios) {
  // Each row holds thousands of patients: a coin of 0.77 in place of 0.8 is found
  // with power above 0.99.
  const auto counts = coin_counts({{0, 1}, {1, 1}}, 0.8);
  EXPECT_GT(counts[0][0] + counts[0][1], 10'000u);
  EXPECT_GT(chi_square_p_value(counts[0], {0.8, 0.2}), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(counts[1], {0.2, 0.8}), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(counts[2], {0.5, 0.5}), k_false_alarm_rate);
}

TEST(AllocationMinimisation, CoinOfAnUnequalRatio) {
  // 1:2 with p = 0.8 for the smaller arm: the larger is taken with 1 - 0.2 * 1/2 = 0.9 (Han et al.
  // 2009). With three factors the arms never tie: the two sums differ by an odd number of halves.
  const auto counts = coin_counts({{0, 1}, {1, 2}}, 0.8);
  EXPECT_GT(chi_square_p_value(counts[0], {0.8, 0.2}), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(counts[1], {0.1, 0.9}), k_false_alarm_rate);
  EXPECT_EQ(counts[2][0] + counts[2][1], 0u);
}

TEST(AllocationMinimisation, CoinOfThreeArms) {
  // 1:1:2 with p = 0.7: the arm of 2 is taken with 1 - 0.3 * 2/3 = 0.8, what is left goes by the ratio.
  const auto counts = coin_counts({{0, 1}, {1, 1}, {2, 2}}, 0.7);
  EXPECT_GT(chi_square_p_value(counts[0], {0.7, 0.1, 0.2}), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(counts[1], {0.1, 0.7, 0.2}), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(counts[2], {0.1, 0.1, 0.8}), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(counts[3], {0.25, 0.25, 0.5}), k_false_alarm_rate);
}

// Mean over trials of the largest |n_1 r_0 - n_0 r_1| / (r_0 + r_1) over all factors' levels.
double mean_worst_imbalance(const Randomisation& how, const std::vector<ArmShare>& shares) {
  constexpr std::size_t n = 200;
  const Allocation allocation(how, shares, n, k_levels);
  Allocation::Workspace workspace;
  std::vector<int> arms(n);
  double total = 0;
  constexpr unsigned n_trials = 500;
  for (unsigned trial = 0; trial < n_trials; ++trial) {
    const auto strata = random_strata(n, trial);
    allocation.allocate(k_key, trial, strata, arms, workspace);
    double worst = 0;
    for (std::size_t f = 0; f < 3; ++f)
      for (int level = 0; level < k_levels[f]; ++level) {
        double difference = 0;
        for (std::size_t i = 0; i < n; ++i)
          if (strata[f][i] == level) difference += arms[i] == 1 ? shares[0].ratio : -shares[1].ratio;
        worst = std::max(worst, std::abs(difference) / (shares[0].ratio + shares[1].ratio));
      }
    total += worst;
  }
  return total / n_trials;
}

TEST(AllocationMinimisation, BalancesMarginsFarBetterThanSimple) {
  // Simple: the worst of 9 margins of about 40 to 100 patients is some 7 patients off;
  // minimisation, about 2.
  for (const auto& shares :
       {std::vector<ArmShare>{{0, 1}, {1, 1}}, std::vector<ArmShare>{{0, 1}, {1, 2}}}) {
    const double simple = mean_worst_imbalance(SimpleRandomisation{}, shares);
    for (const Imbalance imbalance : {Imbalance::range, Imbalance::variance})
      EXPECT_LT(mean_worst_imbalance(Minimisation{{0, 1, 2}, 0.8, imbalance}, shares), simple / 2.5);
  }
}

TEST(AllocationMinimisation, KeepsAnUnequalRatioInTheLongRun) {
  // The margins tie the arms' sizes to the ratio: over 500 trials the mean size is within half a
  // patient of 400 in 600 (its Monte Carlo error is about 0.05), and no trial is off by more than 12.
  constexpr std::size_t n = 600;
  const Allocation allocation(Minimisation{{0, 1, 2}, 0.8, Imbalance::range}, {{0, 1}, {1, 2}}, n,
                              k_levels);
  Allocation::Workspace workspace;
  std::vector<int> arms(n);
  double sum = 0;
  constexpr unsigned n_trials = 500;
  for (unsigned trial = 0; trial < n_trials; ++trial) {
    const auto strata = random_strata(n, trial);
    allocation.allocate(k_key, trial, strata, arms, workspace);
    const auto active = static_cast<double>(std::count(arms.begin(), arms.end(), 1));
    EXPECT_NEAR(active, 400, 12);
    sum += active;
  }
  EXPECT_NEAR(sum / n_trials, 400.0, 0.5);
}

}  // namespace
