#include "trial/staged_trial.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/calendar.hpp"
#include "support/staged_plans.hpp"

namespace trialwright::trial {
namespace {

using support::go_on;
using support::staged_plan;

TEST(StagedTrial, WithoutLooksIsTheFixedTrial) {
  for (const char* randomisation : {"random_allocation", "permuted_block", "simple"}) {
    const std::string text = support::sections(
        120, "{effect: 0.8}",
        std::string(", secondary: [easi75_superiority, ae_noninferiority], randomisation: {method: ") +
            randomisation + "}");
    const auto fixed = support::plan(text, "library/hcmsc_rescue.yaml");
    const auto staged = staged_plan(text, {}, 120, go_on, "library/hcmsc_rescue.yaml");
    Workspace one, other;
    one.prepare(*fixed);
    other.prepare(*staged);
    StagedOutcome outcome;
    for (std::uint64_t trial = 0; trial < 20; ++trial) {
      simulate_trial(*fixed, trial, one);
      simulate_staged(*staged, trial, other, outcome, nullptr);
      for (std::size_t i = 0; i < fixed->analyses.size(); ++i) {
        EXPECT_EQ(one.outcome.analyses[i].table, other.outcome.analyses[i].table);
        EXPECT_EQ(one.outcome.analyses[i].rejected, other.outcome.analyses[i].rejected);
        EXPECT_EQ(one.outcome.analyses[i].estimate.lower, other.outcome.analyses[i].estimate.lower);
      }
      for (std::size_t i = 0; i < one.outcome.counts.size(); ++i)
        EXPECT_EQ(one.outcome.counts[i].events, other.outcome.counts[i].events);
      EXPECT_EQ(one.outcome.n_screened, other.outcome.n_screened);
      EXPECT_EQ(one.outcome.enrolment_months, other.outcome.enrolment_months);
      EXPECT_EQ(one.outcome.duration_months, outcome.decision_months);
      EXPECT_EQ(outcome.n_enrolled, 120);
      EXPECT_EQ(outcome.n_analysed, 120);
      EXPECT_EQ(outcome.n_looks, 1);
      EXPECT_EQ(outcome.stop, design::StopReason::completed);
    }
  }
}

}  // namespace
}  // namespace trialwright::trial
