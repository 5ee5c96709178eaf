#include "trial/simulate_trial.hpp"

#include <gtest/gtest.h>

#include "support/studies.hpp"

namespace trialwright::trial {
namespace {

TEST(SimulateTrial, AReplayWithEveryNeedDecidesAsTheTrialInTheRun) {
  for (const char* library : {"library/hcmsc.yaml", "library/hcmsc_rescue.yaml"}) {
    const auto plan = support::plan(
        support::sections(84, "{effect: 0.8}", ", secondary: [easi75_superiority, ae_noninferiority]"),
        library);
    Workspace run;
    Workspace replay;
    run.prepare(*plan);
    replay.prepare(*plan);
    for (std::uint64_t i_trial = 0; i_trial < 50; ++i_trial) {
      simulate_trial(*plan, i_trial, run);
      simulate_trial(*plan, i_trial, every_need(*plan->model), replay);
      for (std::size_t i = 0; i < plan->analyses.size(); ++i) {
        EXPECT_EQ(run.outcome.analyses[i].table, replay.outcome.analyses[i].table);
        EXPECT_EQ(run.outcome.analyses[i].rejected, replay.outcome.analyses[i].rejected);
      }
      EXPECT_EQ(run.outcome.duration_months, replay.outcome.duration_months);
    }
  }
}

TEST(SimulateTrial, DesignsShareTheirPatients) {
  const auto small = support::plan(support::sections(50));
  const auto large = support::plan(support::sections(80));
  Workspace first;
  Workspace second;
  first.prepare(*small);
  second.prepare(*large);
  simulate_trial(*small, 3, first);
  simulate_trial(*large, 3, second);
  for (std::size_t i = 0; i < 50; ++i)
    EXPECT_EQ(first.cohort.covariates[0][i], second.cohort.covariates[0][i]);
}

TEST(SimulateTrial, CountsOfTheArmsAreThoseOfTheTable) {
  const auto plan = support::plan(support::sections(67));
  Workspace workspace;
  workspace.prepare(*plan);
  simulate_trial(*plan, 0, workspace);
  const auto& table = workspace.outcome.analyses[0].table;
  EXPECT_EQ(table.n_0 + table.n_1, 67);
  EXPECT_EQ(workspace.outcome.counts[0].patients + workspace.outcome.counts[1].patients, 67);
}

}  // namespace
}  // namespace trialwright::trial
