#include "design/group_sequential.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "design/design_spec.hpp"
#include "design/look_tables.hpp"
#include "math/normal.hpp"
#include "support/read_text.hpp"

namespace trialwright::design {
namespace {

using analysis::Direction;
using analysis::Method;
using analysis::Sides;
using analysis::TestSpec;
using analysis::TwoByTwo;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr double k_infinity = std::numeric_limits<double>::infinity();
const TestSpec k_one_sided{Method::chi_square, Sides::one, 0.025, 0, Direction::higher_is_better};
const TestSpec k_two_sided{Method::chi_square, Sides::two, 0.05, 0, Direction::higher_is_better};

StudyNames names_with(const TestSpec& test) {
  StudyNames names{{"placebo", "hcmsc", "low"}, 0, {"easi50"}, {}};
  names.tests = {test};
  return names;
}

auto read(const std::string& more, const TestSpec& test = k_one_sided, int patients = 200) {
  return test_support::read_text(
      "kind: group_sequential\narms: {placebo: 1, hcmsc: 1}\npatients: " + std::to_string(patients) +
          "\nprimary: easi50\n" + more,
      [&](auto& reader) { return read_design("sequential", reader, names_with(test)); });
}

std::shared_ptr<const StagedDesign> make(const std::string& more, const TestSpec& test = k_one_sided,
                                         int patients = 200) {
  const auto got = read(more, test, patients);
  EXPECT_TRUE(got.faults.empty()) << got.text;
  DesignContext context;
  context.test = test;
  return make_staged_design(got.value, context);
}

// A trial by its stages, decided look by look until it stops.
struct Run {
  TrialState state;
  Decision last;
  LookData data;
  std::vector<TwoByTwo> stages;
};

Run run(const StagedDesign& design, const std::vector<TwoByTwo>& stages, int n_all_looks = -1) {
  Run run;
  run.stages = stages;
  design.start(run.state);
  const int n = n_all_looks < 0 ? static_cast<int>(stages.size()) : n_all_looks;
  for (int k = 0; k < static_cast<int>(stages.size()); ++k) {
    run.data = {};
    run.data.i_look = k;
    run.data.is_final = k + 1 == n;
    run.data.stages = std::span(run.stages).first(static_cast<std::size_t>(k) + 1);
    run.last = design.decide(run.data, run.state, nullptr);
    if (run.last.stop != StopReason::none) break;
  }
  return run;
}

// DOMAIN.md section 7, D3: 2.9626 and 1.9686.
TEST(GroupSequential, HoldsZAgainstThePlannedBoundary) {
  const auto design = make("looks: [{outcomes: 0.5}]\n");
  EXPECT_EQ(design->n_looks(), 2);
  EXPECT_EQ(design->most_patients(), 200);
  const auto trial = run(*design, {{20, 50, 15, 50}, {20, 50, 15, 50}});
  EXPECT_EQ(trial.last.stop, StopReason::completed);
  EXPECT_NEAR(trial.state.efficacy_z[0], 2.9626, 5e-5);
  EXPECT_NEAR(trial.state.efficacy_z[1], 1.9686, 5e-5);
  EXPECT_EQ(trial.state.information[0], 0.5);
  EXPECT_EQ(trial.state.rejected, 0u);

  const auto early = run(*design, {{35, 50, 15, 50}, {20, 50, 15, 50}});
  EXPECT_EQ(early.last.stop, StopReason::efficacy);
  EXPECT_EQ(early.state.n_looks, 1);
  EXPECT_EQ(early.state.rejected, 1u);
  EXPECT_EQ(run(*design, {{22, 50, 15, 50}, {26, 50, 15, 50}}).last.stop, StopReason::efficacy);
}

TEST(GroupSequential, AnEmptyLookGoesOnAndSpendsByItsInformation) {
  const auto design = make("looks: [{outcomes: 0.5}]\nfutility: {rule: z, below: -1}\n");
  const auto trial = run(*design, {{0, 50, 0, 50}, {20, 50, 0, 50}});
  EXPECT_EQ(trial.last.stop, StopReason::efficacy);
  EXPECT_EQ(trial.state.n_looks, 2);
  // Nobody known at the look: it stops nothing, and all of alpha is left for the end.
  const auto late = run(*design, {{0, 0, 0, 0}, {40, 100, 20, 100}});
  EXPECT_EQ(late.state.n_looks, 2);
  EXPECT_NEAR(late.state.efficacy_z[1], -math::normal_quantile(0.025), 1e-9);
}

TEST(GroupSequential, AllRespondersNeitherStopNorReject) {
  const auto design =
      make("looks: [{outcomes: 0.5}]\nfutility: {rule: conditional_power, below: 0.15}\n");
  const auto trial = run(*design, {{50, 50, 50, 50}, {50, 50, 50, 50}});
  EXPECT_EQ(trial.last.stop, StopReason::futility);  // z = 0 foretells failure
  const auto without = make("looks: [{outcomes: 0.5}]\n");
  EXPECT_EQ(run(*without, {{50, 50, 50, 50}, {50, 50, 50, 50}}).last.stop, StopReason::completed);
}

// At other numbers the boundary is that of a design planned so.
// The p-value is 1 at common rates near 0: z is -infinity.
TEST(GroupSequential, WithoutARuleForFutilityNoEvidenceIsTooWeak) {
  const TestSpec exact{Method::z_pooled_exact, Sides::one, 0.025, 0, Direction::higher_is_better};
  const std::vector<TwoByTwo> stages{{10, 50, 20, 50}, {10, 50, 20, 50}};
  const auto without = make("looks: [{outcomes: 0.5}]\n", exact);
  EXPECT_EQ(run(*without, stages).last.stop, StopReason::completed);
  const auto with = make("looks: [{outcomes: 0.5}]\nfutility: {rule: z, below: -8}\n", exact);
  EXPECT_EQ(run(*with, stages).last.stop, StopReason::futility);
}

TEST(GroupSequential, ComputesTheBoundaryAgainAtTheInformationReallyThere) {
  const auto planned = make("looks: [{outcomes: 60}, {outcomes: 150}]\n");
  const auto design = make("looks: [{outcomes: 100}, {outcomes: 150}]\n");
  const std::vector<TwoByTwo> stages{{10, 30, 10, 30}, {15, 45, 15, 45}, {8, 25, 8, 25}};
  const auto expected = run(*planned, stages), got = run(*design, stages);
  for (std::size_t k = 0; k < 3; ++k)
    EXPECT_NEAR(got.state.efficacy_z[k], expected.state.efficacy_z[k], 1e-10);
  // An early end spends what is left: as a design whose spending is done there.
  const auto under = run(*design, {{10, 30, 10, 30}, {15, 45, 15, 45}}, 2);
  EXPECT_TRUE(under.data.is_final);
  EXPECT_LT(under.state.efficacy_z[1], expected.state.efficacy_z[1]);
  EXPECT_LT(under.state.efficacy_z[1], 1.98);
  EXPECT_EQ(under.last.stop, StopReason::completed);
}

TEST(GroupSequential, ALookWhoseInformationHasNotGrownStopsNothing) {
  const auto design =
      make("looks: [{outcomes: 0.4}, {outcomes: 0.7}]\nfutility: {rule: z, below: 0.5}\n");
  const auto trial = run(*design, {{22, 40, 18, 40}, {0, 0, 0, 0}, {33, 60, 26, 60}});
  EXPECT_EQ(trial.state.n_looks, 3);
  EXPECT_EQ(trial.state.efficacy_z[1], k_infinity);
  EXPECT_EQ(trial.state.futility_z[1], -k_infinity);
  EXPECT_EQ(trial.last.stop, StopReason::completed);
  const auto direct = run(*make("looks: [{outcomes: 0.4}]\n"), {{22, 40, 18, 40}, {33, 60, 26, 60}});
  EXPECT_NEAR(trial.state.efficacy_z[2], direct.state.efficacy_z[1], 1e-10);
}

TEST(GroupSequential, ATwoSidedTrialStopsOnBothSides) {
  const auto design = make("looks: [{outcomes: 0.5}]\n", k_two_sided);
  const auto worse = run(*design, {{15, 50, 35, 50}, {0, 0, 0, 0}});
  EXPECT_EQ(worse.last.stop, StopReason::harm);
  EXPECT_EQ(worse.state.rejected, 1u);
  EXPECT_NEAR(worse.state.futility_z[0], -2.9626, 5e-5);
  const auto end = run(*design, {{20, 50, 25, 50}, {20, 50, 33, 50}});
  EXPECT_EQ(end.last.stop, StopReason::harm);
  EXPECT_EQ(end.state.rejected, 1u);
}

TEST(GroupSequential, AHarmBoundaryOfItsOwnRejectsNothing) {
  const auto design =
      make("looks: [{outcomes: 0.5}]\nharm: {boundary: lan_demets_pocock, alpha: 0.1}\n");
  const auto trial = run(*design, {{15, 50, 24, 50}, {0, 0, 0, 0}});
  EXPECT_EQ(trial.last.stop, StopReason::harm);
  EXPECT_EQ(trial.state.rejected, 0u);
  // 0.1 ln(1 + (e - 1) / 2) = 0.0620 spent at half of the information.
  EXPECT_NEAR(trial.state.futility_z[0], math::normal_quantile(0.0620114507), 1e-8);
}

TEST(GroupSequential, LowerIsBetterMirrorsTheTables) {
  TestSpec lower = k_one_sided;
  lower.direction = Direction::lower_is_better;
  const auto design = make("looks: [{outcomes: 0.5}]\n", lower);
  EXPECT_EQ(run(*design, {{15, 50, 35, 50}}, 2).last.stop, StopReason::efficacy);
  EXPECT_EQ(run(*design, {{35, 50, 15, 50}}, 2).last.stop, StopReason::none);
}

TEST(GroupSequential, NonInferiorityAllowsForTheMargin) {
  const TestSpec margin{Method::farrington_manning, Sides::one, 0.025, 0.15,
                        Direction::higher_is_better};
  const auto design = make("looks: [{outcomes: 0.5}]\n", margin, 400);
  const auto trial = run(*design, {{52, 100, 50, 100}, {50, 100, 50, 100}});
  EXPECT_EQ(trial.last.stop, StopReason::efficacy);
  EXPECT_EQ(trial.state.n_looks, 2);
  const auto inference = design->infer(trial.data, trial.state, 0);
  EXPECT_TRUE(inference.defined);
  EXPECT_LT(inference.p_value, 0.025);
  EXPECT_GT(inference.lower, -0.15);  // as the test has it
}

// Strata are kept apart over the stages: z is that of the patients of both stages in each stratum.
TEST(GroupSequential, StratifiedTestsSumTheStagesWithinStrata) {
  const TestSpec cmh{Method::cmh, Sides::one, 0.025, 0, Direction::higher_is_better};
  const auto design = make("looks: [{outcomes: 0.5}]\n", cmh, 160);
  const std::vector<TwoByTwo> stages{{12, 20, 8, 20}, {6, 20, 5, 20}, {14, 20, 9, 20}, {8, 20, 4, 20}};
  TrialState state;
  design->start(state);
  LookData data;
  data.n_strata = 2;
  data.stages = std::span(stages).first(2);
  EXPECT_EQ(design->decide(data, state, nullptr).stop, StopReason::none);
  data.i_look = 1;
  data.is_final = true;
  data.stages = stages;
  Statistics told;
  const auto decision = design->decide(data, state, &told);
  const std::vector<TwoByTwo> strata{{26, 40, 17, 40}, {14, 40, 9, 40}};
  EXPECT_EQ(told.list[0].name, "z");
  EXPECT_EQ(told.list[0].value, analysis::ZStatistic(cmh)(strata));
  EXPECT_EQ(decision.stop, StopReason::efficacy);
  EXPECT_TRUE(design->infer(data, state, 0).defined);
}

TEST(GroupSequential, ConditionalPowerIsOfThePlannedEnd) {
  const auto design =
      make("looks: [{outcomes: 0.5}]\nfutility: {rule: conditional_power, below: 0.15}\n");
  Statistics told;
  TrialState state;
  design->start(state);
  const std::vector<TwoByTwo> stages{{21, 50, 16, 50}};
  LookData data;
  data.stages = stages;
  const auto decision = design->decide(data, state, &told);
  const double z = analysis::ZStatistic(k_one_sided)(stages[0]);
  const double power = math::normal_cdf(
      (z / std::sqrt(0.5) - state.efficacy_z[0] / 2.962588043 * 1.968596) / std::sqrt(0.5));
  EXPECT_EQ(decision.stop, power < 0.15 ? StopReason::futility : StopReason::none);
  double told_power = -1;
  for (int i = 0; i < told.n; ++i)
    if (told.list[static_cast<std::size_t>(i)].name == "conditional_power")
      told_power = told.list[static_cast<std::size_t>(i)].value;
  EXPECT_NEAR(told_power, power, 1e-6);
}

TEST(GroupSequential, EffectsAreHeldAgainstTheirLimit) {
  const auto design = make("looks: [{outcomes: 0.5}]\nfutility: {rule: effect, below: 0.06}\n");
  EXPECT_EQ(run(*design, {{22, 50, 20, 50}}, 2).last.stop, StopReason::futility);
  EXPECT_EQ(run(*design, {{24, 50, 20, 50}}, 2).last.stop, StopReason::none);
  TestSpec lower = k_one_sided;
  lower.direction = Direction::lower_is_better;
  const auto mirrored =
      make("looks: [{outcomes: 0.5}]\nfutility: {rule: effect, below: 0.06}\n", lower);
  EXPECT_EQ(run(*mirrored, {{20, 50, 22, 50}}, 2).last.stop, StopReason::futility);
  EXPECT_EQ(run(*mirrored, {{20, 50, 24, 50}}, 2).last.stop, StopReason::none);
}

TEST(GroupSequential, BindingFutilityLowersTheLaterBoundary) {
  const std::string futility = "futility: {rule: z, below: 0, binding: ";
  const auto free = make("looks: [{outcomes: 0.5}]\n" + futility + "false}\n");
  const auto bound = make("looks: [{outcomes: 0.5}]\n" + futility + "true}\n");
  const std::vector<TwoByTwo> stages{{21, 50, 18, 50}, {21, 50, 18, 50}};
  EXPECT_LT(run(*bound, stages).state.efficacy_z[1], run(*free, stages).state.efficacy_z[1]);
  // A look between that adds nothing changes nothing.
  const auto three = make("looks: [{outcomes: 0.5}, {outcomes: 0.8}]\n" + futility + "true}\n");
  EXPECT_NEAR(run(*three, {stages[0], {0, 0, 0, 0}, stages[1]}).state.efficacy_z[2],
              run(*bound, stages).state.efficacy_z[1], 1e-10);
  // The limit that hangs on the last critical value settles, planned or not.
  const auto power = make(
      "looks: [{outcomes: 0.5}]\nfutility: {rule: conditional_power, below: 0.3, binding: true}\n");
  const auto planned = run(*power, {{24, 50, 18, 50}, {24, 50, 18, 50}});
  const auto nearly = run(*power, {{24, 50, 18, 50}, {24, 50, 18, 50}, {0, 0, 0, 0}});
  EXPECT_LT(planned.state.efficacy_z[1], 1.9686);
  EXPECT_NEAR(planned.state.efficacy_z[0], nearly.state.efficacy_z[0], 1e-9);
}

TEST(GroupSequential, BetaSpendingFollowsTheInformationReallyThere) {
  const std::string futility =
      "futility: {rule: beta_spending, boundary: hwang_shih_decani, parameter: -2, beta: 0.1}\n";
  const auto design = make("looks: [{outcomes: 0.5}]\n" + futility);
  const auto expected = sequential::boundary_with_futility(
      {}, 0.025, {{sequential::Family::hwang_shih_decani, -2, {}, {}, {}}, 0.1},
      sequential::Binding::non_binding, std::vector<double>{0.5, 1});
  const auto trial = run(*design, {{28, 50, 18, 50}, {22, 50, 18, 50}});
  EXPECT_NEAR(trial.state.futility_z[0], expected.futility_z[0], 1e-9);
  EXPECT_EQ(trial.state.futility_z[1], -k_infinity);
  EXPECT_EQ(run(*design, {{18, 50, 18, 50}}, 2).last.stop, StopReason::futility);
  // Six patients lost: the limit is lower, by what 0.47 of the information spends of beta under the
  // planned drift: P(Z <= f) there.
  const auto lost = run(*design, {{27, 47, 17, 47}, {22, 50, 18, 50}});
  const double beta = 0.1 * std::expm1(2 * 0.47) / std::expm1(2.0);
  EXPECT_NEAR(math::normal_cdf(lost.state.futility_z[0] - expected.drift * std::sqrt(0.47)), beta,
              1e-9);
  EXPECT_LT(lost.state.futility_z[0], trial.state.futility_z[0]);
}

// A planned drift is the planned difference over its unpooled standard error at the end, 100 an arm.
TEST(GroupSequential, ConditionalPowerUnderThePlannedEffect) {
  const auto design = make(
      "looks: [{outcomes: 0.5}]\nfutility: {rule: conditional_power, below: 0.3, effect: planned, "
      "rates: {hcmsc: 0.5, placebo: 0.3}}\n");
  const double drift = 0.2 / std::sqrt((0.25 + 0.21) / 100);
  const auto trial = run(*design, {{18, 50, 15, 50}}, 2);
  const double z = trial.state.futility_z[0], final_z = 1.968596;
  EXPECT_NEAR(math::normal_cdf((z * std::sqrt(0.5) + 0.5 * drift - final_z) / std::sqrt(0.5)), 0.3,
              1e-6);
}

TEST(GroupSequential, TheNaiveAnalysisTestsEveryLookAtTheFullLevel) {
  const auto design = make("looks: [{outcomes: 0.5}]\n");
  const auto trial = run(*design, {{26, 50, 15, 50}, {15, 50, 20, 50}});  // z 2.24 at the look
  EXPECT_EQ(trial.state.rejected, 0u);
  EXPECT_EQ(design->naive_rejections(trial.data, trial.state), 1u);
  const auto none = run(*design, {{20, 50, 15, 50}, {20, 50, 15, 50}});
  EXPECT_EQ(design->naive_rejections(none.data, none.state), 0u);
}

// A design without stops on the way is a fixed one.
TEST(GroupSequential, InferenceWithoutStopsIsTheWaldInterval) {
  const auto design = make("looks: [{outcomes: 0.5}]\nefficacy: {boundary: user, z: [9, 1.96]}\n");
  const auto trial = run(*design, {{26, 50, 15, 50}, {26, 50, 15, 50}});
  const auto inference = design->infer(trial.data, trial.state, 0);
  ASSERT_TRUE(inference.defined);
  const analysis::Estimator wald(analysis::EffectMeasure::risk_difference,
                                 analysis::IntervalMethod::wald, 0.95, analysis::Stratification::none);
  const auto estimate = wald({52, 100, 30, 100});
  EXPECT_NEAR(inference.estimate, estimate.value, 1e-6);
  EXPECT_NEAR(inference.lower, estimate.lower, 1e-6);
  EXPECT_NEAR(inference.upper, estimate.upper, 1e-6);
  const double z = analysis::ZStatistic(k_one_sided)({52, 100, 30, 100});
  EXPECT_NEAR(inference.p_value, math::normal_survival(z), 1e-9);
}

TEST(GroupSequential, InferenceAfterAnEarlyStopShrinksTheEstimate) {
  const auto design = make("looks: [{outcomes: 0.5}]\n");
  // Just above the boundary: p is what the first look spends.
  const auto trial = run(*design, {{31, 50, 16, 50}}, 2);
  ASSERT_EQ(trial.last.stop, StopReason::efficacy);
  const auto inference = design->infer(trial.data, trial.state, 0);
  EXPECT_LT(inference.p_value, math::normal_survival(trial.state.efficacy_z[0]));
  EXPECT_NEAR(inference.estimate, 0.30, 1e-9);  // nothing came before the first look
  const auto later = run(*design, {{24, 50, 16, 50}, {32, 50, 16, 50}});
  ASSERT_EQ(later.last.stop, StopReason::efficacy);
  const auto end = design->infer(later.data, later.state, 0);
  EXPECT_LT(end.estimate, 0.24);
  EXPECT_GT(end.lower, 0);
  EXPECT_LT(end.p_value, 0.025);
}

TEST(GroupSequential, ReadsItsKeysAndTellsFaults) {
  const auto got = read("looks: [{outcomes: 0.5}]\n", k_two_sided);
  EXPECT_TRUE(got.faults.empty()) << got.text;
  EXPECT_THAT(got.resolved, HasSubstr("efficacy: {alpha: 0.025, boundary: lan_demets_obrien_fleming}"));
  const auto& rules = std::get<GroupSequentialSpec>(got.value.rules);
  EXPECT_THAT(rules.planned_information, ElementsAre(0.5, 1.0));
  ASSERT_TRUE(rules.harm);
  EXPECT_EQ(rules.harm->alpha, 0.025);

  const auto told = [](const std::string& more, const TestSpec& test = k_one_sided) {
    return read(more, test).text;
  };
  const std::string looks = "looks: [{outcomes: 0.5}]\n";
  EXPECT_THAT(told(looks + "efficacy: {boundary: hwang_shih_decani}\n"),
              HasSubstr("\"parameter\" is missing"));
  EXPECT_THAT(told(looks + "efficacy: {boundary: user, z: [2]}\n"),
              HasSubstr("1 values of a user's boundary"));
  EXPECT_THAT(told(looks + "efficacy: {boundary: pocok}\n"), HasSubstr("did you mean \"pocock\"?"));
  EXPECT_THAT(told(looks + "efficacy: {alpha: 0.04}\nharm: {alpha: 0.02}\n", k_two_sided),
              HasSubstr("\"alpha\" is 0.02 (the analysis has 0.01"));
  EXPECT_THAT(told("looks: [{outcomes: 200}]\n"), HasSubstr("a look at all 200 outcomes"));
  EXPECT_THAT(told("looks: [{months: 12}]\nefficacy: {boundary: pocock}\n"),
              HasSubstr("\"planned_information\" is missing"));
  EXPECT_TRUE(read("looks: [{months: 12}]\n").faults.empty());
  EXPECT_THAT(told(looks + "planned_information: [0.5]\n"), HasSubstr("not a known key"));
  EXPECT_THAT(told(looks + "futility: {rule: effect, below: 0, binding: true}\n"),
              HasSubstr("a binding limit of the effect"));
  EXPECT_THAT(told(looks + "futility: {rule: conditional_power, below: [0.1, 0.2]}\n"),
              HasSubstr("a list of 2"));
  EXPECT_THAT(told(looks + "futility: {rule: conditional_power, below: 15}\n"),
              HasSubstr("15% is written 0.15"));
  EXPECT_THAT(told(looks + "futility: {rule: beta_spending, boundary: pocock}\n"),
              HasSubstr("a family that spends is needed"));
  EXPECT_THAT(
      told(looks +
           "futility: {rule: conditional_power, below: 0.1, effect: planned, rates: {hcmsc: 0.5}}\n"),
      HasSubstr("no rate of \"placebo\""));
}

}  // namespace
}  // namespace trialwright::design
