#include "design/closed_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "design/closed_inference.hpp"
#include "math/normal.hpp"
#include "sequential/inference.hpp"

namespace trialwright::design {
namespace {

using sequential::BoundarySpec;
using sequential::Combination;

constexpr double k_alpha = 0.025;
constexpr double k_infinity = std::numeric_limits<double>::infinity();
const double k_even = std::sqrt(0.5);  // arms as large as the control

ClosedTest make(Intersection intersection, int n, Combination combination = Combination::inverse_normal,
                std::optional<BoundarySpec> efficacy = std::nullopt) {
  return {{intersection, combination, efficacy},
          k_alpha,
          std::array{0.5, 1.0},
          std::vector<double>(static_cast<std::size_t>(n), k_even)};
}

StageEvidence stage(std::vector<double> z, Bits tested, double lambda = k_even) {
  StageEvidence evidence;
  evidence.tested = tested;
  std::copy(z.begin(), z.end(), evidence.z.begin());
  evidence.lambda.fill(lambda);
  return evidence;
}

double z_of(double p) {
  return -math::normal_quantile(p);
}

TEST(IntersectionTests, OfOneMemberAreItsZ) {
  for (const auto& row : k_intersections)
    EXPECT_EQ(make(row.value, 3).intersection_z(stage({0.3, 1.7, -2}, 0b111), 0b010), 1.7) << row.name;
}

// tests/reference/dunnett.csv: single-step p-value of a largest z of 2.5, and the one-sided critical
// values of level 0.025 for two and four arms as large as the control.
TEST(IntersectionTests, DunnettKnowsTheSharedControl) {
  const auto two = make(Intersection::dunnett, 2), four = make(Intersection::dunnett, 4);
  EXPECT_NEAR(math::normal_survival(two.intersection_z(stage({2.5, 2.4}, 0b11), 0b11)), 0.011749965904,
              1e-8);
  EXPECT_NEAR(two.intersection_z(stage({-1, 2.21213509298}, 0b11), 0b11), 1.95996398454, 2e-7);
  EXPECT_NEAR(four.intersection_z(stage({0, 2.44177492055, 1, 1}, 0b1111), 0b1111), 1.95996398454,
              2e-7);
}

TEST(IntersectionTests, DunnettIsTheSameOffThePlan) {
  const auto planned = make(Intersection::dunnett, 3);
  const ClosedTest other({Intersection::dunnett, Combination::inverse_normal, {}}, k_alpha,
                         std::array{0.5, 1.0}, std::vector<double>(3, 0.6));
  for (double z : {-9.0, -2.0, 0.1, 1.7, 4.0, 15.0})
    EXPECT_NEAR(planned.intersection_z(stage({z, -3, z}, 0b111), 0b111),
                other.intersection_z(stage({z, -3, z}, 0b111), 0b111), 2e-7);
}

TEST(IntersectionTests, SimesAndBonferroniAreTheirFormulas) {
  const auto seen = stage({z_of(0.04), z_of(0.01), z_of(0.9)}, 0b111);
  EXPECT_NEAR(make(Intersection::simes, 3).intersection_z(seen, 0b011), z_of(0.02), 1e-12);
  EXPECT_NEAR(make(Intersection::simes, 3).intersection_z(seen, 0b111), z_of(0.03), 1e-12);
  EXPECT_NEAR(make(Intersection::bonferroni, 3).intersection_z(seen, 0b111), z_of(0.03), 1e-12);
  EXPECT_NEAR(make(Intersection::simes, 3).intersection_z(seen, 0b101), z_of(0.08), 1e-12);
  EXPECT_EQ(make(Intersection::bonferroni, 3).intersection_z(stage({-1, -2, -3}, 0b111), 0b111),
            -k_infinity);
}

TEST(IntersectionTests, HierarchicalTakesTheFirstThatIsThere) {
  const auto test = make(Intersection::hierarchical, 3);
  EXPECT_EQ(test.intersection_z(stage({0.5, 1.5, 2.5}, 0b111), 0b110), 1.5);
  EXPECT_EQ(test.intersection_z(stage({0.5, 1.5, 2.5}, 0b101), 0b110), 2.5);
}

TEST(IntersectionTests, DroppedArmsLeaveThem) {
  const auto test = make(Intersection::dunnett, 3);
  EXPECT_EQ(test.intersection_z(stage({9, 1.2, 9}, 0b010), 0b111), 1.2);
  EXPECT_EQ(test.intersection_z(stage({9, 1.2, 9}, 0b010), 0b101), -k_infinity);
}

TEST(ClosedTest, RejectsWhatEveryIntersectionRejects) {
  const auto test = make(Intersection::bonferroni, 2);
  const auto after = [&](std::vector<double> z) {
    return test(std::array{stage(z, 0b11)}, ClosedTest::Look::final).rejected;
  };
  EXPECT_EQ(after({2.2, 0}), 0u);  // 2 p > 0.025
  EXPECT_EQ(after({2.3, 1.9}), 0b01u);
  EXPECT_EQ(after({2.3, 2.0}), 0b11u);  // the second needs no more than its own level then
}

TEST(ClosedTest, CombinesTheStages) {
  const auto test = make(Intersection::dunnett, 2);
  const std::array stages{stage({1.5, 1.0}, 0b11), stage({2.4, 0}, 0b01)};
  const auto got = test(stages, ClosedTest::Look::final);
  const double global = test.intersection_z(stages[0], 0b11);
  EXPECT_LT(global, 1.5);
  EXPECT_NEAR(got.statistic[0], (global + 2.4) / std::sqrt(2.0), 1e-12);
  EXPECT_EQ(got.statistic[1], -k_infinity);  // it has no second stage
  EXPECT_NEAR(got.critical_value, 1.959963985, 1e-8);
  EXPECT_EQ(got.rejected, 0b01u);
  EXPECT_EQ(test({stages.data(), 1}, ClosedTest::Look::interim).rejected, 0u);
}

// Critical values at half the information and at the end: Lan-DeMets O'Brien-Fleming 2.962588 and
// 1.968596 (rpact 4.3.0, oc_rpact_multiarm.csv); Fisher's product without an interim test exp(-chi2(4,
// 0.975) / 2) (Bauer & Koehne 1994).
TEST(ClosedTest, HasTheBoundariesOfItsCombination) {
  const auto normal = make(Intersection::simes, 2, Combination::inverse_normal, BoundarySpec{});
  EXPECT_NEAR(normal.critical_value(0, ClosedTest::Look::interim), 2.962588, 1e-6);
  EXPECT_NEAR(normal.critical_value(1, ClosedTest::Look::final), 1.9685956, 1e-6);
  // A trial that ends at its first look has all of alpha there.
  EXPECT_NEAR(normal.critical_value(0, ClosedTest::Look::final), 1.959963985, 1e-8);
  const auto fisher = make(Intersection::simes, 2, Combination::fisher);
  EXPECT_NEAR(fisher.critical_value(1, ClosedTest::Look::final), std::exp(-11.1432867819 / 2), 1e-10);
  EXPECT_EQ(fisher.critical_value(0, ClosedTest::Look::interim), 0);
  EXPECT_NEAR(fisher.critical_value(0, ClosedTest::Look::final), k_alpha, 1e-12);
}

// At the critical value the p-value is alpha, whatever the first stage was.
TEST(PValueFunction, IsAlphaOnTheBoundary) {
  for (const auto combination : {Combination::inverse_normal, Combination::fisher})
    for (const bool has_interim : {false, true}) {
      const auto test = make(Intersection::dunnett, 2, combination,
                             has_interim ? std::optional(BoundarySpec{}) : std::nullopt);
      const double critical = test.critical_value(1, ClosedTest::Look::final);
      for (const double first : {-1.0, 0.4, 2.0}) {
        const double second = combination == Combination::inverse_normal
                                  ? critical * std::sqrt(2.0) - first
                                  : z_of(critical / math::normal_survival(first));
        // Where p_1 alone is below Fisher's critical value any second stage rejects.
        if (combination == Combination::fisher && math::normal_survival(first) <= critical) continue;
        EXPECT_NEAR(test.overall_p_value(std::array{first, second}), k_alpha, 1e-9)
            << first << " " << has_interim;
      }
    }
}

// Against the general function of any number of looks.
TEST(PValueFunction, IsTheStagewiseOrdering) {
  const auto test = make(Intersection::dunnett, 2, Combination::inverse_normal, BoundarySpec{});
  const std::array information{0.5, 1.0};
  const std::array efficacy{test.critical_value(0, ClosedTest::Look::interim),
                            test.critical_value(1, ClosedTest::Look::final)};
  for (const auto& z : {std::array{0.3, 1.1}, std::array{2.0, -0.5}, std::array{-1.0, 2.0}}) {
    const double both = (z[0] + z[1]) / std::sqrt(2.0);
    EXPECT_NEAR(test.overall_p_value(z),
                sequential::stagewise_p_value({information, efficacy, {}, both}), 1e-9);
  }
}

TEST(ClosedInference, IsOneWithTheTest) {
  const auto test = make(Intersection::dunnett, 2);
  std::mt19937_64 engine(20261123);
  std::normal_distribution<double> normal;
  const std::array<StagePrecision, 2> precision{{{10, 10}, {12, 12}}};
  for (int i = 0; i < 200; ++i) {
    const std::array stages{stage({1 + normal(engine), 1 + normal(engine)}, 0b11),
                            stage({1.2 + normal(engine), 0}, 0b01)};
    const auto got = closed_inference(test, stages, precision, 0, 0.95);
    ASSERT_TRUE(got.defined);
    const bool rejected = test(stages, ClosedTest::Look::final).rejected & 1;
    EXPECT_EQ(got.lower > 0, rejected);
    EXPECT_EQ(got.p_value < k_alpha, rejected);
    EXPECT_LT(got.lower, got.estimate);
    EXPECT_LT(got.estimate, got.upper);
    EXPECT_FALSE(closed_inference(test, stages, precision, 1, 0.95).defined);
  }
}

}  // namespace
}  // namespace trialwright::design
