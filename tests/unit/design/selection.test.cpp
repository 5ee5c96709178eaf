#include "design/selection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "design/design_spec.hpp"
#include "math/normal.hpp"
#include "support/read_text.hpp"

namespace trialwright::design {
namespace {

using analysis::Direction;
using analysis::Method;
using analysis::Sides;
using analysis::TwoByTwo;
using testing::HasSubstr;

const analysis::TestSpec k_test{Method::chi_square, Sides::two, 0.05, 0, Direction::higher_is_better};

const std::vector<ArmShare> k_four_arms{{0, 1}, {1, 1}, {2, 1}, {3, 1}};

struct Read {
  SelectionSpec rules;
  DesignSpec spec;
};

auto read(const std::string& more, std::vector<ArmShare> arms = k_four_arms) {
  StudyNames names{{"placebo", "low", "high", "booster"}, 0, {"easi50"}, {}};
  names.estimands = {{"easi50", "week_8", "any_ae", "easi_change"},
                     {{}, {}, {}, MeanScale{100, "a difference in percentage points"}}};
  names.tests = {k_test};
  names.estimand_of = {0};
  return test_support::read_text(more, [&](auto& reader) {
    Read got;
    got.spec.arms = std::move(arms);
    got.spec.patients = 160;
    got.spec.looks = read_looks(reader, got.spec.patients);
    got.rules = read_selection(reader, got.spec, names);
    return got;
  });
}

std::string study(const std::string& selection, const std::string& more = "",
                  const std::string& second_stage = "{patients_per_arm: 150}", int outcomes = 160) {
  return "looks: [{outcomes: " + std::to_string(outcomes) + "}]\nselection: " + selection +
         "\nstage_2: " + second_stage + "\n" + more;
}

std::shared_ptr<const StagedDesign> make(const std::string& text,
                                         std::vector<ArmShare> arms = k_four_arms,
                                         const analysis::TestSpec& test = k_test) {
  const auto got = read(text, std::move(arms));
  EXPECT_TRUE(got.faults.empty()) << got.text;
  DesignContext context;
  context.test = test;
  return make_selection(got.value.spec, got.value.rules, context);
}

struct Trial {
  TrialState state;
  Decision decision;
  Statistics told;
  LookData data;
  std::vector<TwoByTwo> tables;
  std::vector<double> merits;
  std::vector<Rate> safety;

  // Stage 1 of 40 patients an arm, in which 12 of the control respond.
  Trial(const StagedDesign& design, std::vector<int> responders, std::vector<double> by = {},
        std::vector<Rate> safe = {})
      : merits(std::move(by)), safety(std::move(safe)) {
    design.start(state);
    look(design, responders, 40, 12, 160);
  }
  void look(const StagedDesign& design, const std::vector<int>& responders, int n, int control,
            int n_enrolled) {
    for (int x : responders) tables.push_back(x < 0 ? TwoByTwo{} : TwoByTwo{x, n, control, n});
    data.i_look = state.n_looks;
    data.is_final = state.n_looks == 1;
    data.n_enrolled = n_enrolled;
    data.n_hypotheses = static_cast<int>(responders.size());
    data.stages = tables;
    data.merits = merits;
    data.safety = safety;
    decision = design.decide(data, state, &told);
  }
};

TEST(TreatmentSelection, ReadsItsKeysAndDefaults) {
  const auto got = read(study("{rule: best}"));
  EXPECT_TRUE(got.faults.empty()) << got.text;
  const auto& rules = got.value.rules;
  EXPECT_EQ(rules.rule.action, "select_best");
  EXPECT_EQ(rules.ties, Ties::first);
  EXPECT_EQ(rules.on, -1);
  EXPECT_EQ(rules.closed_test.intersection, Intersection::dunnett);
  EXPECT_EQ(rules.closed_test.combination, sequential::Combination::inverse_normal);
  EXPECT_FALSE(rules.closed_test.efficacy.has_value());
  EXPECT_NEAR(rules.information, 40.0 / 190, 1e-12);
  EXPECT_EQ(rules.stages_by, StageBy::outcome);
  // The primary's own estimand is no other.
  EXPECT_EQ(read(study("{rule: best, on: easi50}")).value.rules.on, -1);
  EXPECT_NEAR(read(study("{rule: best}", "", "{patients: 300}")).value.rules.information, 40.0 / 190,
              1e-12);
  EXPECT_NEAR(read(study("{rule: best}", "", "{patients_per_arm: 150}", 80)).value.rules.information,
              20.0 / 190, 1e-12);
}

TEST(TreatmentSelection, TellsWhatCannotBe) {
  const auto told = [](const std::string& text) { return read(text).text; };
  EXPECT_THAT(told(study("{rule: best, count: 2}")), HasSubstr("\"count\" means nothing to best"));
  EXPECT_THAT(told(study("{rule: threshold}")), HasSubstr("at_least"));
  EXPECT_THAT(told(study("{rule: n_best, count: 4}")), HasSubstr("count"));
  EXPECT_THAT(told(study("{rule: best}", "stop_when: any\n")), HasSubstr("means nothing"));
  EXPECT_THAT(told(study("{rule: best}", "combination: conditional_error\n")),
              HasSubstr("closed test"));
  EXPECT_THAT(told(study("{rule: threshold, at_least: 0.1}", "", "{patients: 300}")),
              HasSubstr("interim_information"));
  EXPECT_THAT(told(study("{rule: best}", "", "{patients: 300, patients_per_arm: 150}")),
              HasSubstr("both given"));
  EXPECT_THAT(told("looks: [{outcomes: 80}, {outcomes: 160}]\nselection: {rule: best}\nstage_2: "
                   "{patients_per_arm: 150}\n"),
              HasSubstr("2 interim looks"));
  EXPECT_THAT(told(study("{rule: best, on: week_8}", "efficacy: {boundary: lan_demets_pocock}\n",
                         "{patients_per_arm: 150}", 120)),
              HasSubstr("cannot reject"));
  EXPECT_THAT(read(study("{rule: best}"), {{0, 1}, {1, 1}}).text,
              HasSubstr("number of active arms is 1"));
}

TEST(TreatmentSelection, StagesAreByRandomisationWhereMoreIsReadThanThePrimaryOutcome) {
  EXPECT_EQ(make(study("{rule: best, on: week_8}", "", "{patients_per_arm: 150}", 120))->stages_by(),
            StageBy::randomisation);
  // With all outcomes known it is the same.
  EXPECT_EQ(make(study("{rule: best, on: week_8}"))->stages_by(), StageBy::outcome);
  EXPECT_EQ(make(study("{rule: best, on: week_8}"))->merit_estimand(), 1);
  EXPECT_EQ(make(study("{rule: best}"))->merit_estimand(), -1);
}

TEST(TreatmentSelection, ChoosesByMeansInTheirOwnUnit) {
  const auto rules = read(study("{rule: best, on: easi_change, at_least: 10}")).value.rules;
  EXPECT_EQ(rules.on, 3);
  EXPECT_EQ(rules.at_least, 10);
  EXPECT_EQ(read(study("{rule: near_best, on: easi_change, within: 5}")).value.rules.within, 5);
  EXPECT_THAT(read(study("{rule: best, on: easi_change, at_least: 101}")).text,
              HasSubstr("a difference in percentage points from -100 to 100"));
  EXPECT_THAT(read(study("{rule: best, at_least: 10}")).text,
              HasSubstr("a difference of rates from -1 to 1"));
  EXPECT_THAT(read(study("{rule: best, safety: {estimand: easi_change, at_most: 0.1}}")).text,
              HasSubstr("estimand \"easi_change\" is a number"));
  EXPECT_THAT(read(study("{rule: best, safety: {estimand: easi_change, at_most: 0.1}}")).text,
              HasSubstr("one of easi50, week_8, any_ae"));
  const auto design = make(study("{rule: best, on: easi_change, at_least: 10}"));
  const Trial best(*design, {15, 19, 18}, {10.5, 9, 30.2});
  EXPECT_EQ(best.state.open, 0b100u);
  const Trial none(*design, {15, 19, 18}, {9.9, 9, -3});
  EXPECT_EQ(none.decision.stop, StopReason::no_arm_left);
}

TEST(TreatmentSelection, TakesTheBestAndAddsItsPatients) {
  const auto design = make(study("{rule: best}"));
  EXPECT_EQ(design->n_looks(), 2);
  EXPECT_EQ(design->most_patients(), 160 + 300);
  const Trial trial(*design, {15, 19, 18});
  EXPECT_EQ(trial.decision.action, "select_best");
  EXPECT_EQ(trial.decision.stop, StopReason::none);
  EXPECT_EQ(trial.state.open, 0b010u);
  EXPECT_EQ(trial.state.arms, 0b0101u);
  EXPECT_EQ(trial.state.n_planned, 460);
}

TEST(TreatmentSelection, BreaksTiesAsTold) {
  EXPECT_EQ(Trial(*make(study("{rule: best}")), {19, 19, 15}).state.open, 0b001u);
  EXPECT_EQ(Trial(*make(study("{rule: best, ties: last}")), {19, 19, 15}).state.open, 0b010u);
}

TEST(TreatmentSelection, TakesSeveralByTheirRule) {
  EXPECT_EQ(Trial(*make(study("{rule: n_best, count: 2}")), {19, 14, 17}).state.open, 0b101u);
  // Differences of 7/40, 2/40 and 4/40: a tenth is met exactly.
  EXPECT_EQ(Trial(*make(study("{rule: threshold, at_least: 0.1}")), {19, 14, 16}).state.open, 0b101u);
  EXPECT_EQ(Trial(*make(study("{rule: near_best, within: 0.05}")), {19, 14, 17}).state.open, 0b101u);
  const auto all = make(study("{rule: threshold, at_least: 0.1}"));
  EXPECT_EQ(all->most_patients(), 160 + 600);
}

TEST(TreatmentSelection, SharesThePatientsOfDroppedArms) {
  const auto design = make(study("{rule: n_best, count: 2}", "", "{patients: 300}"));
  EXPECT_EQ(Trial(*design, {19, 14, 17}).state.n_planned, 460);
  const auto uneven = make(study("{rule: best}"), {{0, 2}, {1, 1}, {2, 1}});
  EXPECT_EQ(Trial(*uneven, {19, 14}).state.n_planned, 160 + 450);
}

TEST(TreatmentSelection, StopsWithNoArmLeft) {
  const auto design = make(study("{rule: best, at_least: 0.1}"));
  const Trial trial(*design, {15, 12, 10});
  EXPECT_EQ(trial.decision.stop, StopReason::no_arm_left);
  EXPECT_EQ(trial.decision.action, "drop_all");
  EXPECT_EQ(trial.state.arms, 0b0001u);
  EXPECT_EQ(design->naive_rejections(trial.data, trial.state), 0u);
}

TEST(TreatmentSelection, DropsNobodyBeforeTheFirstOutcome) {
  for (const char* rule :
       {"{rule: best}", "{rule: best, at_least: 0.1}", "{rule: near_best, within: 0.1}"}) {
    const auto design = make(study(rule));
    Trial trial(*design, {19, 14, 13});
    design->start(trial.state = {});
    trial.tables.clear();
    trial.look(*design, {-1, -1, -1}, 0, 0, 4);
    EXPECT_EQ(trial.decision.stop, StopReason::none) << rule;
    EXPECT_EQ(trial.decision.action, "go_on") << rule;
    EXPECT_EQ(trial.state.open, 0b111u) << rule;
    EXPECT_LE(trial.state.n_planned, design->most_patients()) << rule;
  }
}

TEST(TreatmentSelection, ReadsTheEstimandItIsTold) {
  const auto design = make(study("{rule: best, on: week_8}"));
  EXPECT_EQ(Trial(*design, {25, 12, 12}, {0.1, 0.3, 0.2}).state.open, 0b010u);
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Trial(*design, {25, 12, 12}, {0.1, unknown, 0.2}).state.open, 0b100u);
}

TEST(TreatmentSelection, LeavesOutArmsAboveTheSafetyLimit) {
  const auto design = make(study("{rule: best, safety: {estimand: any_ae, at_most: 0.1}}"));
  EXPECT_EQ(design->safety_estimand(), 2);
  const std::vector<Rate> seen{{8, 40}, {12, 40}, {13, 40}, {0, 0}};
  EXPECT_EQ(Trial(*design, {15, 25, 13}, {}, seen).state.open, 0b001u);
}

TEST(TreatmentSelection, TestsTheChosenArmByBothStages) {
  const auto design = make(study("{rule: best}"));
  Trial trial(*design, {19, 15, 12});
  trial.look(*design, {70, -1, -1}, 150, 48, 460);
  EXPECT_EQ(trial.decision.stop, StopReason::efficacy);
  EXPECT_EQ(trial.state.rejected, 0b001u);
  EXPECT_EQ(design->naive_rejections(trial.data, trial.state), 0b001u);
  const auto got = design->infer(trial.data, trial.state, 0);
  ASSERT_TRUE(got.defined);
  EXPECT_GT(got.lower, 0);
  EXPECT_LT(got.p_value, 0.025);
  // 89 against 60 of 190; what the choice may have added is taken off.
  EXPECT_LT(got.estimate, 29.0 / 190);
  EXPECT_GT(got.estimate, got.lower);
  EXPECT_GT(got.upper, 29.0 / 190);
  EXPECT_FALSE(design->infer(trial.data, trial.state, 1).defined);
}

TEST(TreatmentSelection, RejectsAtTheLookWhereAsked) {
  const auto design = make(study("{rule: best}", "efficacy: {boundary: pocock}\n"));
  const Trial trial(*design, {33, 15, 12});
  EXPECT_EQ(trial.decision.stop, StopReason::efficacy);
  EXPECT_EQ(trial.state.rejected, 0b001u);
  const Trial never(*make(study("{rule: best}")), {40, 15, 12});
  EXPECT_EQ(never.decision.stop, StopReason::none);
}

TEST(TreatmentSelection, LowerIsBetterTurnsEverythingRound) {
  auto lower = k_test;
  lower.direction = Direction::lower_is_better;
  const auto design = make(study("{rule: best}"), k_four_arms, lower);
  Trial trial(*design, {12, 9, 2});
  EXPECT_EQ(trial.state.open, 0b100u);
  trial.look(*design, {-1, -1, 20}, 150, 48, 460);
  EXPECT_EQ(trial.state.rejected, 0b100u);
  const auto got = design->infer(trial.data, trial.state, 2);
  ASSERT_TRUE(got.defined);
  EXPECT_LT(got.upper, 0);
  EXPECT_LT(got.lower, got.estimate);
  EXPECT_LT(got.estimate, got.upper);
}

}  // namespace
}  // namespace trialwright::design
