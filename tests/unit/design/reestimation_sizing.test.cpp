#include "design/reestimation_sizing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "math/normal.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;

constexpr double k_infinity = std::numeric_limits<double>::infinity();

// Fleiss, Levin & Paik 2003, eq. 4.14, by hand: rates 0.58 and 0.32, 0.025 one-sided, power 0.9, 1:1:
// (1.959964 sqrt(2 0.45 0.55) + 1.281552 sqrt(0.4612))^2 / 0.26^2 = 74.8412 an arm.
TEST(ReestimationSizing, GivesTheClassicalNumbers) {
  const double z_alpha = -math::normal_quantile(0.025);
  const auto size = [&](SizingVariance variance, ArmParts parts) {
    return patients_for(prospect_of({0.58, 0.32}, parts, variance, 1, 0), z_alpha, 0.9);
  };
  EXPECT_NEAR(size(SizingVariance::null_and_alternative, {}), 2 * 74.8412, 1e-3);
  EXPECT_NEAR(size(SizingVariance::unpooled, {}),
              2 * 0.4612 * std::pow(1.959964 + 1.281552, 2) / 0.0676, 1e-3);
  EXPECT_NEAR(size(SizingVariance::pooled, {}), 2 * 0.495 * std::pow(1.959964 + 1.281552, 2) / 0.0676,
              1e-3);
  // 2:1 needs (2 + 1)^2 / (4 * 2) = 9/8 of the patients where the variances are alike.
  const ArmParts two_to_one{2.0 / 3, 1.0 / 3};
  const double even =
      patients_for(prospect_of({0.6, 0.4}, {}, SizingVariance::unpooled, 1, 0), 1.96, 0.8);
  EXPECT_NEAR(
      patients_for(prospect_of({0.6, 0.4}, two_to_one, SizingVariance::unpooled, 1, 0), 1.96, 0.8),
      1.125 * even, 1e-9);
}

TEST(ReestimationSizing, TurnsPowerAndPatientsIntoEachOther) {
  for (const auto variance :
       {SizingVariance::unpooled, SizingVariance::pooled, SizingVariance::null_and_alternative}) {
    const auto prospect = prospect_of({0.3, 0.45}, {0.6, 0.4}, variance, -1, 0);
    for (const double critical_z : {-0.5, 0.7, 2.5})
      for (const double power : {0.72, 0.95}) {
        const double n = patients_for(prospect, critical_z, power);
        if (n > 0) {
          EXPECT_NEAR(power_of(prospect, n, critical_z), power, 1e-12);
        }
      }
  }
}

TEST(ReestimationSizing, KeepsItsSenseWithoutEffectOrVariance) {
  const auto backwards = prospect_of({0.3, 0.4}, {}, SizingVariance::unpooled, 1, 0);
  EXPECT_EQ(patients_for(backwards, 1.96, 0.9), k_infinity);
  EXPECT_EQ(patients_for(backwards, -5, 0.9), 0);  // enough is there already
  const auto nobody = prospect_of({0, 0}, {}, SizingVariance::unpooled, 1, 0);
  EXPECT_EQ(power_of(nobody, 100, 1.96), 0);
  const auto all_and_none = prospect_of({1, 0}, {}, SizingVariance::unpooled, 1, 0);
  EXPECT_EQ(power_of(all_and_none, 100, 1.96), 1);
}

TEST(ReestimationSizing, KeepsThePlannedEffectAtTheBlindedRate) {
  const ArmRates planned{0.58, 0.32};
  const ArmParts parts{2.0 / 3, 1.0 / 3};
  const auto mean = [&](ArmRates r) {
    return parts.treatment * r.treatment + parts.control * r.control;
  };
  const auto odds = [](double p) { return p / (1 - p); };
  for (const double rate : {0.25, 0.5, 0.7}) {
    const auto difference = rates_at(rate, planned, parts, KeptEffect::risk_difference);
    EXPECT_NEAR(mean(difference), rate, 1e-14);
    EXPECT_NEAR(difference.treatment - difference.control, 0.26, 1e-14);
    const auto ratio = rates_at(rate, planned, parts, KeptEffect::risk_ratio);
    if (rate < 0.7) {
      EXPECT_NEAR(mean(ratio), rate, 1e-14);
    }
    EXPECT_NEAR(ratio.treatment / ratio.control, 0.58 / 0.32, 1e-12);
    const auto of_odds = rates_at(rate, planned, parts, KeptEffect::odds_ratio);
    EXPECT_NEAR(mean(of_odds), rate, 1e-14);
    EXPECT_NEAR(odds(of_odds.treatment) / odds(of_odds.control), odds(0.58) / odds(0.32), 1e-11);
  }
}

}  // namespace
