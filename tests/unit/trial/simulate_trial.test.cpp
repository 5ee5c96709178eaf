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

TEST(SimulateTrial, CountsAnalysedAloneAreTheTrial) {
  for (const char* analysis : {"", ", secondary: [easi75_superiority, ae_noninferiority]"}) {
    const auto plan = support::plan(support::sections(90, "{effect: 1}", analysis));
    Workspace whole;
    Workspace counts;
    whole.prepare(*plan);
    counts.prepare(*plan);
    for (std::uint64_t i_trial = 0; i_trial < 20; ++i_trial) {
      simulate_trial(*plan, i_trial, whole);
      simulate_counts(*plan, i_trial, counts);
      for (std::size_t i = 0; i < plan->analyses.size(); ++i) {
        const auto& table = counts.outcome.analyses[i].table;
        const auto outcome = analyse_counts(plan->analyses[i], {&table, 1}, counts.test_caches[i]);
        EXPECT_EQ(outcome.table, whole.outcome.analyses[i].table);
        EXPECT_EQ(outcome.rejected, whole.outcome.analyses[i].rejected);
        EXPECT_EQ(outcome.estimate.lower, whole.outcome.analyses[i].estimate.lower);
      }
    }
  }
}

TEST(SimulateTrial, ATrialWithoutEvaluablePatientsInAnArmFails) {
  const auto plan = support::plan(support::sections(20));
  Workspace workspace;
  workspace.prepare(*plan);
  const analysis::TwoByTwo table{0, 0, 3, 10};
  const auto outcome = analyse_counts(plan->analyses[0], {&table, 1}, workspace.test_caches[0]);
  EXPECT_TRUE(outcome.failed);
  EXPECT_FALSE(outcome.rejected);
  EXPECT_FALSE(outcome.estimate.defined);
}

TEST(SimulateTrial, OnlyTheFirstTrialsHaveACalendarWhereNobodyReadsIt) {
  const std::string by_site = ", randomisation: {method: permuted_block, strata: [site]}";
  const std::string site_effects = "measures: {easi: {site_effects: {intercept_sd: 0.35}}}\n";
  struct Case {
    std::string study;
    bool reads_sites;
  };
  for (const auto& [text, reads_sites] :
       {Case{support::sections(60), false}, Case{support::sections(60, "{effect: 1}", by_site), true},
        Case{support::sections(60) + site_effects, true}}) {
    const auto plan = support::plan(text);
    Workspace run;
    Workspace replay;
    Workspace calendar;
    for (auto* workspace : {&run, &replay, &calendar}) workspace->prepare(*plan);
    for (std::uint64_t i_trial : {std::uint64_t{0}, k_calendar_trials - 1, k_calendar_trials}) {
      simulate_trial(*plan, i_trial, run);
      simulate_trial(*plan, i_trial, every_need(*plan->model), replay);
      simulate_calendar(*plan, i_trial, calendar);
      const bool has_calendar = reads_sites || i_trial < k_calendar_trials;
      EXPECT_EQ(run.outcome.has_calendar, has_calendar);
      EXPECT_TRUE(replay.outcome.has_calendar);
      EXPECT_TRUE(calendar.outcome.has_calendar);
      EXPECT_EQ(run.outcome.analyses[0].table, replay.outcome.analyses[0].table);
      EXPECT_GT(replay.outcome.enrolment_months, 0);
      EXPECT_EQ(calendar.outcome.enrolment_months, replay.outcome.enrolment_months);
      EXPECT_EQ(calendar.outcome.duration_months, replay.outcome.duration_months);
      EXPECT_EQ(calendar.outcome.n_screened, replay.outcome.n_screened);
      EXPECT_EQ(run.outcome.duration_months, has_calendar ? replay.outcome.duration_months : 0);
    }
  }
}

}  // namespace
}  // namespace trialwright::trial
