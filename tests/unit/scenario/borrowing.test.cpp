// Analyses of a subgroup that borrow from the other patients: which tables they are made of, by
// patients, by counts and in designs with looks.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/simulate.hpp"
#include "support/studies.hpp"
#include "trial/count_plan.hpp"
#include "trial/staged_trial.hpp"

namespace trialwright {
namespace {

std::string sections(const std::string& design, const std::string& more = "") {
  return "analyses:\n"
         "  severe: {estimand: easi50, method: commensurate, sides: 1, alpha: 0.025, subgroup: {factor: "
         "severity, level: \"iga >= 4\"}, borrow: {heterogeneity_sd: 0.3}}\n"
         "  severe_alone: {estimand: easi50, subgroup: {factor: severity, level: \"iga >= 4\"}}\n"
         "  all: {estimand: easi50, sides: 1, alpha: 0.025}\n"
         "designs: {d: {arms: {placebo: 1, hcmsc: 1}, patients: 200, primary: all, secondary: [severe, "
         "severe_alone], " +
         design + "}}\nscenarios: {truth: {effect: 1}}\n" + more;
}

void expect_tables(const trial::TrialPlan& plan, const trial::Workspace& workspace) {
  const auto& tables = workspace.strata[1];
  ASSERT_EQ(tables.size(), 2U);
  EXPECT_EQ(tables[0], workspace.outcome.analyses[2].table);
  EXPECT_EQ(analysis::collapsed(tables), workspace.outcome.analyses[0].table);
  EXPECT_EQ(workspace.outcome.analyses[1].table, tables[0]);
  EXPECT_GT(tables[0].n_1, 10);
  EXPECT_GT(tables[1].n_1, 10);
  const auto made = (*plan.analyses[1].borrowing)(tables[0], tables[1]);
  EXPECT_EQ(workspace.outcome.analyses[1].estimate.value, made.estimate.value);
  EXPECT_EQ(workspace.outcome.analyses[1].rejected, made.reject);
  EXPECT_EQ(trial::p_value(plan.analyses[1], tables), made.p_value);
}

TEST(Borrowing, takes_the_tables_of_the_subgroup_and_of_the_others) {
  const auto plan = support::plan(sections("kind: fixed"));
  trial::Workspace workspace;
  workspace.prepare(*plan);
  for (std::uint64_t trial = 0; trial < 5; ++trial) {
    trial::simulate_trial(*plan, trial, workspace);
    expect_tables(*plan, workspace);
  }
}

TEST(Borrowing, takes_them_at_the_end_of_a_trial_with_looks) {
  const auto plan = support::plan(sections(
      "kind: group_sequential, looks: [{outcomes: 0.5}], efficacy: {boundary: lan_demets_obrien_fleming}"));
  trial::Workspace workspace;
  trial::StagedOutcome outcome;
  workspace.prepare(*plan);
  for (std::uint64_t trial = 0; trial < 5; ++trial) {
    trial::simulate_staged(*plan, trial, workspace, outcome, nullptr);
    expect_tables(*plan, workspace);
  }
}

// 20000 trials by patients and as many by counts: 3.5 standard errors of the difference of two rates
// and of two means, 0.001 false alarms; tables exchanged (the severe are the fewer) move the mean's SD
// and with it the power by far more.
TEST(Borrowing, is_drawn_as_counts_too) {
  const auto plan = support::plan(sections("kind: fixed", "simulation: {seed: 3, trials: 1}\n"));
  const auto attempt = trial::CountPlan::make(*plan);
  ASSERT_TRUE(attempt.plan) << attempt.why_not;
  ASSERT_EQ(attempt.plan->strata()[1].size(), 2U);
  constexpr std::uint64_t k_trials = 20000;
  const engine::TrueValues unknown(plan->analyses.size());
  const std::vector<engine::Work> works[] = {{{plan.get(), unknown, k_trials, 0}},
                                             {{plan.get(), unknown, k_trials, 0, attempt.plan}}};
  double rate[2], mean[2], variance = 0;
  for (int i = 0; i < 2; ++i) {
    const auto sum = engine::simulate(works[i], 2, nullptr).front();
    const auto& severe = sum.analyses[1];
    rate[i] = static_cast<double>(severe.n_rejected) / k_trials;
    mean[i] = severe.estimate.mean();
    variance += severe.estimate.variance() / k_trials;
  }
  EXPECT_NEAR(rate[0], rate[1], 3.5 * std::sqrt(2 * rate[0] * (1 - rate[0]) / k_trials));
  EXPECT_NEAR(mean[0], mean[1], 3.5 * std::sqrt(variance));
}

TEST(Borrowing, has_no_exact_power) {
  const auto plan = support::plan(sections("kind: fixed"));
  EXPECT_EQ(plan->exact_power(plan->analyses[1]).why_not,
            "the analysis borrows from other patients than its own");
}

}  // namespace
}  // namespace trialwright
