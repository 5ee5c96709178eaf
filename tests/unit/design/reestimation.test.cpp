#include "design/reestimation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>

#include "design/reestimation_sizing.hpp"
#include "math/normal.hpp"
#include "support/reestimation_cases.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using test_support::end_with;
using test_support::look_at;
using test_support::one_sided_z;
using test_support::reestimated;
using test_support::told;

const std::string k_look = "looks: [{outcomes: 0.5}]\n";
const std::string k_zone =
    k_look + "reestimation: {rule: promising_zone, from: 0.3, power: 0.9, most_patients: 640}\n";

TEST(Reestimation, StartsAsPlanned) {
  const auto design = reestimated(320, k_zone);
  TrialState state;
  design->start(state);
  EXPECT_EQ(design->n_looks(), 2);
  EXPECT_EQ(design->most_patients(), 640);
  EXPECT_EQ(state.n_planned, 320);
  EXPECT_EQ(state.arms, 3u);
  EXPECT_EQ(state.open, 1u);
}

TEST(Reestimation, NamesItsZones) {
  const auto design = reestimated(320, k_zone);
  EXPECT_EQ(look_at(*design, {26, 80, 26, 80}).decision.action, "keep_unfavourable");
  EXPECT_EQ(look_at(*design, {45, 80, 26, 80}).decision.action, "keep_favourable");
  const auto enlarged = look_at(*design, {37, 80, 26, 80});
  EXPECT_EQ(enlarged.decision.action, "enlarge");
  EXPECT_GT(enlarged.state.n_planned, 320);
  EXPECT_LT(enlarged.state.n_planned, 640);
  EXPECT_EQ(look_at(*design, {35, 80, 26, 80}).decision.action, "enlarge_to_cap");
  for (const auto action : k_size_actions)
    EXPECT_EQ(k_size_actions[static_cast<std::size_t>(action.value)].name, action.name);
}

// 37 against 26 of 80: z = 11/80 / sqrt(63/160 97/160 2/80) = 1.7799; a = (1.959964 - z sqrt(.5)) /
// sqrt(.5) = 0.99194; unpooled variance p1 q1 + p0 q0 = .248594 + .219375 = .467969; per arm
// .467969 (.99194 + 1.281552)^2 / .1375^2 = 127.94, so 128 an arm in stage 2 and 416 in all.
TEST(Reestimation, SizesAsCalculatedByHand) {
  const auto design = reestimated(
      320, k_look + "reestimation: {rule: conditional_power, power: 0.9, most_patients: 800}\n");
  const auto looked = look_at(*design, {37, 80, 26, 80});
  EXPECT_NEAR(told(looked.told, "z"), 1.7799, 5e-5);
  EXPECT_NEAR(told(looked.told, "critical_z_stage_2"), 0.99194, 2e-4);
  EXPECT_EQ(looked.state.n_planned, 416);
  EXPECT_NEAR(told(looked.told, "conditional_power"),
              math::normal_cdf(0.1375 * std::sqrt(80 / 0.46796875) - 0.99194), 1e-4);
}

TEST(Reestimation, BlindedRulesReadNoDifference) {
  const std::string rule =
      "reestimation: {rule: blinded_rate, rates: {placebo: 0.32, active: 0.5}, "
      "fewest_patients: 200, most_patients: 600}\n";
  const auto design = reestimated(300, k_look + rule);
  const int size = look_at(*design, {50, 75, 25, 75}).state.n_planned;
  EXPECT_EQ(look_at(*design, {25, 75, 50, 75}).state.n_planned, size);
  EXPECT_EQ(look_at(*design, {37, 75, 38, 75}).state.n_planned, size);
  // 4 p (1 - p) (z_alpha + z_beta)^2 / d^2 = 4 * .25 * 10.507 / .0324 = 324.3, in whole blocks of 2.
  EXPECT_EQ(size, 326);
  // At a lower rate the same difference needs fewer.
  const auto lower = look_at(*design, {20, 75, 10, 75});
  EXPECT_EQ(lower.state.n_planned, 2 * static_cast<int>(std::ceil(2 * 0.16 * 10.5074 / 0.0324)));
  EXPECT_EQ(lower.decision.action, "reduce");
  EXPECT_GE(look_at(*design, {0, 75, 0, 75}).state.n_planned, 200);
}

TEST(Reestimation, BlindedVarianceScalesThePlan) {
  const auto design =
      reestimated(300, k_look +
                           "reestimation: {rule: blinded_variance, rates: {placebo: 0.2, "
                           "active: 0.4}, most_patients: 900}\n");
  // Planned 0.3 * 0.7 = 0.21, seen 0.5 * 0.5: 300 * 0.25 / 0.21 = 357.1.
  const auto looked = look_at(*design, {45, 75, 30, 75});
  EXPECT_EQ(looked.state.n_planned, 358);
  EXPECT_EQ(looked.decision.action, "enlarge");
  EXPECT_EQ(look_at(*design, {15, 75, 15, 75}).decision.action,
            "keep");  // never below the plan unless allowed
}

TEST(Reestimation, KeepsItsSenseOfDegenerateTables) {
  for (const char* combination : {"inverse_normal", "fisher", "conditional_error"}) {
    const auto design = reestimated(320, k_zone + "combination: " + combination + "\n");
    for (const analysis::TwoByTwo table : {analysis::TwoByTwo{0, 80, 0, 80},
                                           {80, 80, 80, 80},
                                           {0, 80, 80, 80},
                                           {0, 0, 30, 80},
                                           {0, 0, 0, 0}}) {
      const auto looked = look_at(*design, table);
      EXPECT_EQ(looked.decision.stop, StopReason::none);
      EXPECT_EQ(looked.state.n_planned, 320);
      const auto ended = end_with(*design, {table, {0, 80, 0, 80}});
      EXPECT_EQ(ended.state.rejected, 0u);
      EXPECT_EQ(ended.decision.stop, StopReason::completed);
      EXPECT_TRUE(!ended.inference.defined || std::isfinite(ended.inference.estimate));
    }
    // All against none needs nobody more.
    EXPECT_EQ(look_at(*design, {80, 80, 0, 80}).decision.action, "keep_favourable");
    EXPECT_EQ(end_with(*design, {analysis::TwoByTwo{80, 80, 0, 80}, {40, 80, 40, 80}}).state.rejected,
              1u);
  }
}

TEST(Reestimation, StopsForFutilityWhereItSaysSo) {
  const auto by_power = reestimated(320, k_zone + "futility: {below: 0.1}\n");
  EXPECT_EQ(look_at(*by_power, {26, 80, 26, 80}).decision.stop, StopReason::futility);
  EXPECT_EQ(look_at(*by_power, {26, 80, 26, 80}).decision.action, "stop_futility");
  EXPECT_EQ(look_at(*by_power, {35, 80, 26, 80}).decision.stop, StopReason::none);
  const auto by_z = reestimated(320, k_zone + "futility: {rule: z, below: 0}\n");
  EXPECT_EQ(look_at(*by_z, {26, 80, 26, 80}).decision.stop, StopReason::futility);
  EXPECT_EQ(look_at(*by_z, {27, 80, 26, 80}).decision.stop, StopReason::none);
}

TEST(Reestimation, StopsForEfficacyOnlyWhereItHasABoundary) {
  const analysis::TwoByTwo clear{60, 80, 20, 80};
  EXPECT_EQ(look_at(*reestimated(320, k_zone), clear).decision.stop, StopReason::none);
  const auto looked =
      look_at(*reestimated(320, k_zone + "efficacy: {boundary: lan_demets_obrien_fleming}\n"), clear);
  EXPECT_EQ(looked.decision.stop, StopReason::efficacy);
  EXPECT_EQ(looked.state.rejected, 1u);
  EXPECT_NEAR(looked.state.efficacy_z[0], 2.962588, 1e-6);
}

TEST(Reestimation, TellsHarmApartInATwoSidedTest) {
  auto test = one_sided_z();
  test.sides = analysis::Sides::two;
  test.alpha = 0.05;
  for (const char* combination : {"inverse_normal", "fisher", "conditional_error"}) {
    const auto design = reestimated(320, k_zone + "combination: " + combination + "\n", test);
    const auto better = end_with(*design, {analysis::TwoByTwo{37, 80, 26, 80}, {40, 80, 24, 80}});
    EXPECT_EQ(better.decision.stop, StopReason::efficacy);
    const auto worse = end_with(*design, {analysis::TwoByTwo{26, 80, 37, 80}, {24, 80, 40, 80}});
    EXPECT_EQ(worse.decision.stop, StopReason::harm);
    EXPECT_EQ(worse.state.rejected, 1u);
    EXPECT_EQ(worse.decision.action, "reject_harm");
    EXPECT_EQ(worse.naive, 1u);
    const auto neither = end_with(*design, {analysis::TwoByTwo{26, 80, 37, 80}, {40, 80, 24, 80}});
    EXPECT_EQ(neither.decision.stop, StopReason::completed);
  }
}

TEST(Reestimation, ReckonsLowerRatesAsBetterWhereTheyAre) {
  auto lower = one_sided_z();
  lower.direction = analysis::Direction::lower_is_better;
  const auto up = look_at(*reestimated(320, k_zone), {37, 80, 26, 80});
  const auto down = look_at(*reestimated(320, k_zone, lower), {43, 80, 54, 80});
  EXPECT_EQ(down.state.n_planned, up.state.n_planned);
  EXPECT_EQ(down.decision.action, up.decision.action);
}

// 10 of 80 patients of the look were lost: the patients to come are reckoned to be lost alike, so that
// 256 to come with a value are asked for as 292.6.
TEST(Reestimation, ReckonsWithLossesAsSeenSoFar) {
  const auto design = reestimated(
      160, "looks: [{outcomes: 80}]\nreestimation: {rule: conditional_power, most_patients: 2000}\n");
  const auto whole = look_at(*design, {19, 40, 12, 40});
  const auto lossy = look_at(*design, {19, 36, 12, 36});
  EXPECT_NEAR(lossy.state.information[0], 72.0 / 160, 1e-15);
  const auto prospect = prospect_of({19.0 / 36, 12.0 / 36}, {}, SizingVariance::unpooled, 1, 0);
  const double needed = patients_for(prospect, told(lossy.told, "critical_z_stage_2"), 0.9);
  EXPECT_EQ(lossy.state.n_planned, 2 * static_cast<int>(std::ceil((80 + needed / 0.9) / 2)));
  EXPECT_NE(lossy.state.n_planned, whole.state.n_planned);
}

TEST(Reestimation, NeverAsksForFewerThanAreRandomisedAlready) {
  const std::string rule =
      "reestimation: {rule: conditional_power, power: 0.9, fewest_patients: 160, most_patients: 640}\n";
  const auto design = reestimated(320, k_look + rule);
  EXPECT_LT(look_at(*design, {50, 80, 20, 80}, 160).state.n_planned, 200);
  EXPECT_EQ(look_at(*design, {50, 80, 20, 80}, 230).state.n_planned, 230);
}

TEST(Reestimation, AnalysesOnceWhereRecruitmentEndsBeforeTheLook) {
  const auto design = reestimated(320, k_zone + "efficacy: {boundary: lan_demets_obrien_fleming}\n");
  const analysis::TwoByTwo table{20, 30, 11, 30};  // z = 2.33
  TrialState state;
  design->start(state);
  LookData data;
  data.is_final = true;
  data.stages = {&table, 1};
  EXPECT_EQ(design->decide(data, state, nullptr).stop, StopReason::efficacy);
  EXPECT_NEAR(state.efficacy_z[0], 1.959964, 1e-6);
}

TEST(Reestimation, UnweightedRejectsAsAnOrdinaryTestOfAllPatients) {
  const auto design = reestimated(
      320,
      k_look +
          "reestimation: {rule: promising_zone, from: 0.5, most_patients: 640}\ncombination: unweighted\n");
  const auto ended = end_with(*design, {analysis::TwoByTwo{37, 80, 26, 80}, {70, 120, 58, 120}});
  // 107 against 84 of 200: z = 2.303.
  EXPECT_EQ(ended.state.rejected, 1u);
  EXPECT_EQ(ended.naive, 1u);
  EXPECT_NEAR(ended.inference.p_value, math::normal_survival(2.3026), 2e-4);
}

}  // namespace
