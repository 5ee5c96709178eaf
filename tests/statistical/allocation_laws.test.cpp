// Treatment allocation against its exact laws. Each test is a chi-square or binomial test that fails a
// right program with probability 1e-4 (the seeds are fixed: once, or never); n is chosen so that a cell
// off by a tenth of its probability is found with power above 0.99.
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "design/allocation.hpp"
#include "support/allocation_cases.hpp"
#include "unit/rng/chi_square.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using test::chi_square_p_value;
using test::k_false_alarm_rate;
using test_support::no_strata;

constexpr rng::Key k_key = rng::key_from_seed(7001);

// How often each list of arms ("0110") came in n_trials trials.
std::map<std::string, std::uint64_t> list_counts(const Allocation& allocation, std::uint64_t n_trials,
                                                 const base::Columns<int>& strata = no_strata()) {
  std::map<std::string, std::uint64_t> counts;
  Allocation::Workspace workspace;
  std::vector<int> arms(static_cast<std::size_t>(allocation.n_patients()));
  std::string list(arms.size(), ' ');
  for (std::uint64_t trial = 0; trial < n_trials; ++trial) {
    allocation.allocate(k_key, trial, strata, arms, workspace);
    for (std::size_t i = 0; i < arms.size(); ++i) list[i] = static_cast<char>('0' + arms[i]);
    ++counts[list];
  }
  return counts;
}

// The lists that came are those of `law`, with its probabilities.
void expect_law(const std::map<std::string, std::uint64_t>& counts,
                const std::map<std::string, double>& law) {
  std::vector<std::uint64_t> observed;
  std::vector<double> probabilities;
  for (const auto& [list, probability] : law) {
    const auto found = counts.find(list);
    observed.push_back(found == counts.end() ? 0 : found->second);
    probabilities.push_back(probability);
  }
  for (const auto& [list, count] : counts)
    EXPECT_TRUE(law.contains(list)) << list << " came " << count << " times";
  EXPECT_GT(chi_square_p_value(observed, probabilities), k_false_alarm_rate);
}

// Every list of `n` arms below n_arms, with the probability that `of` gives it (0: left out).
template <class Of>
std::map<std::string, double> law_of_lists(int n, int n_arms, Of of) {
  std::map<std::string, double> law;
  int n_lists = 1;
  for (int i = 0; i < n; ++i) n_lists *= n_arms;
  for (int code = 0; code < n_lists; ++code) {
    std::string list;
    for (int i = 0, rest = code; i < n; ++i, rest /= n_arms)
      list += static_cast<char>('0' + rest % n_arms);
    if (const double probability = of(list); probability > 0) law[list] = probability;
  }
  return law;
}

// Probability of a list that is drawn from an urn without replacement, the urn filled again when empty.
double urn_probability(const std::string& list, const std::vector<int>& full) {
  double probability = 1;
  std::vector<int> urn(full.size(), 0);
  int left = 0;
  for (const char arm : list) {
    if (left == 0) {
      urn = full;
      for (const int balls : urn) left += balls;
    }
    int& balls = urn[static_cast<std::size_t>(arm - '0')];
    probability *= static_cast<double>(balls) / left;
    --balls;
    --left;
  }
  return probability;
}

TEST(AllocationLaws, EveryListOfTheRandomAllocationRuleIsEquallyLikely) {
  const auto two = law_of_lists(6, 2, [](const std::string& list) {
    return urn_probability(list, {3, 3});
  });
  ASSERT_EQ(two.size(), 20u);
  EXPECT_NEAR(two.begin()->second, 1.0 / 20, 1e-12);
  expect_law(list_counts(Allocation(RandomAllocation{}, {{0, 1}, {1, 1}}, 6, {}), 100'000), two);

  const auto three = law_of_lists(5, 3, [](const std::string& list) {
    return urn_probability(list, {1, 2, 2});
  });
  ASSERT_EQ(three.size(), 30u);
  expect_law(list_counts(Allocation(RandomAllocation{}, {{0, 1}, {1, 2}, {2, 2}}, 5, {}), 100'000),
             three);
}

TEST(AllocationLaws, SimpleRandomisationIsIndependentByTheRatio) {
  const auto law = law_of_lists(4, 3, [](const std::string& list) {
    double probability = 1;
    for (const char arm : list) probability *= (arm == '0' ? 1.0 : arm == '1' ? 2.0 : 3.0) / 6;
    return probability;
  });
  expect_law(list_counts(Allocation(SimpleRandomisation{}, {{0, 1}, {1, 2}, {2, 3}}, 4, {}), 400'000),
             law);
}

TEST(AllocationLaws, PermutedBlocksAreUniformAndIndependent) {
  const auto law = law_of_lists(7, 2, [](const std::string& list) {
    return urn_probability(list, {2, 2});
  });
  expect_law(list_counts(Allocation(PermutedBlock{4, {}}, {{0, 1}, {1, 1}}, 7, {}), 300'000), law);
}

TEST(AllocationLaws, StrataHaveListsOfTheirOwn) {
  // Patients 0, 2, 3, 5 in one stratum, 1, 4, 6 in the other: two independent lists.
  base::Columns<int> strata(7, 1);
  for (const std::size_t i : {0, 2, 3, 5}) strata[0][i] = 0;
  for (const std::size_t i : {1, 4, 6}) strata[0][i] = 1;
  const auto law = law_of_lists(7, 2, [](const std::string& list) {
    const std::string first{list[0], list[2], list[3], list[5]}, second{list[1], list[4], list[6]};
    return urn_probability(first, {2, 2}) * urn_probability(second, {2, 2});
  });
  expect_law(list_counts(Allocation(PermutedBlock{4, {0}}, {{0, 1}, {1, 1}}, 7, {2}), 300'000, strata),
             law);
}

TEST(AllocationLaws, ArmSizesFollowTheStatedLaw) {
  struct Case {
    Randomisation how;
    std::vector<ArmShare> arms;
    int n;
  };
  for (const auto& [how, arms, n] : {Case{SimpleRandomisation{}, {{0, 1}, {1, 2}}, 40},
                                     Case{PermutedBlock{12, {}}, {{0, 1}, {1, 2}}, 42},
                                     Case{PermutedBlock{10, {}}, {{0, 1}, {1, 1}}, 35}}) {
    const Allocation allocation(how, arms, n, {});
    const auto law = allocation.arm_size_law(0);
    ASSERT_TRUE(law);
    std::vector<std::uint64_t> by_size(static_cast<std::size_t>(n) + 1, 0);
    constexpr std::uint64_t n_trials = 100'000;
    for (const auto& [list, count] : list_counts(allocation, n_trials))
      by_size[static_cast<std::size_t>(std::count(list.begin(), list.end(), '1'))] += count;
    // Rare sizes pooled into one cell, so that every cell expects at least 20.
    std::vector<std::uint64_t> observed{0};
    std::vector<double> probabilities{0};
    for (const auto& point : *law) {
      const bool is_rare = point.probability * n_trials < 20;
      if (is_rare) {
        observed[0] += by_size[static_cast<std::size_t>(point.n_1)];
        probabilities[0] += point.probability;
      } else {
        observed.push_back(by_size[static_cast<std::size_t>(point.n_1)]);
        probabilities.push_back(point.probability);
      }
      by_size[static_cast<std::size_t>(point.n_1)] = 0;
    }
    for (const std::uint64_t impossible : by_size) EXPECT_EQ(impossible, 0u);
    if (probabilities[0] == 0) {
      observed.erase(observed.begin());
      probabilities.erase(probabilities.begin());
    }
    EXPECT_GT(chi_square_p_value(observed, probabilities), k_false_alarm_rate);
  }
}

TEST(AllocationLaws, NeighbouringTrialsAndPatientsAreIndependent) {
  const Allocation allocation(SimpleRandomisation{}, {{0, 1}, {1, 1}}, 8, {});
  Allocation::Workspace workspace;
  std::vector<int> before(8), arms(8);
  std::vector<std::uint64_t> trial_pairs(4, 0), patient_pairs(4, 0);
  for (std::uint64_t trial = 0; trial < 100'000; ++trial) {
    allocation.allocate(k_key, trial, no_strata(), arms, workspace);
    if (trial % 2 == 1) ++trial_pairs[static_cast<std::size_t>(2 * before[3] + arms[3])];
    ++patient_pairs[static_cast<std::size_t>(2 * arms[3] + arms[4])];
    before = arms;
  }
  EXPECT_GT(chi_square_p_value(trial_pairs), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(patient_pairs), k_false_alarm_rate);
}

}  // namespace
