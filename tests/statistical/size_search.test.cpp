// The simulated search for a sample size against the exact size.
//
// Complete randomisation makes the exact power a mixture over arm sizes, which has no saw-tooth: its
// smallest size is a sharp target. Over 20 seeds the stated 95% interval should hold it; fewer than 16
// times happens to a right program with probability 0.0026. An interval of half the width would hold it
// in 67% and pass with probability 0.17.
#include <gtest/gtest.h>

#include <algorithm>

#include "search/power_sampler.hpp"
#include "search/size.hpp"
#include "support/studies.hpp"

namespace trialwright {
namespace {

scenario::Study study_with(int seed) {
  return support::study(
      "safety: {any_event: {placebo: 0.3235294, hcmsc: 0.5757576}}\n"
      "analyses: {rates: {estimand: any_ae, method: chi_square}}\n"
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: rates, "
      "randomisation: {method: simple}}}\n"
      "scenarios: {truth: {effect: 1}}\nsimulation: {seed: " +
      std::to_string(seed) + "}\n");
}

int exact_size(double target) {
  auto study = study_with(1);
  const scenario::PointSpec point{"fixed", "truth", {}};
  int size = 100;
  while (true) {
    const auto plan = search::plan_with_patients(study, point, size);
    if (*plan->exact_power(plan->analyses.front()).power >= target) return size;
    size += 2;
  }
}

TEST(SizeSearch, IntervalHoldsTheExactSizeAsStated) {
  const int exact = exact_size(0.9);
  int n_held = 0;
  for (int seed = 1; seed <= 20; ++seed) {
    auto study = study_with(seed);
    search::SizeQuestion question;
    question.point = {"fixed", "truth", {}};
    question.max_trials = 10000;
    const auto answer = search::find_size(study, question, 2, nullptr);
    ASSERT_EQ(answer.outcome, search::SizeOutcome::found);
    ASSERT_FALSE(answer.is_exact);
    n_held += answer.lower <= exact && exact <= answer.upper ? 1 : 0;
    EXPECT_LT(answer.upper - answer.lower, 24) << seed;
    RecordProperty("seed_" + std::to_string(seed), answer.smallest.patients);
  }
  EXPECT_GE(n_held, 16);
  RecordProperty("exact", exact);
  RecordProperty("held", n_held);
}

}  // namespace
}  // namespace trialwright
