#include "design/reestimation.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "analysis/estimate.hpp"
#include "design/design_spec.hpp"
#include "design/reestimation_sizing.hpp"
#include "design/reestimation_stages.hpp"
#include "math/normal.hpp"
#include "support/reestimation_cases.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using sequential::Combination;
using test_support::Follow;
using test_support::one_sided_z;
using test_support::read_reestimation_text;
using test_support::reestimated;
using testing::HasSubstr;

constexpr double k_infinity = std::numeric_limits<double>::infinity();
const std::string k_look = "looks: [{outcomes: 0.5}]\n";
const std::string k_zone =
    k_look + "reestimation: {rule: promising_zone, from: 0.3, power: 0.9, most_patients: 640}\n";

// What a design makes of one first-stage table.
struct Looked {
  Decision decision;
  TrialState state;
  Statistics told;
};

Looked look_at(const StagedDesign& design, analysis::TwoByTwo table, int n_enrolled = 0) {
  Looked looked;
  design.start(looked.state);
  LookData data;
  data.n_enrolled = n_enrolled;
  data.stages = {&table, 1};
  looked.decision = design.decide(data, looked.state, &looked.told);
  return looked;
}

double told(const Statistics& statistics, std::string_view name) {
  for (int i = 0; i < statistics.n; ++i)
    if (statistics.list[static_cast<std::size_t>(i)].name == name)
      return statistics.list[static_cast<std::size_t>(i)].value;
  return std::numeric_limits<double>::quiet_NaN();
}

struct Ended {
  Decision decision;
  TrialState state;
  Inference inference;
  Bits naive = 0;
};

Ended end_with(const StagedDesign& design, const std::array<analysis::TwoByTwo, 2>& stages) {
  Ended ended;
  ended.state = look_at(design, stages[0]).state;
  LookData data;
  data.i_look = 1;
  data.is_final = true;
  data.stages = stages;
  ended.decision = design.decide(data, ended.state, nullptr);
  ended.inference = design.infer(data, ended.state, 0);
  ended.naive = design.naive_rejections(data, ended.state);
  return ended;
}

// --- sizes
// ---------------------------------------------------------------------------------------------

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

// --- stages
// --------------------------------------------------------------------------------------------

TEST(TwoStageTest, ConditionalErrorIsThatOfThePlannedWeightsWhereTheLookIsAsPlanned) {
  const TwoStageTest weighted(Combination::inverse_normal, 0.025, 0.4, std::nullopt),
      handed_on(Combination::conditional_error, 0.025, 0.4, std::nullopt);
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
TEST(TwoStageTest, FisherHoldsTheSecondStageAgainstTheProductsRest) {
  const TwoStageTest fisher(Combination::fisher, 0.05, 0.5, std::nullopt);
  EXPECT_NEAR(fisher.fisher_product(), 0.00870, 5e-6);
  const double z_1 = 1.0, p_1 = math::normal_survival(z_1);
  EXPECT_NEAR(math::normal_survival(fisher.critical_z_2(z_1, 0.5)), fisher.fisher_product() / p_1,
              1e-14);
  EXPECT_EQ(fisher.critical_z_2(3.0, 0.5), -k_infinity);
}

// P(reject) under the null with independent normal stages, whatever the second one's size: integrate
// the conditional error over z_1 by the midpoint rule.
TEST(TwoStageTest, EveryCombinationSpendsAlphaExactly) {
  const sequential::BoundarySpec boundary;
  for (const auto combination :
       {Combination::inverse_normal, Combination::fisher, Combination::conditional_error}) {
    for (const bool stops : {false, true}) {
      const TwoStageTest test(combination, 0.025, 0.4, stops ? std::optional(boundary) : std::nullopt);
      const double cut = test.bounds(0.4).interim_z, step = 1e-3;
      double error = stops ? math::normal_survival(cut) : 0;
      for (double z = -9 + step / 2; z < std::min(cut, 9.0); z += step)
        error += step * math::normal_pdf(z) * math::normal_survival(test.critical_z_2(z, 0.4));
      EXPECT_NEAR(error, 0.025, 2e-6) << static_cast<int>(combination) << stops;
    }
  }
}

// --- decisions
// -----------------------------------------------------------------------------------------

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

// --- error and power
// -----------------------------------------------------------------------------------

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

// --- inference
// -----------------------------------------------------------------------------------------

// 2000 trials of a greedy rule. Coverage of 95% intervals and the median's half have standard errors of
// 0.0049 and 0.0112; at 4 of them a false alarm has probability below 1e-4 each. The ordinary
// estimate's upward bias of 0.01 and more would show as 0.44 below or 0.56.
TEST(ReestimationInference, CoversAndIsMedianUnbiased) {
  constexpr int k_trials = 2000;
  for (const char* combination : {"inverse_normal", "fisher", "conditional_error"}) {
    for (const char* efficacy : {"", "efficacy: {boundary: lan_demets_obrien_fleming}\n"}) {
      const auto design = reestimated(
          300, k_look + "reestimation: {rule: conditional_power, most_patients: 900}\ncombination: " +
                   combination + "\n" + efficacy);
      std::mt19937_64 engine(5);
      const double truth = 0.12;
      int below = 0, covered = 0, defined = 0, agree = 0;
      for (int trial = 0; trial < k_trials; ++trial) {
        const auto draw = [&](int n, double p) {
          return std::binomial_distribution<int>(n, p)(engine);
        };
        std::array<analysis::TwoByTwo, 2> stages{
            analysis::TwoByTwo{draw(75, 0.44), 75, draw(75, 0.32), 75}, {}};
        TrialState state;
        design->start(state);
        LookData data;
        data.stages = {stages.data(), 1};
        if (design->decide(data, state, nullptr).stop == StopReason::none) {
          const int n = state.n_planned / 2 - 75;
          stages[1] = {draw(n, 0.44), n, draw(n, 0.32), n};
          data = {};
          data.i_look = 1;
          data.is_final = true;
          data.stages = stages;
          design->decide(data, state, nullptr);
        }
        const auto inference = design->infer(data, state, 0);
        defined += inference.defined ? 1 : 0;
        below += inference.estimate < truth ? 1 : 0;
        covered += inference.lower <= truth && truth <= inference.upper ? 1 : 0;
        agree += (inference.p_value < 0.025) == (state.rejected != 0) ? 1 : 0;
      }
      EXPECT_EQ(defined, k_trials);
      EXPECT_EQ(agree, k_trials) << combination << efficacy;
      EXPECT_NEAR(below / static_cast<double>(k_trials), 0.5, 4 * 0.0112) << combination << efficacy;
      EXPECT_NEAR(covered / static_cast<double>(k_trials), 0.95, 4 * 0.0049) << combination << efficacy;
    }
  }
}

// Without a change of size the weighted estimate of equal stages is the mean of the stages'
// differences.
TEST(ReestimationInference, IsTheMeanOfEqualStages) {
  const auto design = reestimated(320, k_zone);
  const std::array<analysis::TwoByTwo, 2> stages{analysis::TwoByTwo{30, 80, 26, 80}, {40, 80, 20, 80}};
  const auto ended = end_with(*design, stages);
  ASSERT_TRUE(ended.inference.defined);
  EXPECT_NEAR(ended.inference.estimate, 0.5 * (4.0 / 80 + 20.0 / 80), 1e-6);
  const auto wald =
      analysis::estimate(analysis::EffectMeasure::risk_difference, analysis::IntervalMethod::wald, 0.95,
                         std::array{analysis::TwoByTwo{70, 160, 46, 160}});
  EXPECT_NEAR(ended.inference.lower, wald.lower, 1e-6);
  EXPECT_NEAR(ended.inference.upper, wald.upper, 1e-6);
}

TEST(ReestimationInference, IsOnTheScaleOfTheEffect) {
  auto lower = one_sided_z();
  lower.direction = analysis::Direction::lower_is_better;
  const std::array<analysis::TwoByTwo, 2> stages{analysis::TwoByTwo{26, 80, 36, 80}, {20, 80, 40, 80}};
  const auto ratio =
      end_with(*reestimated(320, k_zone, lower, analysis::EffectMeasure::odds_ratio), stages);
  ASSERT_TRUE(ratio.inference.defined);
  EXPECT_LT(ratio.inference.upper, 1);
  EXPECT_GT(ratio.inference.lower, 0.2);
  EXPECT_LT(ratio.inference.lower, ratio.inference.estimate);
  // The mean of the stages' log odds ratios.
  const double first = std::log(26.0 / 54 / (36.0 / 44)), second = std::log(20.0 / 60 / (40.0 / 40));
  EXPECT_NEAR(ratio.inference.estimate, std::exp(0.5 * (first + second)), 1e-5);
}

// --- reading
// -------------------------------------------------------------------------------------------

struct Faulty {
  const char* name;
  std::string more;
  const char* message;
};

class ReestimationFaults : public testing::TestWithParam<Faulty> {};

TEST_P(ReestimationFaults, AreToldOnce) {
  const auto got = read_reestimation_text(160, GetParam().more);
  EXPECT_EQ(got.faults.size(), 1u) << got.text;
  EXPECT_THAT(got.text, HasSubstr(GetParam().message));
}

std::string zone(const std::string& keys) {
  return k_look + "reestimation: {rule: promising_zone, " + keys + "}\n";
}

INSTANTIATE_TEST_SUITE_P(
    Reading, ReestimationFaults,
    testing::Values(
        Faulty{"cap", zone("from: 0.3, most_patients: 150"),
               "the cap of 150 patients is below the planned size"},
        Faulty{"fewest", zone("from: 0.3, most_patients: 300, fewest_patients: 170"), "at most 160"},
        Faulty{"fewest_before_look", zone("from: 0.3, most_patients: 300, fewest_patients: 60"),
               "below the 80 patients of the look"},
        Faulty{"zone_backwards", zone("from: 0.95, most_patients: 300"),
               "the zone starts at 0.95 and ends at 0.9"},
        Faulty{"zone_beyond_power", zone("from: 0.3, to: 0.95, most_patients: 300"),
               "above the power of 0.9"},
        Faulty{
            "two_looks",
            "looks: [{outcomes: 0.3}, {outcomes: 0.6}]\nreestimation: {rule: promising_zone, from: 0.3, "
            "most_patients: 300}\n",
            "2 interim looks"},
        Faulty{"no_rates", zone("from: 0.3, effect: planned, most_patients: 300"), "rates"},
        Faulty{"rate_of_nobody",
               zone("from: 0.3, effect: planned, rates: {placebo: 0.3, high: 0.5}, most_patients: 300"),
               "arm"},
        Faulty{
            "rates_the_wrong_way",
            zone("from: 0.3, effect: planned, rates: {placebo: 0.5, active: 0.3}, most_patients: 300"),
            "treatment is not planned to be better"},
        Faulty{"key_of_another_rule", zone("from: 0.3, keeps: odds_ratio, most_patients: 300"),
               "keeps"},
        Faulty{"rates_unused",
               zone("from: 0.3, rates: {placebo: 0.3, active: 0.5}, most_patients: 300"), "rates"},
        Faulty{"unweighted_too_low",
               zone("from: 0.3, most_patients: 300") + "combination: unweighted\n",
               "does not keep alpha"},
        Faulty{
            "information_needed",
            "looks: [{months: 12}]\nreestimation: {rule: promising_zone, from: 0.3, most_patients: 300}\n",
            "planned_information"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ReestimationReading, WritesItsDefaults) {
  const auto got = read_reestimation_text(160, zone("from: 0.3, most_patients: 300"));
  EXPECT_TRUE(got.faults.empty()) << got.text;
  for (const char* line : {"to: 0.9", "power: 0.9", "effect: observed", "variance: unpooled",
                           "fewest_patients: 160", "combination: inverse_normal"})
    EXPECT_THAT(got.resolved, HasSubstr(line));
  const auto blinded = read_reestimation_text(
      160,
      k_look +
          "reestimation: {rule: blinded_rate, rates: {placebo: 0.3, active: 0.5}, most_patients: 300}\n");
  EXPECT_THAT(blinded.resolved, HasSubstr("combination: unweighted"));
  EXPECT_THAT(blinded.resolved, HasSubstr("keeps: risk_difference"));
}

}  // namespace
