#include "design/reestimation_inference.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "analysis/estimate.hpp"
#include "support/reestimation_cases.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using test_support::end_with;
using test_support::one_sided_z;
using test_support::reestimated;

const std::string k_look = "looks: [{outcomes: 0.5}]\n";
const std::string k_zone =
    k_look + "reestimation: {rule: promising_zone, from: 0.3, power: 0.9, most_patients: 640}\n";

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

// 2000 trials of three looks. Decisions and p-values agree in each; intervals hold the truth, by
// repeated ones (which hold more) where both looks change sizes, by stagewise ones where the last does;
// the median's half as above, nearly.
TEST(ReestimationInference, AllowsForSeveralLooks) {
  constexpr int k_trials = 2000;
  const std::string looks = "looks: [{outcomes: 0.5}, {outcomes: 0.75}]\nreestimation: {",
                    rest =
                        "rule: conditional_power, most_patients: 900}\nefficacy: {boundary: "
                        "lan_demets_obrien_fleming}\ncombination: ";
  for (const std::string combination : {"inverse_normal", "fisher", "conditional_error"})
    for (const std::string at : {"at: [2], ", "at: [1, 2], ", "resizes: next_stage, "}) {
      const auto design = reestimated(300, looks + at + rest + combination + "\n");
      std::mt19937_64 engine(7);
      const auto draw = [&](int n) {
        return analysis::TwoByTwo{std::binomial_distribution<int>(n, 0.44)(engine), n,
                                  std::binomial_distribution<int>(n, 0.32)(engine), n};
      };
      int below = 0, covered = 0, agree = 0;
      for (int trial = 0; trial < k_trials; ++trial) {
        std::vector<analysis::TwoByTwo> stages{draw(75)};
        TrialState state;
        design->start(state);
        LookData data;
        for (int known = 150; state.stop == StopReason::none;) {
          data.i_look = state.n_looks;
          data.is_final = data.i_look == 2;
          data.stages = stages;
          data.n_enrolled = known;
          if (design->decide(data, state, nullptr).stop != StopReason::none) break;
          const int awaited =
              state.outcomes_at_next_look > 0 ? state.outcomes_at_next_look : state.n_planned * 3 / 4;
          const int next = state.n_looks == 2 ? state.n_planned : awaited;
          stages.push_back(draw((next - known) / 2));
          known += 2 * ((next - known) / 2);
        }
        const auto inference = design->infer(data, state, 0);
        below += inference.estimate < 0.12 ? 1 : 0;
        covered += inference.lower <= 0.12 && 0.12 <= inference.upper ? 1 : 0;
        agree += (inference.p_value < 0.025) == (state.rejected != 0) ? 1 : 0;
      }
      EXPECT_EQ(agree, k_trials) << combination << at;
      EXPECT_GT(covered / static_cast<double>(k_trials), 0.95 - 4 * 0.0049) << combination << at;
      EXPECT_NEAR(below / static_cast<double>(k_trials), 0.5, 0.06) << combination << at;
    }
}

}  // namespace
