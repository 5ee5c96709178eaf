#include <gtest/gtest.h>

#include <string>

#include "support/reestimation_cases.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using test_support::Follow;
using test_support::reestimated;

// The z test is not of level 0.025 itself: a fixed trial of 80 an arm has size 0.02527 at 0.32 (exact
// enumeration below). What the look adds to it is what counts.
TEST(ReestimationError, WeightsKeepAlphaWhereTheOrdinaryTestDoesNot) {
  const std::string greedy =
      "looks: [{outcomes: 0.5}]\nreestimation: {rule: conditional_power, power: 0.95, most_patients: 480}\n";
  const auto fixed = test_support::enumerate(
      *reestimated(160,
                   "looks: [{outcomes: 0.5}]\nreestimation: {rule: promising_zone, from: 0.3, "
                   "most_patients: 160}\n"),
      40, 0.32, 0.32, Follow::bisection);
  EXPECT_NEAR(fixed.naive, 0.0253, 0.0005);
  for (const char* combination : {"inverse_normal", "conditional_error", "fisher"}) {
    const auto got =
        test_support::enumerate(*reestimated(160, greedy + "combination: " + combination + "\n"), 40,
                                0.32, 0.32, Follow::bisection);
    EXPECT_LT(got.power(), 0.0262) << combination;
    EXPECT_GT(got.power(), 0.0235) << combination;
    EXPECT_GT(got.naive, 0.030) << combination;
  }
}

TEST(ReestimationError, UnweightedKeepsAlphaFromAnEvenChance) {
  const std::string zone =
      "looks: [{outcomes: 0.5}]\nreestimation: {rule: promising_zone, from: 0.5, "
      "most_patients: 480}\ncombination: unweighted\n";
  const auto got = test_support::enumerate(*reestimated(160, zone), 40, 0.32, 0.32, Follow::bisection);
  EXPECT_LT(got.power(), 0.0254);
  EXPECT_NEAR(got.power(), got.naive, 1e-15);
}

// A blinded rule learns nothing of the effect under the null but by chance: the ordinary test stays
// within the discreteness of the fixed one (0.0253).
TEST(ReestimationError, BlindedRulesLeaveTheOrdinaryTestItsSize) {
  const std::string blinded =
      "looks: [{outcomes: 0.5}]\nreestimation: {rule: blinded_rate, rates: "
      "{placebo: 0.32, active: 0.55}, fewest_patients: 100, most_patients: 480}\n";
  const auto got =
      test_support::enumerate(*reestimated(160, blinded), 40, 0.32, 0.32, Follow::bisection);
  EXPECT_NEAR(got.power(), 0.0253, 0.0006);
  EXPECT_GT(got.changed, 0.5);
}

}  // namespace
