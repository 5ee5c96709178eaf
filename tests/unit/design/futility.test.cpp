#include "design/futility.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "sequential/conditional_power.hpp"

namespace trialwright::design {
namespace {

FutilityRuleSpec spec_of(FutilityRule rule, double below) {
  FutilityRuleSpec spec;
  spec.rule = rule;
  spec.below = {below, 2 * below};
  return spec;
}

// A limit of z is where the rule's own statistic has its limit.
void expect_limit_of_its_statistic(const FutilityLimit& limit, double below) {
  for (const double information : {0.2, 0.5, 0.9})
    for (int i_look = 0; i_look < 2; ++i_look) {
      const FutilityView view{i_look, information, 1.9686};
      const double z = limit.z_limit(view);
      EXPECT_NEAR(limit.value(z, view), below * (i_look + 1), 1e-12);
      EXPECT_LT(limit.value(z - 0.01, view), below * (i_look + 1));
    }
}

TEST(Futility, LimitsAreWhereTheStatisticHasThem) {
  expect_limit_of_its_statistic(*make_futility_limit(spec_of(FutilityRule::conditional_power, 0.15), 0),
                                0.15);
  auto planned = spec_of(FutilityRule::conditional_power, 0.3);
  planned.effect = ForetoldEffect::planned;
  expect_limit_of_its_statistic(*make_futility_limit(planned, 3.24), 0.3);
  expect_limit_of_its_statistic(*make_futility_limit(spec_of(FutilityRule::predictive_power, 0.1), 0),
                                0.1);
  expect_limit_of_its_statistic(*make_futility_limit(spec_of(FutilityRule::z, 0.4), 0), 0.4);
}

// Conditional power under the observed effect by its usual formula (Jennison & Turnbull 2000, eq.
// 10.1), predictive power under a flat prior (eq. 10.6).
TEST(Futility, ConditionalAndPredictivePowerAreThoseOfTheTextbook) {
  const FutilityView view{0, 0.5, 1.96};
  const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); };
  EXPECT_NEAR(make_futility_limit(spec_of(FutilityRule::conditional_power, 0.1), 0)->value(1, view),
              phi((1 / std::sqrt(0.5) - 1.96) / std::sqrt(0.5)), 1e-14);
  EXPECT_NEAR(make_futility_limit(spec_of(FutilityRule::predictive_power, 0.1), 0)->value(1, view),
              phi((1 - 1.96 * std::sqrt(0.5)) / std::sqrt(0.5)), 1e-14);
}

TEST(Futility, BeyondThePlannedInformationOnlySuccessGoesOn) {
  const FutilityView view{0, 1.1, 1.96};
  for (const auto rule : {FutilityRule::conditional_power, FutilityRule::predictive_power})
    EXPECT_EQ(make_futility_limit(spec_of(rule, 0.1), 0)->z_limit(view), 1.96);
}

TEST(Futility, BetaSpendingAndEffectsHaveNoLimitHere) {
  EXPECT_EQ(make_futility_limit(spec_of(FutilityRule::beta_spending, 0.1), 0), nullptr);
  EXPECT_EQ(make_futility_limit(spec_of(FutilityRule::effect, 0.1), 0), nullptr);
}

}  // namespace
}  // namespace trialwright::design
