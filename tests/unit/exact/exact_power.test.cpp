#include "exact/exact_power.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "analysis/binomial.hpp"

namespace trialwright::exact {
namespace {

using analysis::Direction;
using analysis::Method;
using analysis::Sides;
using analysis::TestSpec;

constexpr TestSpec k_chi_square{Method::chi_square, Sides::two, 0.05, 0.0, Direction::higher_is_better};
constexpr TestSpec k_fisher{Method::fisher, Sides::two, 0.05, 0.0, Direction::higher_is_better};

// The trial's own rates: 33 + 34 patients (issue 2; DOMAIN.md section 0).
TEST(ExactPower, OfThePublishedTrial) {
  EXPECT_NEAR(exact_power(k_chi_square, 33, 34, 19.0 / 33, 11.0 / 34), 0.555, 5e-4);
  EXPECT_NEAR(exact_power(k_chi_square, 33, 34, 0.58, 0.32), 0.581, 5e-4);
  EXPECT_NEAR(exact_power(k_fisher, 33, 34, 0.58, 0.32), 0.52, 5e-3);
}

// DOMAIN.md section 8 (b) and design scenarios D1 and D2.
TEST(ExactPower, OfTheCandidateDesigns) {
  EXPECT_NEAR(exact_power(k_chi_square, 57, 57, 0.58, 0.32), 0.8022, 5e-5);
  EXPECT_NEAR(exact_power(k_fisher, 57, 57, 0.58, 0.32), 0.7438, 5e-5);
  EXPECT_NEAR(exact_power(k_chi_square, 75, 75, 0.58, 0.32), 0.9089, 5e-5);
  EXPECT_NEAR(exact_power(k_fisher, 75, 75, 0.58, 0.32), 0.8825, 5e-5);
  EXPECT_NEAR(exact_power(k_chi_square, 80, 80, 0.5758, 0.3235), 0.8965, 1e-4);
  EXPECT_NEAR(exact_power(k_fisher, 80, 80, 0.5758, 0.3235), 0.8647, 1e-4);
  EXPECT_NEAR(exact_power(k_chi_square, 80, 80, 0.3235, 0.3235), 0.0513, 5e-5);
}

// Every table by hand: 3 + 3 patients, one-sided Fisher at .05 rejects 3/3 against 0/3 alone.
TEST(ExactPower, OfSixPatientsByHand) {
  const TestSpec fisher{Method::fisher, Sides::one, 0.05, 0.0, Direction::higher_is_better};
  EXPECT_EQ(RejectionRegion(fisher, 3, 3).count(), 1);
  EXPECT_NEAR(exact_power(fisher, 3, 3, 0.7, 0.2), 0.343 * 0.512, 1e-15);
  const auto size = exact_size(fisher, 3, 3);
  EXPECT_NEAR(size.size, std::pow(0.5, 6), 1e-12);
  EXPECT_NEAR(size.control_rate, 0.5, 1e-6);
}

TEST(ExactPower, RegionAndWindowedSumAgree) {
  for (const auto method :
       {Method::z_unpooled, Method::chi_square_yates, Method::fisher_midp, Method::boschloo})
    for (const double p_1 : {0.0, 0.01, 0.5, 0.99, 1.0}) {
      const TestSpec spec{method, Sides::one, 0.025, 0.0, Direction::higher_is_better};
      EXPECT_NEAR(RejectionRegion(spec, 41, 30).probability(p_1, 0.1),
                  exact_power(spec, 41, 30, p_1, 0.1), 1e-13);
    }
}

TEST(ExactPower, MirrorsWithTheDirection) {
  for (const auto method : {Method::chi_square, Method::fisher, Method::boschloo, Method::z_unpooled}) {
    const TestSpec higher{method, Sides::one, 0.025, 0.0, Direction::higher_is_better};
    const TestSpec lower{method, Sides::one, 0.025, 0.0, Direction::lower_is_better};
    EXPECT_NEAR(exact_power(higher, 25, 31, 0.6, 0.3), exact_power(lower, 25, 31, 0.4, 0.7), 1e-13);
  }
}

TEST(ExactPower, OfTwoSidedTestsIsTheSumOfItsSides) {
  const TestSpec both{Method::boschloo, Sides::two, 0.05, 0.0, Direction::higher_is_better};
  const TestSpec up{Method::boschloo, Sides::one, 0.025, 0.0, Direction::higher_is_better};
  const TestSpec down{Method::boschloo, Sides::one, 0.025, 0.0, Direction::lower_is_better};
  EXPECT_NEAR(exact_power(both, 30, 20, 0.45, 0.3),
              exact_power(up, 30, 20, 0.45, 0.3) + exact_power(down, 30, 20, 0.45, 0.3), 1e-13);
}

// Simple randomisation of 20 patients: n_1 is Binomial(20, 1/2).
TEST(ExactPower, MixesOverRandomArmSizes) {
  std::vector<double> probability(21);
  analysis::binomial_probabilities(20, 0.5, probability);
  std::vector<ArmSizeProbability> sizes;
  double by_hand = 0.0;
  for (int n_1 = 0; n_1 <= 20; ++n_1) {
    const double weight = probability[static_cast<std::size_t>(n_1)];
    sizes.push_back({n_1, weight});
    if (n_1 > 0 && n_1 < 20) by_hand += weight * exact_power(k_chi_square, n_1, 20 - n_1, 0.7, 0.3);
  }
  EXPECT_NEAR(exact_power(k_chi_square, 20, sizes, 0.7, 0.3), by_hand, 1e-14);
}

TEST(ExactPower, FisherAndUnconditionalTestsNeverExceedAlpha) {
  for (const auto method : {Method::fisher, Method::boschloo, Method::z_pooled_exact})
    for (const auto sides : {Sides::one, Sides::two})
      for (const auto& [n_1, n_0] : {std::pair{5, 5}, {12, 7}, {20, 20}, {36, 36}, {33, 34}, {60, 30}})
        for (const double alpha : {0.01, 0.025, 0.05, 0.1}) {
          const TestSpec spec{method, sides, alpha, 0.0, Direction::higher_is_better};
          EXPECT_LE(exact_size(spec, n_1, n_0).size, alpha * (1.0 + 1e-9)) << n_1 << "+" << n_0;
        }
}

TEST(ExactPower, BoschlooRejectsWhereverFisherDoes) {
  for (const auto& [n_1, n_0] : {std::pair{10, 10}, {33, 34}, {50, 25}}) {
    const TestSpec fisher{Method::fisher, Sides::one, 0.025, 0.0, Direction::higher_is_better};
    const TestSpec boschloo{Method::boschloo, Sides::one, 0.025, 0.0, Direction::higher_is_better};
    const analysis::BinaryTest inner(fisher), outer(boschloo);
    analysis::BinaryTest::Cache inner_cache, outer_cache;
    for (int x_1 = 0; x_1 <= n_1; ++x_1)
      for (int x_0 = 0; x_0 <= n_0; ++x_0) {
        const analysis::TwoByTwo table{x_1, n_1, x_0, n_0};
        ASSERT_LE(inner.reject(table, inner_cache), outer.reject(table, outer_cache));
      }
    EXPECT_GT(RejectionRegion(boschloo, n_1, n_0).count(), RejectionRegion(fisher, n_1, n_0).count());
  }
}

// The margin's edge: the Wald test's size is above alpha, the score test's near it
// (Farrington & Manning 1990).
TEST(ExactPower, SizeWithAMarginIsSearchedAlongItsEdge) {
  const TestSpec wald{Method::z_unpooled, Sides::one, 0.025, 0.1, Direction::lower_is_better};
  TestSpec score = wald;
  score.method = Method::farrington_manning;
  const auto size = exact_size(score, 36, 36);
  EXPECT_NEAR(exact_power(score, 36, 36, size.control_rate + 0.1, size.control_rate), size.size, 1e-12);
  EXPECT_GT(exact_size(wald, 36, 36).size, size.size);
}

}  // namespace
}  // namespace trialwright::exact
