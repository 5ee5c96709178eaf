// Analyses of a subgroup: whom they count, what is exact of them, and the designs that make them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "support/studies.hpp"
#include "trial/count_plan.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright {
namespace {

const std::string k_severe = "subgroup: {factor: severity, level: \"iga >= 4\"}";

std::string with_subgroup(const std::string& scenario, const std::string& more = "") {
  return "analyses: {severe: {estimand: easi50, " + k_severe + "}, all: {estimand: easi50}}\n" +
         "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 400, primary: all, "
         "secondary: [severe]}}\nscenarios: {truth: " +
         scenario + "}\n" + more;
}

constexpr const char* k_less_in_mild =
    "measures: {easi: {stratum_effects: {severity: {effect: [-0.638, 0]}}}}\n";

TEST(Subgroups, count_the_patients_of_their_level) {
  const auto plan = support::plan(with_subgroup("{effect: 1}"));
  trial::Workspace workspace;
  workspace.prepare(*plan);
  trial::simulate_trial(*plan, 3, workspace);
  const auto& severe = *plan->analyses[1].subgroup;
  analysis::TwoByTwo expected;
  for (std::size_t i = 0; i < 400; ++i) {
    if (workspace.cohort.strata[static_cast<std::size_t>(severe.factor)][i] != severe.level) continue;
    const bool is_active = workspace.cohort.arm[i] == plan->analyses[1].arm_1;
    const bool responds = workspace.values[0][i] > 0;
    (is_active ? expected.n_1 : expected.n_0) += 1;
    (is_active ? expected.responders_1 : expected.responders_0) += responds;
  }
  EXPECT_EQ(workspace.outcome.analyses[1].table, expected);
  EXPECT_GT(expected.n_1, 40);
  EXPECT_EQ(workspace.outcome.analyses[0].table.n_1, 200);
}

// 2000 trials of about 170 patients: 3.5 standard errors of the mean difference, 0.0005 false alarms.
TEST(Subgroups, have_exact_rates_of_their_own) {
  const auto plan = support::plan(with_subgroup("{effect: 1}", k_less_in_mild));
  const auto& all = plan->analyses[0].exact_rates;
  const auto& severe = plan->analyses[1].exact_rates;
  ASSERT_TRUE(all && severe);
  EXPECT_NEAR(severe->rate_1, 0.576, 0.006);  // as reported, and less outside
  EXPECT_LT(all->rate_1, 0.52);
  trial::Workspace workspace;
  workspace.prepare(*plan);
  double events = 0, patients = 0;
  for (std::uint64_t trial = 0; trial < 2000; ++trial) {
    trial::simulate_counts(*plan, trial, workspace);
    events += workspace.outcome.analyses[1].table.responders_1;
    patients += workspace.outcome.analyses[1].table.n_1;
  }
  const double mcse = std::sqrt(severe->rate_1 * (1 - severe->rate_1) / patients);
  EXPECT_NEAR(events / patients, severe->rate_1, 3.5 * mcse);
  EXPECT_FALSE(plan->exact_power(plan->analyses[1]).power.has_value());
}

TEST(Subgroups, are_drawn_as_counts_in_columns_of_their_own) {
  const auto plan = support::plan(with_subgroup("{effect: 1}", k_less_in_mild));
  const auto attempt = trial::CountPlan::make(*plan);
  ASSERT_TRUE(attempt.plan) << attempt.why_not;
  ASSERT_EQ(attempt.plan->strata()[1].size(), 1U);
  EXPECT_TRUE(attempt.plan->strata()[0].empty());
  trial::CountPlan::Workspace workspace;
  double events = 0, patients = 0;
  for (std::uint64_t first = 0; first < 4096; first += 1024) {
    attempt.plan->draw(plan->key, first, 1024, workspace);
    const auto& cells = attempt.plan->strata()[1].front().active;
    for (std::size_t i = 0; i < 1024; ++i) {
      events += workspace.counts[cells.events][i];
      patients += workspace.counts[cells.patients][i];
    }
  }
  const double rate = plan->analyses[1].exact_rates->rate_1;
  EXPECT_NEAR(events / patients, rate, 3.5 * std::sqrt(rate * (1 - rate) / patients));
  // About 0.42 of 200 patients an arm.
  EXPECT_NEAR(patients / 4096 / 200, *plan->model->level_share(0, 1), 0.005);
}

TEST(Subgroups, can_be_null_where_all_patients_are_not) {
  auto text = with_subgroup("{effect: 1}",
                            "measures: {easi: {stratum_effects: {severity: {effect: [0, -1.5]}}}}\n");
  text.replace(text.find("severe: {estimand: easi50"), 25,
               "severe: {estimand: easi50, sides: 1, alpha: 0.025");
  const auto plan = support::plan(text);
  EXPECT_FALSE(plan->is_null(plan->analyses[0]));
  EXPECT_TRUE(plan->is_null(plan->analyses[1]));
  const auto null = support::plan(with_subgroup("{effect: 0}"));
  EXPECT_TRUE(null->is_null(null->analyses[1]));
}

constexpr const char* k_enriched =
    "designs: {enriched: {kind: enrichment, arms: {placebo: 1, hcmsc: 1}, patients: 412, primary: "
    "easi50_superiority, secondary: [easi75_superiority], looks: [{outcomes: 0.5}], subgroup: {factor: severity, "
    "level: \"iga >= 4\"}, enrichment: {rule: thresholds, all: 0.5, subgroup: 0.5}}}\n"
    "scenarios: {truth: {effect: 1}}\n";

TEST(Subgroups, make_the_hypotheses_of_an_enrichment_design) {
  const auto plan = support::plan(k_enriched);
  ASSERT_EQ(plan->n_hypotheses, 2);
  ASSERT_EQ(plan->analyses.size(), 3U);
  EXPECT_EQ(plan->analyses[0].name, "easi50_superiority[all]");
  EXPECT_EQ(plan->analyses[1].name, "easi50_superiority[iga >= 4]");
  EXPECT_FALSE(plan->analyses[0].subgroup);
  EXPECT_EQ(plan->analyses[1].subgroup, (trial::Subgroup{0, 1}));
  EXPECT_EQ(plan->n_planned, 412);
  EXPECT_GT(plan->n_patients, 206 + 206 / 0.45);
}

TEST(Subgroups, know_what_they_are_held_against) {
  const auto plan = support::plan(
      "analyses: {severe: {estimand: easi50, " + k_severe +
      ", consistency: {with: all, fraction: 0.4}}, all: {estimand: easi50}}\n"
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 400, primary: "
      "easi75_superiority, secondary: [severe, all]}}\nscenarios: {truth: {effect: 1}}\n");
  ASSERT_TRUE(plan->analyses[1].consistency);
  EXPECT_EQ(plan->analyses[1].consistency->i_with, 2);
  EXPECT_EQ(plan->analyses[1].consistency->fraction, 0.4);
}

// Sensitivity 0.9 and specificity 0.7 at a prevalence of one half: 100 trials of 400 patients; 3.5
// standard errors of a proportion among about 20000, three checks: 0.0014 false alarms.
TEST(Subgroups, are_seen_through_a_test_with_error) {
  const auto plan = support::plan(
      "population: {strata: {tarc: {of: serum_tarc, cuts: [2000]}, tarc_test: {test_of: tarc, sensitivity: 0.9, "
      "specificity: 0.7}}}\n"
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 400, primary: easi50_superiority, "
      "randomisation: {method: permuted_block, strata: [tarc, tarc_test]}}}\nscenarios: {truth: {effect: 1}}\n");
  trial::Workspace workspace;
  workspace.prepare(*plan);
  const std::size_t tarc = 1, test = 2;
  ASSERT_EQ(plan->model->factors()[test].levels[1], "tarc_test positive");
  double n[2][2] = {{0, 0}, {0, 0}};
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    trial::simulate_counts(*plan, trial, workspace);
    for (std::size_t i = 0; i < 400; ++i)
      n[workspace.cohort.strata[tarc][i]][workspace.cohort.strata[test][i]] += 1;
  }
  const auto near = [](double events, double patients, double rate) {
    EXPECT_NEAR(events / patients, rate, 3.5 * std::sqrt(rate * (1 - rate) / patients));
  };
  near(n[1][1], n[1][0] + n[1][1], 0.9);
  near(n[0][0], n[0][0] + n[0][1], 0.7);
  near(n[0][1] + n[1][1], 40000, *plan->model->level_share(2, 1));
  EXPECT_NEAR(*plan->model->level_share(2, 1), 0.6, 0.01);
}

// The biomarker of configs/enrichment.yaml: half of the patients are truly high, and a test of
// sensitivity and specificity 0.8 calls half of all positive, eight in ten of these rightly. 100 trials
// of 412 and more candidates, 3.5 standard errors, five checks: 0.0023 false alarms; 0.01 is found with
// power 0.99.
TEST(Subgroups, of_the_shipped_biomarker_are_as_it_says) {
  auto study = scenario::Study::load(TRIALWRIGHT_SOURCE_DIR "/configs/enrichment.yaml", {});
  const auto plan = study.plan({"enriched_by_biomarker", "only_with_biomarker", {}});
  const auto& factors = plan->model->factors();
  const auto place = [&](const std::string& name) {
    return static_cast<std::size_t>(
        std::find_if(factors.begin(), factors.end(), [&](const auto& f) { return f.name == name; }) -
        factors.begin());
  };
  const std::size_t tarc = place("tarc"), test = place("tarc_test");
  trial::Workspace workspace;
  workspace.prepare(*plan);
  const auto needs = trial::every_need(*plan->model);
  double n[2][2] = {{0, 0}, {0, 0}};
  for (std::uint64_t trial = 0; trial < 100; ++trial) {
    workspace.cohort.n_patients = plan->n_patients;
    plan->model->enrol(plan->key, trial, needs, workspace.cohort);
    for (std::size_t i = 0; i < static_cast<std::size_t>(plan->n_patients); ++i)
      n[workspace.cohort.strata[tarc][i]][workspace.cohort.strata[test][i]] += 1;
  }
  const double low = n[0][0] + n[0][1], high = n[1][0] + n[1][1];
  const auto near = [](double events, double patients, double rate) {
    EXPECT_NEAR(events / patients, rate, 3.5 * std::sqrt(rate * (1 - rate) / patients));
  };
  near(high, low + high, 0.5);
  near(n[1][1], high, 0.8);
  near(n[0][0], low, 0.8);
  near(n[0][1] + n[1][1], low + high, 0.5);
  near(n[1][1], n[0][1] + n[1][1], 0.8);
}

TEST(Subgroups, of_shipped_cuts_have_the_prevalences_told) {
  auto study = scenario::Study::load(TRIALWRIGHT_SOURCE_DIR "/configs/enrichment_prevalence.yaml", {});
  const auto points = study.points();
  ASSERT_EQ(points.size(), 36U);
  const double told[] = {0.61, 0.50, 0.40};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto plan = study.plan(points[i]);
    const auto& model = *plan->model;
    for (std::size_t factor = 0; factor < model.factors().size(); ++factor)
      if (model.factors()[factor].name == "extent") {
        EXPECT_NEAR(*model.level_share(static_cast<int>(factor), 1), told[i], 0.006) << i;
        EXPECT_EQ(model.factors()[factor].levels[1], "extensive");
      }
  }
}

}  // namespace
}  // namespace trialwright
