// What a trial with looks says of its effect: repeated intervals, both sides' levels, over-run, several
// arms; against the recursion at the information really there and simulated trials.
#include "design/look_inference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "design/design_spec.hpp"
#include "math/normal.hpp"
#include "sequential/boundary.hpp"
#include "support/read_text.hpp"

namespace trialwright::design {
namespace {

using analysis::Direction;
using analysis::Method;
using analysis::Sides;
using analysis::TestSpec;
using analysis::TwoByTwo;

const TestSpec k_one_sided{Method::chi_square, Sides::one, 0.025, 0, Direction::higher_is_better};
const TestSpec k_two_sided{Method::chi_square, Sides::two, 0.05, 0, Direction::higher_is_better};

std::shared_ptr<const StagedDesign> make(const std::string& kind, const std::string& arms,
                                         const std::string& more, const TestSpec& test) {
  StudyNames names{{"placebo", "low", "high"}, 0, {"easi50"}, {}};
  names.tests = {test};
  names.estimand_of = {0};
  const auto got = test_support::read_text(
      "kind: " + kind + "\narms: " + arms + "\npatients: 300\nprimary: easi50\n" + more,
      [&](auto& reader) { return read_design("sequential", reader, names); });
  EXPECT_TRUE(got.faults.empty()) << got.text;
  DesignContext context;
  context.test = test;
  return make_staged_design(got.value, context);
}

std::shared_ptr<const StagedDesign> group_sequential(const std::string& more,
                                                     const TestSpec& test = k_one_sided) {
  return make("group_sequential", "{placebo: 1, high: 1}", more, test);
}

struct Run {
  TrialState state;
  LookData data;
  std::vector<TwoByTwo> stages;
  std::vector<Statistics> told;
};

// Looks in which nothing happens; the last of them is the end.
Run run(const StagedDesign& design, const std::vector<TwoByTwo>& stages) {
  Run run;
  run.stages = stages;
  design.start(run.state);
  for (std::size_t k = 0; k < stages.size(); ++k) {
    run.data = {};
    run.data.i_look = static_cast<int>(k);
    run.data.is_final = k + 1 == stages.size();
    run.data.stages = std::span(run.stages).first(k + 1);
    design.decide(run.data, run.state, &run.told.emplace_back());
  }
  return run;
}

double told(const Statistics& statistics, std::string_view name) {
  for (int i = 0; i < statistics.n; ++i)
    if (statistics.list[static_cast<std::size_t>(i)].name == name)
      return statistics.list[static_cast<std::size_t>(i)].value;
  ADD_FAILURE() << name << " is not told";
  return 0;
}

// The probabilities to cross on each side under the null, of the bounds that a trial was told.
std::array<double, 2> sides_of(const Run& run) {
  sequential::Boundary boundary;
  for (std::size_t k = 0; k < run.told.size(); ++k) {
    boundary.information.push_back(run.state.information[k]);
    boundary.efficacy_z.push_back(run.state.efficacy_z[k]);
    boundary.harm_z.push_back(told(run.told[k], "harm_z"));
  }
  const auto crossing = sequential::crossing_probabilities(boundary, 0);
  return {sequential::power(crossing),
          std::accumulate(crossing.harm.begin(), crossing.harm.end(), 0.0)};
}

const std::vector<TwoByTwo> k_as_planned{{18, 50, 17, 50}, {15, 50, 16, 50}, {15, 50, 15, 50}};
// A look too early, one that brings six patients, and more patients at the end than were planned.
const std::vector<TwoByTwo> k_otherwise{{14, 40, 14, 41}, {1, 3, 1, 3}, {40, 120, 40, 118}};

TEST(TwoSidedDesign, SpendsTheAlphaOfEachSideExactly) {
  const std::string looks = "looks: [{outcomes: 100}, {outcomes: 200}]\n";
  for (const std::string families :
       {"", "efficacy: {boundary: pocock}\n", "efficacy: {boundary: haybittle_peto}\n",
        "efficacy: {boundary: hwang_shih_decani, parameter: -4, alpha: 0.02}\n"
        "harm: {boundary: kim_demets, parameter: 1, alpha: 0.03}\n"})
    for (const auto& stages : {k_as_planned, k_otherwise}) {
      const auto trial = run(*group_sequential(looks + families, k_two_sided), stages);
      const auto [efficacy, harm] = sides_of(trial);
      const double above = families.find("0.02}") != families.npos ? 0.02 : 0.025;
      EXPECT_NEAR(efficacy, above, 1e-11) << families;
      EXPECT_NEAR(harm, 0.05 - above, 1e-11) << families;
    }
}

// Under- and over-running, whatever the family: the last look exhausts alpha at the information there.
TEST(UnderAndOverRunning, TheLastLookExhaustsAlpha) {
  const std::vector<TwoByTwo> ends_early{{14, 40, 14, 41}, {6, 20, 6, 20}};
  for (const std::string family :
       {"obrien_fleming", "pocock", "wang_tsiatis, parameter: 0.25", "haybittle_peto",
        "lan_demets_obrien_fleming", "lan_demets_pocock", "hwang_shih_decani, parameter: 2",
        "kim_demets, parameter: 3", "user, alpha_spent: [0.001, 0.01, 0.025]",
        "piecewise, spending: [{information: 0.5, share: 0.1}, {information: 1, share: 1}]"})
    for (const auto& stages : {k_otherwise, ends_early}) {
      const auto design = group_sequential(
          "looks: [{outcomes: 100}, {months: 9}]\nplanned_information: [0.333333, 0.7]\nefficacy: {boundary: " +
          family + "}\n");
      const auto trial = run(*design, stages);
      const auto n = static_cast<std::size_t>(trial.state.n_looks);
      const auto crossing = sequential::crossing_probabilities(
          {trial.state.information.data(), n}, {trial.state.efficacy_z.data(), n}, {}, 0);
      EXPECT_NEAR(sequential::power(crossing), 0.025, 1e-11) << family;
    }
}

TEST(RepeatedIntervals, AreTheEffectAndTheCriticalValueTimesItsError) {
  const auto design = group_sequential("looks: [{outcomes: 100}, {outcomes: 200}]\n");
  const auto trial = run(*design, k_as_planned);
  const double p_1 = 33.0 / 100, p_0 = 33.0 / 100;
  const double error = std::sqrt(p_1 * (1 - p_1) / 100 + p_0 * (1 - p_0) / 100);
  EXPECT_NEAR(told(trial.told[1], "repeated_lower"), -trial.state.efficacy_z[1] * error, 1e-12);
  EXPECT_NEAR(told(trial.told[1], "repeated_upper"), trial.state.efficacy_z[1] * error, 1e-12);
  const auto made = design->infer(trial.data, trial.state, 0);
  EXPECT_TRUE(made.has_repeated());
  EXPECT_EQ(made.repeated_lower, told(trial.told[2], "repeated_lower"));
  EXPECT_EQ(made.repeated_upper, told(trial.told[2], "repeated_upper"));
}

TEST(RepeatedIntervals, OfATwoSidedTrialHaveEachSidesOwnLevel) {
  const auto design = group_sequential(
      "looks: [{outcomes: 100}, {outcomes: 200}]\nefficacy: {alpha: 0.04}\nharm: {alpha: 0.01}\n",
      k_two_sided);
  const auto trial = run(*design, {{18, 50, 18, 50}, {15, 50, 15, 50}, {15, 50, 15, 50}});
  for (const auto& look : trial.told) {
    const double lower = told(look, "repeated_lower"), upper = told(look, "repeated_upper");
    EXPECT_NEAR(lower / upper, told(look, "efficacy_z") / told(look, "harm_z"), 1e-12);
  }
}

// Binding futility lowers the boundary under the null hypothesis, not the intervals' critical values.
TEST(RepeatedIntervals, DoNotCountOnFutility) {
  const std::string looks = "looks: [{outcomes: 100}, {outcomes: 200}]\n";
  const auto plain = group_sequential(looks);
  const auto binding = group_sequential(looks + "futility: {rule: z, below: 0, binding: true}\n");
  for (const auto& stages : {k_as_planned, k_otherwise}) {
    const auto expected = run(*plain, stages), got = run(*binding, stages);
    EXPECT_LT(got.state.efficacy_z[2], expected.state.efficacy_z[2] - 1e-4);
    for (std::size_t k = 0; k < 3; ++k)
      EXPECT_NEAR(told(got.told[k], "repeated_lower"), told(expected.told[k], "repeated_lower"), 1e-12);
  }
}

// A trial that stopped and whose pipeline was then analysed, by the deletion method: as if that look
// had been made on all of its patients.
TEST(OverRun, TakesThePlaceOfTheLookThatStopped) {
  const auto design = group_sequential("looks: [{outcomes: 100}, {outcomes: 200}]\n");
  const std::vector<TwoByTwo> known{{20, 50, 14, 50}, {33, 50, 12, 50}};
  const std::vector<TwoByTwo> all{{20, 50, 14, 50}, {44, 70, 22, 70}};
  TrialState state;
  design->start(state);
  LookData data;
  for (int k = 0; k < 2; ++k) {
    data.i_look = k;
    data.stages = std::span(known).first(static_cast<std::size_t>(k) + 1);
    design->decide(data, state, nullptr);
  }
  ASSERT_EQ(state.stop, StopReason::efficacy);
  const auto at_the_look = design->infer(data, state, 0);
  data.stages = all;
  const auto overrun = design->infer(data, state, 0);

  TrialState other;
  design->start(other);
  LookData then;
  then.stages = std::span(all).first(1);
  design->decide(then, other, nullptr);
  then.i_look = 1;
  then.stages = all;
  design->decide(then, other, nullptr);
  const auto expected = design->infer(then, other, 0);
  EXPECT_EQ(overrun.p_value, expected.p_value);
  EXPECT_EQ(overrun.estimate, expected.estimate);
  EXPECT_EQ(overrun.lower, expected.lower);
  EXPECT_EQ(overrun.repeated_lower, expected.repeated_lower);
  EXPECT_NE(overrun.estimate, at_the_look.estimate);
  EXPECT_LT(overrun.upper - overrun.lower, at_the_look.upper - at_the_look.lower);
}

// Trials of two arms and a control at these rates, in two stages of 150 an arm.
class ManyArms {
 public:
  explicit ManyArms(const std::string& more)
      : design_(make("multi_arm_multi_stage", "{placebo: 1, low: 1, high: 1}",
                     "looks: [{outcomes: 150}]\n" + more, k_one_sided)) {}

  struct Counts {
    int below = 0;         // some arm's p-value below alpha though it has no effect
    int missed = 0;        // some arm's interval holds not its effect
    int contradicted = 0;  // rejected and p above alpha, or the other way
  };
  Counts simulate(std::array<double, 3> rates, int n_trials, std::uint64_t seed) const {
    Counts counts;
    std::mt19937_64 engine(seed);
    for (int i = 0; i < n_trials; ++i) add(rates, engine, counts);
    return counts;
  }

 private:
  void add(std::array<double, 3> rates, std::mt19937_64& engine, Counts& counts) const {
    TrialState state;
    design_->start(state);
    LookData data;
    std::vector<TwoByTwo> stages;
    for (int k = 0; k < 2 && state.stop == StopReason::none; ++k) {
      std::array<int, 3> events{};
      for (std::size_t arm = 0; arm < 3; ++arm)
        events[arm] = std::binomial_distribution<int>(150, rates[arm])(engine);
      for (std::size_t h = 0; h < 2; ++h) stages.push_back({events[h + 1], 150, events[0], 150});
      data.i_look = k;
      data.is_final = k == 1;
      data.n_hypotheses = 2;
      data.stages = stages;
      design_->decide(data, state, nullptr);
    }
    bool is_below = false, is_missed = false;
    for (int h = 0; h < 2; ++h) {
      const auto made = design_->infer(data, state, h);
      const double effect = rates[static_cast<std::size_t>(h) + 1] - rates[0];
      counts.contradicted += (made.p_value < 0.025) != ((state.rejected >> h & 1) != 0);
      is_below = is_below || (effect <= 0 && made.p_value < 0.025);
      is_missed = is_missed || made.lower > effect || made.upper < effect;
    }
    counts.below += is_below;
    counts.missed += is_missed;
  }

  std::shared_ptr<const StagedDesign> design_;
};

// 8,000 trials: where the familywise error is 0.025, more than 0.0320 come once in 30,000 runs; an
// error of 0.0385 is found in 99 of 100. Of the intervals' 0.05 more than 0.0598 likewise, and 0.068.
TEST(MultiStageInference, HoldsForAllArmsTogether) {
  constexpr int k_n_trials = 8000;
  for (const std::string more : {"boundary: pocock\nfutility: zero\n", "boundary: triangular\n",
                                 "boundary: obrien_fleming\nfutility: none\nstop_when: all\n"}) {
    SCOPED_TRACE(more);
    const ManyArms arms(more);
    for (const std::array<double, 3> rates :
         {std::array{0.35, 0.35, 0.35}, std::array{0.35, 0.35, 0.5}, std::array{0.35, 0.45, 0.5}}) {
      const auto counts = arms.simulate(rates, k_n_trials, 20);
      EXPECT_EQ(counts.contradicted, 0);
      EXPECT_LT(counts.below, 0.0320 * k_n_trials);
      EXPECT_LT(counts.missed, 0.0598 * k_n_trials);
      EXPECT_GT(counts.missed, 0.015 * k_n_trials);
    }
  }
}

}  // namespace
}  // namespace trialwright::design
