// A million trials of re-estimated designs, drawn as counts, against exact enumeration of both stages.
//
// Under no effect and two alternatives, for the promising zone, a greedy rule and one with an efficacy
// boundary: rejections of the design and of the ordinary statistic beside it. 18 comparisons at 3.5
// standard errors: a right program fails with probability 0.01 at most, and the seed is fixed. An error
// of 0.0010 in a probability of 0.025 is found with probability 0.998.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/simulate.hpp"
#include "support/reestimation_cases.hpp"
#include "support/studies.hpp"

namespace trialwright {
namespace {

constexpr std::uint64_t k_trials = 1'000'000;

std::shared_ptr<const trial::TrialPlan> plan_of(const std::string& rules, const std::string& effect) {
  return support::plan(
      "analyses: {easi50_superiority: {sides: 1, alpha: 0.025}}\n"
      "designs: {reestimated: {kind: sample_size_reestimation, arms: {placebo: 1, hcmsc: 1}, patients: 160, "
      "primary: easi50_superiority, looks: [{outcomes: 80}], "
      "randomisation: {method: permuted_block, block_size: 2}, " +
      rules + "}}\nscenarios: {truth: {effect: " + effect + "}}\nsimulation: {seed: 20261123}\n");
}

void expect_exact_power(const std::string& rules) {
  for (const char* effect : {"0", "0.5", "0.9"}) {
    const auto plan = plan_of(rules, effect);
    const auto& rates = plan->analyses.front().exact_rates;
    ASSERT_TRUE(rates.has_value());
    const auto exact = test_support::enumerate(*plan->staged, 40, rates->rate_1, rates->rate_0,
                                               test_support::Follow::bisection);
    const auto counts = trial::CountPlan::make(*plan);
    ASSERT_NE(counts.plan, nullptr) << counts.why_not;
    const engine::Work work{plan.get(), engine::TrueValues(1, 0.15), k_trials, 0, counts.plan};
    const auto sum = engine::simulate({&work, 1}, 2, nullptr).front();
    const auto near = [&](double n, double probability, const char* what) {
      const double se = std::sqrt(probability * (1 - probability) / k_trials);
      EXPECT_NEAR(n / k_trials, probability, 3.5 * se)
          << what << " at effect " << effect << " of " << rules;
    };
    near(static_cast<double>(sum.staged.rejected.at(0)), exact.power(), "power");
    near(static_cast<double>(sum.staged.naive_rejected.at(0)), exact.naive, "naive power");
  }
}

TEST(ReestimationPower, OfThePromisingZoneIsExact) {
  expect_exact_power("reestimation: {rule: promising_zone, from: 0.3, most_patients: 320}");
}

TEST(ReestimationPower, OfAGreedyRuleIsExact) {
  expect_exact_power(
      "reestimation: {rule: conditional_power, most_patients: 480}, combination: fisher");
}

TEST(ReestimationPower, OfARuleThatMayStopIsExact) {
  expect_exact_power(
      "reestimation: {rule: promising_zone, from: 0.3, most_patients: 320}, "
      "efficacy: {boundary: lan_demets_obrien_fleming}, combination: conditional_error");
}

}  // namespace
}  // namespace trialwright
