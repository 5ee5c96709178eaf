#include "design/multi_stage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "design/design_spec.hpp"
#include "support/read_text.hpp"

namespace trialwright::design {
namespace {

using analysis::Direction;
using analysis::Method;
using analysis::Sides;
using analysis::TwoByTwo;
using testing::ElementsAre;
using testing::HasSubstr;

const analysis::TestSpec k_test{Method::chi_square, Sides::two, 0.05, 0, Direction::higher_is_better};

StudyNames names() {
  StudyNames names{{"placebo", "low", "high", "booster"}, 0, {"easi50"}, {}, {{"easi50", "any_ae"}}};
  names.tests = {k_test};
  names.estimand_of = {0};
  return names;
}

struct Read {
  MultiStageSpec rules;
  DesignSpec spec;
};

auto read(const std::string& more, std::vector<ArmShare> arms = {{0, 1}, {1, 1}, {2, 1}, {3, 1}}) {
  return test_support::read_text(more, [&](auto& reader) {
    Read got;
    got.spec.arms = std::move(arms);
    got.spec.patients = 480;
    got.spec.looks = read_looks(reader, got.spec.patients);
    got.rules = read_multi_stage(reader, got.spec, names());
    return got;
  });
}

std::shared_ptr<const StagedDesign> make(const std::string& more) {
  const auto got = read(more);
  EXPECT_TRUE(got.faults.empty()) << got.text;
  DesignContext context;
  context.test = k_test;
  return make_multi_stage(got.value.spec, got.value.rules, context);
}

// Stages of 40 patients an arm: each hypothesis's responders in each stage, the control's are 12.
class Trial {
 public:
  Trial(const StagedDesign& design, int n_hypotheses) : design_(design), n_(n_hypotheses) {
    design.start(state);
  }

  // -1: nobody of the arm or the control is known.
  Decision look(std::vector<int> responders, int n_enrolled) {
    for (int x : responders) tables_.push_back(x < 0 ? TwoByTwo{} : TwoByTwo{x, 40, 12, 40});
    data = {};
    data.i_look = state.n_looks;
    data.is_final = state.n_looks + 1 == design_.n_looks();
    data.n_enrolled = n_enrolled;
    data.n_hypotheses = n_;
    data.stages = tables_;
    told = {};
    return design_.decide(data, state, &told);
  }

  TrialState state;
  LookData data;
  Statistics told;

 private:
  const StagedDesign& design_;
  int n_;
  std::vector<TwoByTwo> tables_;
};

const std::string k_three_looks = "looks: [{outcomes: 160}, {outcomes: 320}]\n";

TEST(MultiStage, ReadsItsKeysAndDefaults) {
  const auto got = read(k_three_looks);
  EXPECT_TRUE(got.faults.empty()) << got.text;
  const auto& rules = got.value.rules;
  EXPECT_EQ(rules.shape, sequential::MultiArmShape::obrien_fleming);
  EXPECT_EQ(rules.futility, sequential::MultiArmFutility::zero);
  EXPECT_EQ(rules.stop_when, StopWhen::any);
  EXPECT_EQ(rules.control_ratio, 1);
  EXPECT_THAT(rules.information, ElementsAre(160.0 / 480, 320.0 / 480, 1));
  EXPECT_EQ(read(k_three_looks + "boundary: triangular\n").value.rules.futility,
            sequential::MultiArmFutility::triangular);
  EXPECT_EQ(read(k_three_looks, {{0, 3}, {1, 2}, {2, 2}}).value.rules.control_ratio, 1.5);
  EXPECT_THAT(read("looks: [{months: 12}]\nplanned_information: [0.4]\n").value.rules.information,
              ElementsAre(0.4, 1));
}

TEST(MultiStage, TellsWhatCannotBe) {
  EXPECT_THAT(read(k_three_looks, {{0, 1}, {1, 1}, {2, 2}}).text, HasSubstr("differ in size"));
  EXPECT_THAT(read(k_three_looks, {{0, 1}, {1, 1}}).text, HasSubstr("number of active arms is 1"));
  EXPECT_THAT(read("looks: [{months: 12}]\n").text, HasSubstr("planned_information"));
  EXPECT_THAT(read("looks: [{outcomes: 10}, {outcomes: 20}, {outcomes: 30}, {outcomes: 40}, "
                   "{outcomes: 50}]\n")
                  .text,
              HasSubstr("5 interim looks"));
  EXPECT_THAT(read("looks: [{outcomes: 480}]\n").text, HasSubstr("looks"));
}

TEST(MultiStage, DropsArmsNoBetterThanTheControl) {
  const auto design = make(k_three_looks);
  EXPECT_EQ(design->n_looks(), 3);
  EXPECT_EQ(design->most_patients(), 480);
  Trial trial(*design, 3);
  const auto first = trial.look({12, 15, 18}, 160);
  EXPECT_EQ(first.action, "drop_arms");
  EXPECT_EQ(trial.state.open, 0b110u);
  EXPECT_EQ(trial.state.arms, 0b1101u);
  // 40 an arm in each of the two stages to come, to three arms.
  EXPECT_EQ(trial.state.n_planned, 160 + 240);
  EXPECT_EQ(trial.state.outcomes_at_next_look, 160 + 120);
  EXPECT_EQ(trial.look({0, 8, 18}, 280).action, "drop_arms");
  EXPECT_EQ(trial.state.n_planned, 280 + 80);
  const auto last = trial.look({0, 0, 25}, 360);
  EXPECT_EQ(last.action, "reject");
  EXPECT_EQ(last.stop, StopReason::efficacy);
  EXPECT_EQ(trial.state.rejected, 0b100u);
}

TEST(MultiStage, CountsThePipelineOfArmsThatStop) {
  const auto design = make(k_three_looks);
  Trial trial(*design, 3);
  trial.look({12, 15, 18}, 200);  // 40 patients are in the pipeline, 10 an arm
  EXPECT_EQ(trial.state.n_planned, 200 + 3 * 70);
  EXPECT_EQ(trial.state.outcomes_at_next_look, 200 + 3 * 30);
}

TEST(MultiStage, EndsWithTheLastArm) {
  const auto design = make(k_three_looks);
  Trial trial(*design, 3);
  const auto end = trial.look({12, 10, 11}, 160);
  EXPECT_EQ(end.stop, StopReason::futility);
  EXPECT_EQ(end.action, "drop_all");
  EXPECT_EQ(trial.state.rejected, 0u);
}

TEST(MultiStage, DropsNobodyBeforeTheFirstOutcome) {
  for (const char* futility : {"futility: zero\n", "boundary: triangular\n"}) {
    const auto design = make(k_three_looks + futility);
    Trial trial(*design, 3);
    const auto first = trial.look({-1, -1, -1}, 4);
    EXPECT_EQ(first.stop, StopReason::none) << futility;
    EXPECT_EQ(first.action, "go_on") << futility;
    EXPECT_EQ(trial.state.open, 0b111u) << futility;
  }
}

// The exact p-value is 1 at common rates near 0: z is -infinity.
TEST(MultiStage, WithoutARuleForFutilityNoEvidenceIsTooWeak) {
  const auto got = read(k_three_looks + "futility: none\n");
  ASSERT_TRUE(got.faults.empty()) << got.text;
  DesignContext context;
  context.test = k_test;
  context.test.method = Method::z_pooled_exact;
  const auto design = make_multi_stage(got.value.spec, got.value.rules, context);
  Trial trial(*design, 3);
  EXPECT_EQ(trial.look({6, 15, 18}, 160).action, "go_on");
  EXPECT_EQ(trial.state.open, 0b111u);
}

TEST(MultiStage, StopsWithOneRejectionOrWithAll) {
  const auto any = make(k_three_looks);
  Trial stops(*any, 3);
  EXPECT_EQ(stops.look({33, 15, 18}, 160).stop, StopReason::efficacy);
  EXPECT_EQ(stops.state.rejected, 0b001u);

  const auto all = make(k_three_looks + "stop_when: all\n");
  Trial goes_on(*all, 3);
  EXPECT_EQ(goes_on.look({33, 15, 18}, 160).action, "reject_and_go_on");
  EXPECT_EQ(goes_on.state.arms, 0b1101u);
  EXPECT_EQ(goes_on.look({0, 30, 30}, 280).stop, StopReason::efficacy);
  EXPECT_EQ(goes_on.state.rejected, 0b111u);
}

TEST(MultiStage, TheNaiveAnalysisTestsEveryLookAtTheFullLevel) {
  const auto design = make(k_three_looks);
  Trial trial(*design, 3);
  trial.look({21, 13, 13}, 160);  // z 2.05
  EXPECT_EQ(trial.state.rejected, 0u);
  EXPECT_EQ(design->naive_rejections(trial.data, trial.state), 0b001u);
}

TEST(MultiStage, InfersFromTheArmsOwnPath) {
  const auto design = make(k_three_looks);
  Trial trial(*design, 3);
  trial.look({10, 18, 20}, 160);
  trial.look({0, 18, 21}, 280);
  trial.look({0, 19, 22}, 400);
  const auto dropped = design->infer(trial.data, trial.state, 0);
  ASSERT_TRUE(dropped.defined);
  EXPECT_GT(dropped.p_value, 0.5);
  const auto best = design->infer(trial.data, trial.state, 2);
  ASSERT_TRUE(best.defined);
  // 63 of 120 against 36 of 120, less what having come to the last look takes off.
  EXPECT_GT(best.estimate, 0.15);
  EXPECT_LT(best.estimate, 27.0 / 120);
  EXPECT_LT(best.lower, best.estimate);
  EXPECT_GT(best.upper, best.estimate);
  EXPECT_LT(best.p_value, 0.025);
}

// At the first look nothing is to be allowed for in the estimate: 33 against 12 of 40. The interval is
// that of all arms and looks, and so is the p-value, below alpha since the arm is rejected.
TEST(MultiStage, InfersFromOneLookForAllArms) {
  const auto design = make(k_three_looks);
  Trial trial(*design, 3);
  trial.look({33, 15, 18}, 160);
  const auto got = design->infer(trial.data, trial.state, 0);
  ASSERT_TRUE(got.defined);
  const double error = std::sqrt((0.825 * 0.175 + 0.3 * 0.7) / 40);
  EXPECT_NEAR(got.estimate, 0.525, 1e-6);
  EXPECT_LT(got.lower, 0.525 - trial.state.efficacy_z[0] * error);  // of a boundary without futility
  EXPECT_NEAR(got.lower + got.upper, 2 * 0.525, 1e-12);
  EXPECT_EQ(trial.state.rejected, 1u);
  EXPECT_LT(got.p_value, 0.025);
  EXPECT_GT(got.p_value, 0.001);
}

}  // namespace
}  // namespace trialwright::design
