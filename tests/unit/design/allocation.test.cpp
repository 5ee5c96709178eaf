#include "design/allocation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <vector>

#include "support/allocation_cases.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using test_support::counts_by_arm;
using test_support::no_strata;

constexpr rng::Key k_key = rng::key_from_seed(20261123);

std::vector<int> allocate(const Allocation& allocation, std::uint64_t trial,
                          const base::Columns<int>& strata, int n) {
  Allocation::Workspace workspace;
  std::vector<int> arms(static_cast<std::size_t>(n), -1);
  allocation.allocate(k_key, trial, strata, arms, workspace);
  return arms;
}

TEST(RandomAllocationRule, GivesTheTotalsExactlyInEveryTrial) {
  const std::vector<ArmShare> arms{{0, 1}, {3, 2}, {4, 2}};
  for (const int n : {3, 4, 5, 17, 100, 1001}) {
    const Allocation allocation(RandomAllocation{}, arms, n, {});
    const std::vector<int> totals = arm_totals(n, arms);
    for (std::uint64_t trial = 0; trial < 200; ++trial) {
      const auto counts = counts_by_arm(allocate(allocation, trial, no_strata(), n), 5);
      EXPECT_EQ(counts[0], totals[0]);
      EXPECT_EQ(counts[3], totals[1]);
      EXPECT_EQ(counts[4], totals[2]);
    }
  }
}

TEST(RandomAllocationRule, HoldsInATrialSoLargeThatWordsAreRejected) {
  // Some n^2 / 2^33, about 500, of the words are drawn again here.
  constexpr int n = 2'000'001;
  const auto arms =
      allocate(Allocation(RandomAllocation{}, {{0, 1}, {1, 1}}, n, {}), 1, no_strata(), n);
  EXPECT_EQ(counts_by_arm(arms, 2), (std::vector<int>{1'000'001, 1'000'000}));
}

TEST(RandomAllocationRule, TwoArmsAndManyDrawTheSameUrn) {
  // The two-arm short cut and the general urn, whose third arm is empty, take the same draws.
  const Allocation two(RandomAllocation{}, {{0, 1}, {1, 1}}, 40, {});
  const Allocation three(RandomAllocation{}, {{0, 500}, {1, 500}, {2, 1}}, 40, {});
  ASSERT_EQ(arm_totals(40, three.arms())[2], 0);
  EXPECT_EQ(allocate(two, 7, no_strata(), 40), allocate(three, 7, no_strata(), 40));
}

TEST(Allocation, IsAFunctionOfSeedAndTrialAlone) {
  base::Columns<int> strata(200, 2);
  std::mt19937 random(1);
  for (std::size_t i = 0; i < 200; ++i) {
    strata[0][i] = static_cast<int>(random() % 2);
    strata[1][i] = static_cast<int>(random() % 7);
  }
  const std::vector<ArmShare> arms{{0, 1}, {1, 2}};
  for (const Randomisation& how :
       std::vector<Randomisation>{RandomAllocation{}, SimpleRandomisation{}, PermutedBlock{6, {0, 1}},
                                  Minimisation{{0, 1}, 0.8, {}}}) {
    const Allocation allocation(how, arms, 200, {2, 7});
    const auto first = allocate(allocation, 5, strata, 200);
    Allocation::Workspace used;
    std::vector<int> again(200);
    for (const std::uint64_t trial : {3, 9, 5}) allocation.allocate(k_key, trial, strata, again, used);
    EXPECT_EQ(first, again);
    EXPECT_NE(first, allocate(allocation, 6, strata, 200));
    EXPECT_THAT(first, testing::Each(testing::AnyOf(0, 1)));
  }
}

TEST(Allocation, AShorterTrialIsAPrefixWhereTheRuleAllows) {
  base::Columns<int> strata(100, 1);
  for (std::size_t i = 0; i < 100; ++i) strata[0][i] = static_cast<int>(i % 3);
  for (const Randomisation& how : std::vector<Randomisation>{
           SimpleRandomisation{}, PermutedBlock{4, {0}}, Minimisation{{0}, 0.8, {}}}) {
    const auto longer = allocate(Allocation(how, {{0, 1}, {1, 1}}, 100, {3}), 2, strata, 100);
    const auto shorter = allocate(Allocation(how, {{0, 1}, {1, 1}}, 60, {3}), 2, strata, 60);
    EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longer.begin()));
  }
}

TEST(Allocation, TellsWhichFactorsItReads) {
  const std::vector<ArmShare> arms{{0, 1}, {1, 1}};
  EXPECT_THAT(Allocation(PermutedBlock{4, {2, 0}}, arms, 10, {2, 2, 2}).needs_factors(),
              testing::ElementsAre(2, 0));
  EXPECT_THAT(Allocation(Minimisation{{1}, 0.8, {}}, arms, 10, {2, 2, 2}).needs_factors(),
              testing::ElementsAre(1));
  EXPECT_TRUE(Allocation(SimpleRandomisation{}, arms, 10, {2, 2, 2}).needs_factors().empty());
}

TEST(PermutedBlock, HoldsTheRatioInEveryFullBlockOfEveryStratum) {
  constexpr int n = 500;
  std::mt19937 random(7);
  base::Columns<int> strata(n, 3);
  for (std::size_t i = 0; i < n; ++i) {
    strata[0][i] = static_cast<int>(random() % 2);
    strata[1][i] = 99;  // a factor that the design does not use
    strata[2][i] = static_cast<int>(random() % 11);
  }
  const Allocation allocation(PermutedBlock{9, {0, 2}}, {{0, 1}, {1, 2}}, n, {2, 5, 11});
  for (std::uint64_t trial = 0; trial < 50; ++trial) {
    const auto arms = allocate(allocation, trial, strata, n);
    std::map<std::pair<int, int>, std::vector<int>> lists;
    for (std::size_t i = 0; i < n; ++i) lists[{strata[0][i], strata[2][i]}].push_back(arms[i]);
    for (const auto& [stratum, list] : lists) {
      for (std::size_t start = 0; start < list.size(); start += 9) {
        const std::size_t end = std::min(start + 9, list.size());
        const auto active = std::count(list.begin() + start, list.begin() + end, 1);
        if (end - start == 9) {
          EXPECT_EQ(active, 6);
        }
        EXPECT_LE(active, 6);
        EXPECT_LE(static_cast<std::ptrdiff_t>(end - start) - active, 3);
      }
    }
  }
}

TEST(Minimisation, WithoutChanceTakesTheArmThatBalancesTheMargins) {
  // Two factors, p = 1: whenever the arms' imbalances differ, the lesser one is certain. Recomputed
  // here from the definition, range and variance, in floating point.
  constexpr int n = 300;
  std::mt19937 random(3);
  base::Columns<int> strata(n, 2);
  for (std::size_t i = 0; i < n; ++i) {
    strata[0][i] = static_cast<int>(random() % 3);
    strata[1][i] = static_cast<int>(random() % 4);
  }
  const std::vector<ArmShare> shares{{0, 1}, {1, 2}, {2, 2}};
  for (const Imbalance imbalance : {Imbalance::range, Imbalance::variance}) {
    const auto arms =
        allocate(Allocation(Minimisation{{0, 1}, 1.0, imbalance}, shares, n, {3, 4}), 1, strata, n);
    int n_decided = 0;
    for (std::size_t i = 0; i < n; ++i) {
      double totals[3] = {0, 0, 0};
      for (int joined = 0; joined < 3; ++joined)
        for (int f = 0; f < 2; ++f) {
          double counts[3] = {0, 0, 0};
          for (std::size_t j = 0; j < i; ++j)
            if (strata[f][j] == strata[f][i]) counts[arms[j]] += 1.0 / shares[arms[j]].ratio;
          counts[joined] += 1.0 / shares[joined].ratio;
          const double mean = (counts[0] + counts[1] + counts[2]) / 3;
          double variance = 0;
          for (const double count : counts) variance += (count - mean) * (count - mean) / 2;
          const auto [low, high] = std::minmax_element(counts, counts + 3);
          totals[joined] += imbalance == Imbalance::range ? *high - *low : variance;
        }
      const double least = *std::min_element(totals, totals + 3);
      EXPECT_NEAR(totals[arms[i]], least, 1e-9) << "patient " << i;
      n_decided += std::count_if(totals, totals + 3, [&](double g) { return g < least + 1e-9; }) == 1;
    }
    EXPECT_GT(n_decided, n / 4);
  }
}

// A list among some arms, of patients first .. n - 1; -1 before.
std::vector<int> allocate_among(const Allocation& allocation, std::uint32_t kept, int first, int n,
                                const base::Columns<int>& strata = no_strata()) {
  Allocation::Workspace workspace;
  std::vector<int> arms(static_cast<std::size_t>(n), -1), patients(static_cast<std::size_t>(n - first));
  std::iota(patients.begin(), patients.end(), first);
  allocation.allocate_among(k_key, 5, strata, kept, patients, arms, workspace);
  return arms;
}

TEST(AllocateAmong, AllArmsFromTheFirstPatientOnIsTheListOfSoManyPatients) {
  base::Columns<int> strata(60, 1);
  for (std::size_t i = 0; i < 60; ++i) strata[0][i] = static_cast<int>(i * 7 % 3);
  for (const std::vector<ArmShare>& arms :
       {std::vector<ArmShare>{{0, 1}, {3, 1}}, std::vector<ArmShare>{{0, 2}, {1, 1}, {2, 3}}})
    for (const Randomisation& method :
         {Randomisation{RandomAllocation{}}, Randomisation{SimpleRandomisation{}},
          Randomisation{PermutedBlock{6 * 2, {}}}, Randomisation{PermutedBlock{6, {0}}},
          Randomisation{Minimisation{{0}, 0.8, Imbalance::range}}}) {
      const Allocation large(method, arms, 500, {3}), own(method, arms, 60, {3});
      EXPECT_EQ(allocate_among(large, ~std::uint32_t{0}, 0, 60, strata), allocate(own, 5, strata, 60));
    }
}

TEST(AllocateAmong, HoldsTheRatioOfTheArmsThatStay) {
  const std::vector<ArmShare> arms{{0, 2}, {1, 1}, {2, 1}};
  // Arms 0 and 2 stay, two to one.
  const auto random = allocate_among(Allocation(RandomAllocation{}, arms, 400, {}), 0b101, 10, 100);
  EXPECT_EQ(std::count(random.begin(), random.begin() + 10, -1), 10);
  EXPECT_EQ(std::count(random.begin(), random.end(), 0), 60);
  EXPECT_EQ(std::count(random.begin(), random.end(), 2), 30);
  // Of a block of eight, four and two are left.
  const auto blocks = allocate_among(Allocation(PermutedBlock{8, {}}, arms, 400, {}), 0b101, 4, 100);
  for (int from = 4; from + 6 <= 100; from += 6) {
    EXPECT_EQ(std::count(blocks.begin() + from, blocks.begin() + from + 6, 0), 4);
    EXPECT_EQ(std::count(blocks.begin() + from, blocks.begin() + from + 6, 2), 2);
  }
  const auto simple =
      allocate_among(Allocation(SimpleRandomisation{}, arms, 40'000, {}), 0b101, 0, 30'000);
  EXPECT_EQ(std::count(simple.begin(), simple.end(), 1), 0);
  // Binomial(30000, 1/3) has a standard deviation of 82: a false alarm in 1e7.
  EXPECT_NEAR(static_cast<double>(std::count(simple.begin(), simple.end(), 2)), 10'000, 5.3 * 82);
  base::Columns<int> strata(90, 1);
  std::fill_n(strata[0].begin(), 90, 0);
  const auto minimised = allocate_among(
      Allocation(Minimisation{{0}, 1.0, Imbalance::range}, arms, 400, {1}), 0b101, 0, 90, strata);
  EXPECT_EQ(std::count(minimised.begin(), minimised.end(), 0), 60);
  EXPECT_EQ(std::count(minimised.begin(), minimised.end(), 2), 30);
}

TEST(AllocateAmong, OneArmThatStaysTakesAll) {
  base::Columns<int> strata(30, 1);
  std::fill_n(strata[0].begin(), 30, 0);
  for (const Randomisation& method :
       {Randomisation{RandomAllocation{}}, Randomisation{SimpleRandomisation{}},
        Randomisation{PermutedBlock{4, {0}}},
        Randomisation{Minimisation{{0}, 0.8, Imbalance::range}}}) {
    const auto arms =
        allocate_among(Allocation(method, {{0, 1}, {7, 1}}, 60, {1}), 0b10, 0, 30, strata);
    EXPECT_EQ(std::count(arms.begin(), arms.end(), 7), 30);
  }
}

TEST(AllocateAmong, TakesEachPatientsOwnWord) {
  // Whoever is passed over, the arms of the others by simple randomisation are theirs.
  const Allocation allocation(SimpleRandomisation{}, {{0, 1}, {1, 1}}, 100, {});
  const auto all = allocate(allocation, 5, no_strata(), 100);
  Allocation::Workspace workspace;
  const std::vector<int> some{3, 4, 50, 77};
  std::vector<int> arms(100, -1);
  allocation.allocate_among(k_key, 5, no_strata(), 0b11, some, arms, workspace);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(arms[static_cast<std::size_t>(i)], std::find(some.begin(), some.end(), i) != some.end()
                                                     ? all[static_cast<std::size_t>(i)]
                                                     : -1);
}

TEST(ArmSizeLaw, IsAPointForTheRandomAllocationRule) {
  const auto law = Allocation(RandomAllocation{}, {{0, 1}, {2, 1}}, 67, {}).arm_size_law(0);
  ASSERT_TRUE(law);
  ASSERT_EQ(law->size(), 1u);
  EXPECT_EQ(law->front().n_1, 33);
  EXPECT_EQ(law->front().probability, 1.0);
}

TEST(ArmSizeLaw, IsBinomialForSimpleRandomisation) {
  // C(5, k) (2/3)^k (1/3)^(5-k) = {1, 10, 40, 80, 80, 32} / 243
  const auto law = Allocation(SimpleRandomisation{}, {{0, 1}, {1, 2}}, 5, {}).arm_size_law(0);
  ASSERT_TRUE(law);
  ASSERT_EQ(law->size(), 6u);
  const double expected[] = {1, 10, 40, 80, 80, 32};
  for (int k = 0; k <= 5; ++k) {
    EXPECT_EQ((*law)[k].n_1, k);
    EXPECT_NEAR((*law)[k].probability, expected[k] / 243, 1e-15);
  }
}

TEST(ArmSizeLaw, IsHypergeometricInTheIncompleteBlock) {
  // 2 full blocks of 1:2 in 6 and 3 patients of a third: C(4, k) C(2, 3-k) / C(6, 3) = {4, 12, 4} / 20.
  const auto law = Allocation(PermutedBlock{6, {}}, {{0, 1}, {1, 2}}, 15, {}).arm_size_law(0);
  ASSERT_TRUE(law);
  ASSERT_EQ(law->size(), 3u);
  const double expected[] = {4, 12, 4};
  for (int k = 0; k < 3; ++k) {
    EXPECT_EQ((*law)[k].n_1, 8 + 1 + k);
    EXPECT_NEAR((*law)[k].probability, expected[k] / 20, 1e-15);
  }
  const auto whole = Allocation(PermutedBlock{6, {}}, {{0, 1}, {1, 2}}, 18, {}).arm_size_law(0);
  ASSERT_EQ(whole->size(), 1u);
  EXPECT_EQ(whole->front().n_1, 12);
}

TEST(ArmSizeLaw, SumsToOneInLargeTrials) {
  for (const int n : {1000, 100'000, 10'000'000}) {
    const auto law = Allocation(SimpleRandomisation{}, {{0, 1}, {1, 1}}, n, {}).arm_size_law(0);
    double total = 0, mean = 0, square = 0;
    for (const auto& point : *law) {
      total += point.probability;
      mean += point.probability * (point.n_1 - n / 2.0);
      square += point.probability * (point.n_1 - n / 2.0) * (point.n_1 - n / 2.0);
    }
    EXPECT_NEAR(total, 1, 1e-12);
    EXPECT_NEAR(mean, 0, 1e-6);
    EXPECT_NEAR(square / (n / 4.0), 1, 1e-9);
  }
}

TEST(ArmSizeLaw, IsUnknownWhereItDependsOnThePatientsOrArms) {
  const std::vector<ArmShare> two{{0, 1}, {1, 1}}, three{{0, 1}, {1, 1}, {2, 1}};
  EXPECT_FALSE(Allocation(PermutedBlock{4, {0}}, two, 20, {2}).arm_size_law(0));
  EXPECT_FALSE(Allocation(Minimisation{{0}, 0.8, {}}, two, 20, {2}).arm_size_law(0));
  EXPECT_FALSE(Allocation(RandomAllocation{}, three, 21, {}).arm_size_law(0));
}

}  // namespace
