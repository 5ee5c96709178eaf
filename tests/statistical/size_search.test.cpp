// The simulated search for a sample size against the exact size.
//
// Complete randomisation makes the exact power a mixture over arm sizes, which has no saw-tooth: its
// smallest size is a sharp target. Over 20 seeds the stated 95% interval should hold it; fewer than 16
// times happens to a right program with probability 0.0026. An interval of half the width would hold it
// in 67% and pass with probability 0.17.
#include <gtest/gtest.h>

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

TEST(SizeSearch, IntervalHoldsTheExactSizeAsStated) {
  search::SizeQuestion question;
  question.point = {"fixed", "truth", {}};
  auto first = study_with(1);
  const auto enumerated = search::find_size(first, question, 1, nullptr);
  ASSERT_TRUE(enumerated.is_exact);
  const int exact = enumerated.smallest.patients;
  question.method = search::SizeMethod::simulated;
  question.max_trials = 4000;
  int n_held = 0;
  for (int seed = 1; seed <= 20; ++seed) {
    auto study = study_with(seed);
    const auto answer = search::find_size(study, question, 2, nullptr);
    ASSERT_EQ(answer.outcome, search::SizeOutcome::found);
    ASSERT_FALSE(answer.is_exact);
    n_held += answer.lower <= exact && exact <= answer.upper ? 1 : 0;
    EXPECT_LT(answer.upper - answer.lower, 36) << seed;
    RecordProperty("seed_" + std::to_string(seed), answer.smallest.patients);
  }
  EXPECT_GE(n_held, 16);
  RecordProperty("exact", exact);
  RecordProperty("held", n_held);
}

}  // namespace
}  // namespace trialwright
