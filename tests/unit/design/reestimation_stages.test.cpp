#include "design/reestimation_stages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "math/normal.hpp"
#include "sequential/inference.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using sequential::Combination;

constexpr double k_infinity = std::numeric_limits<double>::infinity();

// Of two looks, the first at this share of the plan; `there` is the share really there.
struct TwoStages {
  StagewiseTest test;
  TwoStages(Combination combination, double alpha, double share, bool stops)
      : test(combination, alpha, {share, 1.0},
             stops ? std::optional(sequential::BoundarySpec()) : std::nullopt, 0) {}
  double critical_z_2(double z_1, double there) const {
    StagewiseTest::Bounds own;
    return test.critical_z({&z_1, 1}, test.bounds({&there, 1}, own), 1);
  }
};

TEST(StagewiseTest, ConditionalErrorIsThatOfThePlannedWeightsWhereTheLookIsAsPlanned) {
  const TwoStages weighted(Combination::inverse_normal, 0.025, 0.4, false),
      handed_on(Combination::conditional_error, 0.025, 0.4, false);
  for (const double z : {-1.0, 0.3, 1.7}) {
    const double critical = weighted.critical_z_2(z, 0.4);
    EXPECT_NEAR(handed_on.critical_z_2(z, 0.4), critical, 1e-14);
    EXPECT_NEAR(math::normal_survival(critical),
                sequential::conditional_error(z, 0.4, 1.959963984540054), 1e-14);
    // With fewer patients at the look than planned, stage 1 weighs less.
    EXPECT_EQ(weighted.critical_z_2(z, 0.3), critical);
    EXPECT_NEAR(handed_on.critical_z_2(z, 0.3),
                (1.959963984540054 - std::sqrt(0.3) * z) / std::sqrt(0.7), 1e-14);
  }
  // All that was planned is there: the decision is made.
  EXPECT_EQ(handed_on.critical_z_2(2.0, 1.0), -k_infinity);
  EXPECT_EQ(handed_on.critical_z_2(1.9, 1.1), k_infinity);
}

// Bauer & Koehne 1994, table 1: alpha 0.05, c = exp(-chi2(4, 0.95) / 2) = 0.00870; 0.025: 0.0038.
TEST(StagewiseTest, FisherHoldsTheSecondStageAgainstTheProductsRest) {
  const TwoStages fisher(Combination::fisher, 0.05, 0.5, false);
  const double product = fisher.test.fisher_product(1, fisher.test.planned());
  EXPECT_NEAR(product, 0.00870, 5e-6);
  const double z_1 = 1.0, p_1 = math::normal_survival(z_1);
  EXPECT_NEAR(math::normal_survival(fisher.critical_z_2(z_1, 0.5)), product / p_1, 1e-14);
  EXPECT_EQ(fisher.critical_z_2(3.0, 0.5), -k_infinity);
}

// P(reject) under the null with independent normal stages, whatever the second one's size: integrate
// the conditional error over z_1 by the midpoint rule.
TEST(StagewiseTest, EveryCombinationSpendsAlphaExactly) {
  for (const auto combination :
       {Combination::inverse_normal, Combination::fisher, Combination::conditional_error}) {
    for (const bool stops : {false, true}) {
      const TwoStages two(combination, 0.025, 0.4, stops);
      const double cut = two.test.planned().critical_z[0], step = 1e-3;
      double error = stops ? math::normal_survival(cut) : 0;
      for (double z = -9 + step / 2; z < std::min(cut, 9.0); z += step)
        error += step * math::normal_pdf(z) * math::normal_survival(two.critical_z_2(z, 0.4));
      EXPECT_NEAR(error, 0.025, 2e-6) << static_cast<int>(combination) << stops;
    }
  }
}

StagewiseTest three_looks(Combination combination, bool stops, int first_change = 0) {
  return {combination,
          0.025,
          {0.5, 0.75, 1.0},
          stops ? std::optional(sequential::BoundarySpec()) : std::nullopt,
          first_change};
}

constexpr Combination k_combinations_of_looks[] = {Combination::inverse_normal, Combination::fisher,
                                                   Combination::conditional_error};

// What the looks to come reject, given the first stages: integrated over one more stage after another
// by the midpoint rule, whatever sizes bring those stages about.
double rejection_after(const StagewiseTest& test, const StagewiseTest::Bounds& bounds,
                       std::vector<double> stage_z, double step) {
  const double critical = test.critical_z(stage_z, bounds, stage_z.size());
  double probability = math::normal_survival(critical);
  if (stage_z.size() + 1 == test.n_looks()) return probability;
  stage_z.push_back(0);
  const double top = std::min(critical, 8.0), n = std::ceil((top + 8) / step), width = (top + 8) / n;
  for (double i = 0; i < n; ++i) {
    stage_z.back() = -8 + (i + 0.5) * width;
    probability +=
        width * math::normal_pdf(stage_z.back()) * rejection_after(test, bounds, stage_z, step);
  }
  return probability;
}

// The midpoint rule's error at the boundary is of the order of step^2.
TEST(StagewiseTest, SpendsAlphaOverThreeLooks) {
  for (const auto combination : k_combinations_of_looks)
    for (const bool stops : {false, true}) {
      const auto test = three_looks(combination, stops);
      EXPECT_NEAR(rejection_after(test, test.planned(), {}, 0.02), 0.025, 2e-5)
          << static_cast<int>(combination) << stops;
    }
}

// Mueller & Schaefer 2001: what is handed on is the conditional rejection probability of the looks to
// come, also where the information at the first look is not as planned.
TEST(StagewiseTest, HandsOnTheConditionalRejectionProbability) {
  for (const auto combination : k_combinations_of_looks)
    for (const bool stops : {false, true})
      for (const double z_1 : {-0.5, 1.0, 2.2}) {
        const auto test = three_looks(combination, stops);
        const double there = 0.42;
        StagewiseTest::Bounds own;
        const auto& bounds = test.bounds({&there, 1}, own);
        const double rest = math::normal_survival(test.critical_z_of_rest({&z_1, 1}, bounds));
        EXPECT_NEAR(rejection_after(test, bounds, {z_1}, 0.005), rest, 2e-5)
            << static_cast<int>(combination) << stops << z_1;
      }
}

// With fewer patients there than planned the boundary spends alpha at the information really there, up
// to the first look that may change the size; its level stays alpha.
TEST(StagewiseTest, ConditionalErrorBeginsAtTheInformationReallyThere) {
  const auto test = three_looks(Combination::conditional_error, true, 1);
  const std::vector<double> there{0.4, 0.7};
  StagewiseTest::Bounds own;
  const auto& bounds = test.bounds(there, own);
  const auto boundary = sequential::efficacy_boundary({}, 0.025, std::vector<double>{0.4, 0.7, 1.0});
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(bounds.critical_z[i], boundary.efficacy_z[i], 1e-9);
  EXPECT_NEAR(bounds.information[1], 0.7, 1e-15);
  EXPECT_NEAR(rejection_after(test, bounds, {}, 0.02), 0.025, 2e-5);
  // Where the first look may change it, the second one's weight is as planned.
  const auto early = three_looks(Combination::conditional_error, true, 0);
  EXPECT_NEAR(early.bounds(there, own).information[1], 0.75, 1e-15);
}

// At the critical value of its look an outcome's p-value is the alpha spent by it; a rest that just
// rejects has alpha's conditional share, so that p is at most alpha where and only where it rejects.
TEST(StagewiseTest, PValuesAreAlphaSpentAtTheBoundary) {
  const auto boundary = sequential::efficacy_boundary({}, 0.025, std::vector<double>{0.5, 0.75, 1.0});
  for (const auto combination : k_combinations_of_looks) {
    const auto test = three_looks(combination, true);
    const auto& bounds = test.planned();
    const double z_1 = 1.2, critical_2 = test.critical_z({&z_1, 1}, bounds, 1);
    const std::vector<double> two{z_1, critical_2};
    EXPECT_NEAR(test.p_value(two, bounds, StagewiseTest::Last::at_its_look), boundary.alpha_spent[1],
                1e-9);
    std::vector<double> three{z_1, 0.3};
    three.push_back(test.critical_z(three, bounds, 2));
    EXPECT_NEAR(test.p_value(three, bounds, StagewiseTest::Last::of_rest), 0.025, 1e-8);
    const double rest = test.critical_z_of_rest({&z_1, 1}, bounds);
    for (const double excess : {-0.01, 0.01}) {
      const std::vector<double> skipped{z_1, rest + excess};
      const double p = test.p_value(skipped, bounds, StagewiseTest::Last::of_rest);
      EXPECT_EQ(p<0.025, excess> 0) << static_cast<int>(combination);
      EXPECT_NEAR(p, 0.025, 0.002);
    }
  }
}

// The planned design's critical value where it is the first to be tested; Fisher's is that of one p-value.
TEST(StagewiseTest, AStageWithoutPatientsHandsItsWeightOn) {
  for (const auto combination :
       {Combination::inverse_normal, Combination::fisher, Combination::conditional_error}) {
    for (const bool stops : {false, true}) {
      const TwoStages two(combination, 0.025, 0.5, stops);
      const double nobody = 0, critical = two.critical_z_2(0, nobody);
      const double wanted = combination == Combination::inverse_normal
                                ? two.test.planned().critical_z[1]
                                : 1.959963984540054;
      EXPECT_NEAR(critical, wanted, 1e-9);
      StagewiseTest::Bounds own;
      const auto& bounds = two.test.bounds({&nobody, 1}, own);
      const std::vector<double> z{0, critical};
      EXPECT_NEAR(two.test.p_value(z, bounds, StagewiseTest::Last::at_its_look),
                  math::normal_survival(critical), 1e-9);
      EXPECT_NEAR(two.test.critical_z_of_rest({z.data(), 1}, bounds), critical, 1e-9);
    }
  }
}

// P(reject) under the null, by the midpoint rule over the z of the first stage with patients: of inverse_normal as
// if the planned design had no look there, of Fisher's all of alpha where the first stage is the empty one, and
// P(p_1 p_3 <= c_3) = c_3 - c_3 ln c_3 where the second is (c_3 > c_1).
TEST(StagewiseTest, StagesWithoutPatientsAmongThreeKeepAlpha) {
  const sequential::BoundarySpec spec;
  const std::vector<double> information{0.3, 0.6, 1.0};
  const auto planned = sequential::efficacy_boundary(spec, 0.025, information);
  for (const auto combination : {Combination::inverse_normal, Combination::fisher}) {
    const StagewiseTest test(combination, 0.025, information, spec, 0);
    for (const std::size_t empty : {0u, 1u}) {
      const std::vector<double> there = empty == 0 ? std::vector{0.0, 0.3} : std::vector{0.3, 0.3};
      StagewiseTest::Bounds own;
      const auto& bounds = test.bounds(there, own);
      const std::size_t first = 1 - empty;
      std::vector<double> z{0, 0};
      const double cut = test.critical_z({z.data(), first}, bounds, first), step = (cut + 9) / 20000;
      double rejects = math::normal_survival(cut);
      for (z[first] = -9 + step / 2; z[first] < cut; z[first] += step)
        rejects +=
            step * math::normal_pdf(z[first]) * math::normal_survival(test.critical_z(z, bounds, 2));
      double wanted = 0.025;
      if (combination == Combination::inverse_normal) {
        const std::vector<double> looks{information[first], 1.0},
            critical{planned.efficacy_z[first], planned.efficacy_z[2]};
        wanted = sequential::stagewise_p_value({looks, critical, {}, critical[1]});
      } else if (empty == 1) {
        const double c_3 = test.fisher_product(2, bounds);
        wanted = c_3 - c_3 * std::log(c_3);
      }
      EXPECT_NEAR(rejects, wanted, 1e-7) << empty;
      EXPECT_LE(wanted, 0.025);
    }
  }
}

// A rule that learns nothing of the effect: alpha is spent at the shares that the stages came to.
TEST(StagewiseTest, UnweightedFinalValueExhaustsAlpha) {
  const StagewiseTest test(Combination::unweighted, 0.025, {0.5, 1.0}, sequential::BoundarySpec(), 0);
  EXPECT_NEAR(test.unweighted_final_z(0.5, test.planned()), test.planned().critical_z[1], 1e-11);
  const auto enlarged = test.unweighted_final_z(0.25, test.planned());
  const std::vector<double> looks{0.25, 1.0}, critical{test.planned().critical_z[0], enlarged};
  double error = 0;
  for (const double p : sequential::crossing_probabilities(looks, critical, {}, 0).efficacy) error += p;
  EXPECT_NEAR(error, 0.025, 1e-12);
  // The planned one would not.
  EXPECT_GT(enlarged, test.planned().critical_z[1]);
}

}  // namespace
