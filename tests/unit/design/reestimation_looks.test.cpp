// Re-estimation at several looks.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "analysis/z_statistic.hpp"
#include "design/reestimation_sizing.hpp"
#include "math/normal.hpp"
#include "sequential/boundary.hpp"
#include "support/reestimation_cases.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using analysis::TwoByTwo;
using test_support::one_sided_z;
using test_support::reestimated;
using test_support::told;

const std::string k_boundary = "efficacy: {boundary: lan_demets_obrien_fleming}\n";
const std::string k_numbers = "looks: [{outcomes: 160}, {outcomes: 240}]\n";
const std::string k_stages =
    k_numbers +
    "reestimation: {resizes: next_stage, rule: conditional_power, power: 0.9, variance: "
    "null_and_alternative, fewest_patients_per_stage: [60, 80], most_patients_per_stage: 240, "
    "most_patients: 640}\n" +
    k_boundary;

// A trial of these stages, look by look, until it stops; the last one of `is_final` is the end.
struct Followed {
  std::vector<TrialState> states;
  std::vector<Decision> decisions;
  std::vector<Statistics> told;
  Inference inference;
  Bits naive = 0;
};

Followed follow(const StagedDesign& design, const std::vector<TwoByTwo>& stages, bool ends = true) {
  Followed followed;
  TrialState state;
  design.start(state);
  for (std::size_t i = 0; i < stages.size(); ++i) {
    LookData data;
    data.i_look = static_cast<int>(i);
    data.is_final = ends && i + 1 == stages.size();
    data.stages = {stages.data(), i + 1};
    for (const auto& stage : data.stages) data.n_enrolled += stage.n_1 + stage.n_0;
    Statistics statistics;
    followed.decisions.push_back(design.decide(data, state, &statistics));
    followed.states.push_back(state);
    followed.told.push_back(statistics);
    if (state.stop == StopReason::none) continue;
    followed.inference = design.infer(data, state, 0);
    followed.naive = design.naive_rejections(data, state);
    break;
  }
  return followed;
}

// The plan's three looks at 0.5, 0.75 and 1.
sequential::Boundary planned_boundary() {
  return sequential::efficacy_boundary({}, 0.025, std::vector<double>{0.5, 0.75, 1.0});
}

double z_of(const TwoByTwo& table) {
  return analysis::ZStatistic(one_sided_z())(table);
}

TEST(ReestimationLooks, HoldsEachStageAgainstTheCombinedBoundary) {
  const auto design = reestimated(320, k_stages);
  EXPECT_EQ(design->n_looks(), 3);
  const std::vector<TwoByTwo> stages{{33, 80, 26, 80}, {40, 80, 30, 80}, {50, 90, 40, 90}};
  const auto trial = follow(*design, stages);
  ASSERT_EQ(trial.states.size(), 3u);
  const auto boundary = planned_boundary();
  const double score = std::sqrt(0.5) * z_of(stages[0]) + 0.5 * z_of(stages[1]);
  EXPECT_NEAR(trial.states[0].efficacy_z[0], boundary.efficacy_z[0], 1e-12);
  EXPECT_NEAR(trial.states[1].efficacy_z[1],
              (boundary.efficacy_z[1] * std::sqrt(0.75) - std::sqrt(0.5) * z_of(stages[0])) / 0.5,
              1e-12);
  EXPECT_NEAR(trial.states[2].efficacy_z[2], (boundary.efficacy_z[2] - score) / 0.5, 1e-12);
  const bool rejects = score + 0.5 * z_of(stages[2]) > boundary.efficacy_z[2];
  EXPECT_EQ(trial.states[2].rejected, rejects ? 1u : 0u);
  EXPECT_EQ(trial.inference.p_value < 0.025, rejects);
}

// Of the next stage: by the next look's critical value, from the rates so far, within the stage's caps.
TEST(ReestimationLooks, SizesTheNextStageAtEachLook) {
  const auto design = reestimated(320, k_stages);
  const std::vector<TwoByTwo> stages{{40, 80, 26, 80}, {50, 130, 46, 130}};
  const auto trial = follow(*design, stages, false);
  const auto boundary = planned_boundary();
  const double critical =
      (boundary.efficacy_z[1] * std::sqrt(0.75) - std::sqrt(0.5) * z_of(stages[0])) / 0.5;
  const auto prospect =
      prospect_of({40.0 / 80, 26.0 / 80}, {}, SizingVariance::null_and_alternative, 1, 0);
  const int needed = 2 * static_cast<int>(std::ceil(patients_for(prospect, critical, 0.9) / 2));
  ASSERT_GT(needed, 60);
  ASSERT_LT(needed, 240);
  EXPECT_EQ(trial.states[0].outcomes_at_next_look, 160 + needed);
  EXPECT_EQ(trial.states[0].n_planned, 160 + needed + 80);
  EXPECT_EQ(trial.decisions[0].action, "enlarge");
  EXPECT_EQ(told(trial.told[0], "patients_at_next_look"), 160 + needed);
  EXPECT_NEAR(told(trial.told[0], "critical_z_stage_2"), critical, 1e-12);
  // The second look waited for so many, and sets the end; too little is seen, so that the cap stands.
  EXPECT_EQ(trial.decisions[1].action, "enlarge_to_cap");
  EXPECT_EQ(trial.states[1].outcomes_at_next_look, 0);
  EXPECT_EQ(trial.states[1].n_planned, std::min(160 + needed + 240, 640));
}

TEST(ReestimationLooks, MakesAStageSmallerWhereItMay) {
  const auto design = reestimated(320, k_stages);
  const auto trial = follow(*design, {{43, 80, 26, 80}}, false);
  EXPECT_EQ(trial.decisions[0].action, "reduce");
  EXPECT_EQ(trial.states[0].outcomes_at_next_look, 160 + 60);
  EXPECT_EQ(trial.states[0].n_planned, 160 + 60 + 80);
  EXPECT_TRUE(design->may_shrink());
}

TEST(ReestimationLooks, LeavesRoomForTheStagesToCome) {
  const auto design = reestimated(
      320,
      k_numbers + "reestimation: {resizes: next_stage, rule: conditional_power, most_patients: 330}\n");
  const auto trial = follow(*design, {{30, 80, 26, 80}, {30, 45, 26, 45}}, false);
  // At most 330 with 80 to come after the next look.
  EXPECT_EQ(trial.states[0].outcomes_at_next_look, 250);
  EXPECT_EQ(trial.states[0].n_planned, 330);
  EXPECT_EQ(trial.states[1].n_planned, 330);
}

// Of the end: looks at fractions move with it, and only the looks named change it.
TEST(ReestimationLooks, SizesTheEndAtTheLooksNamed) {
  const std::string rule = "rule: conditional_power, power: 0.9, most_patients: 900}\n" + k_boundary;
  const std::string fractions = "looks: [{outcomes: 0.5}, {outcomes: 0.75}]\nreestimation: {";
  const std::vector<TwoByTwo> stages{{33, 80, 26, 80}, {20, 40, 15, 40}};
  const auto last = reestimated(320, fractions + rule),
             both = reestimated(320, fractions + "at: [1, 2], " + rule);
  const auto at_last = follow(*last, stages, false), at_both = follow(*both, stages, false);
  EXPECT_EQ(at_last.states[0].n_planned, 320);
  EXPECT_EQ(at_last.decisions[0].action, "keep");
  EXPECT_FALSE(last->may_shrink());
  EXPECT_TRUE(both->may_shrink());
  EXPECT_GT(at_both.states[0].n_planned, 320);
  EXPECT_EQ(at_both.states[0].outcomes_at_next_look, 0);
  // By the last critical value, the looks between left out of account.
  const double score = std::sqrt(0.5) * z_of(stages[0]) + 0.5 * z_of(stages[1]);
  const double critical = (planned_boundary().efficacy_z[2] - score) / 0.5;
  const auto prospect = prospect_of({53.0 / 120, 41.0 / 120}, {}, SizingVariance::unpooled, 1, 0);
  const double needed = patients_for(prospect, critical, 0.9);
  EXPECT_EQ(at_last.states[1].n_planned,
            std::clamp(2 * static_cast<int>(std::ceil((240 + needed) / 2)), 320, 900));
}

TEST(ReestimationLooks, JudgesFutilityAtEveryLook) {
  const auto by_z = reestimated(320, k_stages + "futility: {rule: z, below: [-0.5, 0.2]}\n");
  const TwoByTwo nothing{26, 80, 26, 80};
  EXPECT_EQ(follow(*by_z, {nothing}, false).decisions[0].stop, StopReason::none);
  EXPECT_EQ(follow(*by_z, {nothing, nothing}, false).decisions[1].stop, StopReason::futility);
  const auto by_power = reestimated(320, k_stages + "futility: {below: 0.1}\n");
  EXPECT_EQ(follow(*by_power, {nothing}, false).decisions[0].action, "stop_futility");
}

// Conditional error at another information than planned: weights of what is there at the first look.
TEST(ReestimationLooks, KeepsTheConditionalErrorOfWhatIsThere) {
  const auto weighted = reestimated(320, k_stages),
             handed_on = reestimated(320, k_stages + "combination: conditional_error\n");
  const std::vector<TwoByTwo> as_planned{{33, 80, 26, 80}, {40, 80, 30, 80}, {50, 90, 40, 90}},
      fewer{{33, 70, 26, 70}, {40, 80, 30, 80}, {50, 90, 40, 90}};
  const auto a = follow(*weighted, as_planned), b = follow(*handed_on, as_planned);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(a.states[i].efficacy_z[i], b.states[i].efficacy_z[i], 1e-12);
  const auto c = follow(*handed_on, fewer);
  const auto boundary =
      sequential::efficacy_boundary({}, 0.025, std::vector<double>{0.4375, 0.75, 1.0});
  EXPECT_NEAR(c.states[0].efficacy_z[0], boundary.efficacy_z[0], 1e-9);
  EXPECT_NEAR(c.states[1].efficacy_z[1],
              (boundary.efficacy_z[1] * std::sqrt(0.75) - std::sqrt(0.4375) * z_of(fewer[0])) /
                  std::sqrt(0.3125),
              1e-9);
}

// The end comes before the second look: all alpha that the looks to come had, given the first stage.
TEST(ReestimationLooks, TestsOnceWhereALookIsNeverReached) {
  for (const char* combination : {"inverse_normal", "fisher", "conditional_error"}) {
    const auto design = reestimated(320, k_stages + "combination: " + std::string(combination) + "\n");
    const auto skipped = follow(*design, {{33, 80, 26, 80}, {55, 100, 38, 100}});
    const auto whole = follow(*design, {{33, 80, 26, 80}, {10, 30, 9, 30}, {45, 70, 29, 70}});
    ASSERT_EQ(skipped.states.size(), 2u);
    const double critical = skipped.states[1].efficacy_z[1];
    EXPECT_TRUE(std::isfinite(critical));
    // One test has more power than its share of two.
    EXPECT_LT(critical, whole.states[1].efficacy_z[1]) << combination;
    const bool rejects = z_of({55, 100, 38, 100}) > critical;
    EXPECT_EQ(skipped.states[1].rejected != 0, rejects);
    EXPECT_EQ(skipped.inference.p_value < 0.025, rejects) << combination;
    EXPECT_TRUE(skipped.inference.defined);
    EXPECT_LT(skipped.inference.lower, skipped.inference.estimate);
  }
}

TEST(ReestimationLooks, TellsHarmApartInATwoSidedTest) {
  auto test = one_sided_z();
  test.sides = analysis::Sides::two;
  test.alpha = 0.05;
  for (const char* combination : {"inverse_normal", "fisher", "conditional_error"}) {
    const auto design =
        reestimated(320, k_stages + "combination: " + std::string(combination) + "\n", test);
    const auto better = follow(*design, {{33, 80, 26, 80}, {40, 60, 16, 60}});
    const auto worse = follow(*design, {{26, 80, 33, 80}, {16, 60, 40, 60}});
    EXPECT_EQ(better.decisions.back().stop, StopReason::efficacy) << combination;
    EXPECT_EQ(worse.decisions.back().stop, StopReason::harm) << combination;
    EXPECT_EQ(worse.states.back().rejected, 1u);
  }
}

// Nobody at a look, nobody of one arm, all or none responding: decided, never a number that is none.
TEST(ReestimationLooks, KeepsItsSenseOfDegenerateTables) {
  const TwoByTwo empty{0, 0, 0, 0}, one_armed{0, 0, 20, 40}, all{40, 40, 40, 40}, none{0, 40, 0, 40};
  for (const char* combination : {"inverse_normal", "fisher", "conditional_error"})
    for (const std::string& rules :
         {k_stages, k_numbers +
                        "reestimation: {at: [1, 2], rule: promising_zone, from: 0.3, "
                        "most_patients: 640}\n" +
                        k_boundary + "futility: {below: 0.01}\n"}) {
      const auto design = reestimated(320, rules + "combination: " + combination + "\n");
      for (const auto& first : {empty, one_armed, all, none})
        for (const auto& second : {empty, one_armed, all, none}) {
          const auto trial = follow(*design, {first, second, none});
          EXPECT_EQ(trial.states.back().rejected, 0u) << combination;
          EXPECT_NE(trial.states.back().stop, StopReason::none);
          for (const auto& state : trial.states) {
            EXPECT_GE(state.n_planned, 1);
            EXPECT_LE(state.n_planned, 640);
            for (int i = 0; i < state.n_looks; ++i)
              EXPECT_FALSE(std::isnan(state.efficacy_z[static_cast<std::size_t>(i)]));
          }
          EXPECT_TRUE(!trial.inference.defined || std::isfinite(trial.inference.estimate));
          EXPECT_FALSE(std::isnan(trial.inference.p_value));
        }
    }
}

}  // namespace
