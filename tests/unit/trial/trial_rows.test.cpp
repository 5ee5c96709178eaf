#include "trial/trial_rows.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "support/csv_rows.hpp"
#include "support/staged_plans.hpp"
#include "support/studies.hpp"

namespace trialwright::trial {
namespace {

using support::csv_fields;
using testing::ElementsAre;

// The fields of one row of an analysis.
std::vector<std::string> row(TrialRows& rows, std::size_t i_analysis,
                             std::span<const analysis::TwoByTwo> tables) {
  std::string text;
  rows.append(i_analysis, tables, text);
  EXPECT_EQ(text.back(), '\n');
  text.pop_back();
  return csv_fields(text);
}

std::vector<std::string> row(TrialRows& rows, std::size_t i_analysis, const analysis::TwoByTwo& table) {
  return row(rows, i_analysis, {&table, 1});
}

TEST(TrialRows, ARowHoldsWhatTheTrialCameTo) {
  const auto plan = support::plan(support::sections(67));
  TrialRows rows;
  rows.turn_to(*plan, "fixed,truth,");
  TrialOutcome calendar;
  calendar.has_calendar = true;
  calendar.n_screened = 90;
  calendar.enrolment_months = 12.5;
  calendar.duration_months = 0.1 + 0.2;
  rows.begin(4321, &calendar);
  const auto fields = row(rows, 0, {19, 33, 11, 34});
  ASSERT_EQ(fields.size(), csv_fields("design,scenario," + std::string(k_trial_columns)).size());
  EXPECT_THAT(std::vector(fields.begin(), fields.begin() + 8),
              ElementsAre("fixed", "truth", "4321", "easi50_superiority", "19", "33", "11", "34"));
  // The difference, and Pearson's test, by Python's math.erfc.
  EXPECT_NEAR(std::strtod(fields[8].c_str(), nullptr), 0.2522281639928699, 1e-15);
  EXPECT_NEAR(std::strtod(fields[11].c_str(), nullptr), 0.037921116036712, 1e-13);
  EXPECT_THAT(std::vector(fields.begin() + 12, fields.end()),
              ElementsAre("1", "0", "90", "12.5", "0.30000000000000004"));
  const auto estimate = plan->analyses[0].estimator(analysis::TwoByTwo{19, 33, 11, 34});
  EXPECT_EQ(std::strtod(fields[9].c_str(), nullptr), estimate.lower);
  EXPECT_EQ(std::strtod(fields[10].c_str(), nullptr), estimate.upper);
}

TEST(TrialRows, WhatIsNotThereStaysEmpty) {
  const auto plan = support::plan(support::sections(67));
  TrialRows rows;
  rows.turn_to(*plan, "a,b,150,");
  rows.begin(0, nullptr);
  std::string text;
  const analysis::TwoByTwo table{0, 0, 11, 34};
  rows.append(0, {&table, 1}, text);
  EXPECT_EQ(text, "a,b,150,0,easi50_superiority,0,0,11,34,,,,,0,1,,,\n");
}

TEST(TrialRows, RememberedTablesReadAsNewOnes) {
  const auto plan =
      support::plan(support::sections(400, "{effect: 1}", ", secondary: [easi75_superiority]"));
  TrialRows rows, fresh;
  rows.turn_to(*plan, "f,t,");
  rows.begin(1, nullptr);
  // More tables than are remembered, each twice.
  for (int repeat = 0; repeat < 2; ++repeat)
    for (int x_1 = 0; x_1 < 200; ++x_1)
      for (int x_0 = 0; x_0 < 200; x_0 += 3)
        for (std::size_t i_analysis = 0; i_analysis < 2; ++i_analysis) {
          const analysis::TwoByTwo table{x_1, 200, x_0, 199 + (x_1 & 1)};
          const auto found = row(rows, i_analysis, table);
          ASSERT_EQ(found[4], std::to_string(x_1));
          ASSERT_EQ(found[6], std::to_string(x_0));
          ASSERT_EQ(found[7], std::to_string(table.n_0));
          if (x_1 % 40 != 7) continue;
          fresh.turn_to(*plan, "f,t,");
          fresh.begin(1, nullptr);
          ASSERT_EQ(found, row(fresh, i_analysis, table));
        }
}

TEST(TrialRows, AnotherPlanForgetsTheTables) {
  const auto two_sided = support::plan(support::sections(67));
  const auto one_sided = support::plan(support::sections(67) +
                                       "analyses: {easi50_superiority: {sides: 1, alpha: 0.01}}\n");
  TrialRows rows;
  const analysis::TwoByTwo table{19, 33, 11, 34};
  rows.turn_to(*two_sided, "f,t,");
  rows.begin(0, nullptr);
  const double p = std::strtod(row(rows, 0, table)[11].c_str(), nullptr);
  rows.turn_to(*one_sided, "f,t,");
  rows.begin(0, nullptr);
  const auto fields = row(rows, 0, table);
  EXPECT_NEAR(std::strtod(fields[11].c_str(), nullptr), p / 2, 1e-16);
  EXPECT_EQ(fields[12], "0");
}

TEST(TrialRows, AStratifiedAnalysisTellsPooledCountsAndItsOwnEstimate) {
  const auto plan = support::plan(
      support::sections(120) +
      "analyses: {easi50_superiority: {method: cmh, strata: [severity], interval: wald}}\n");
  TrialRows rows;
  rows.turn_to(*plan, "f,t,");
  rows.begin(0, nullptr);
  const std::vector<analysis::TwoByTwo> strata{{10, 20, 5, 21}, {30, 40, 22, 39}};
  const auto fields = row(rows, 0, strata);
  EXPECT_THAT(std::vector(fields.begin() + 4, fields.begin() + 8), ElementsAre("40", "60", "27", "60"));
  EXPECT_EQ(std::strtod(fields[8].c_str(), nullptr), plan->analyses[0].estimator(strata).value);
  EXPECT_EQ(std::strtod(fields[11].c_str(), nullptr),
            analysis::test(plan->analyses[0].test.spec(), strata).p_value);
}

TEST(TrialRows, ARatioWithoutBoundIsInfinite) {
  const auto plan = support::plan(support::sections(60) +
                                  "analyses: {easi50_superiority: {effect: odds_ratio, interval: "
                                  "miettinen_nurminen}}\n");
  TrialRows rows;
  rows.turn_to(*plan, "f,t,");
  rows.begin(0, nullptr);
  const auto all_of_one = row(rows, 0, {30, 30, 10, 30});
  EXPECT_EQ(all_of_one[8], "");  // an odds ratio of infinity is not defined
  EXPECT_EQ(all_of_one[12], "1");
  const auto none_of_one = row(rows, 0, {0, 30, 10, 30});
  EXPECT_EQ(none_of_one[8], "0");
  EXPECT_EQ(none_of_one[9], "0");
}

TEST(TrialRows, AStagedTrialTellsItsLooks) {
  const std::string text = support::sections(120, "{effect: 1}", ", secondary: [easi75_superiority]");
  const auto enlarge = [](const design::LookData& data, design::TrialState& state) -> design::Decision {
    if (data.i_look == 0) {
      state.n_planned = 120;
      return {design::StopReason::none, "enlarge"};
    }
    state.rejected = 1;
    return {design::StopReason::efficacy, "stop"};
  };
  const auto plan = support::staged_plan(
      text, {{{design::OutcomesKnown{{40, false}}}, {design::OutcomesKnown{{90, false}}}}, 4}, 80,
      enlarge);
  Workspace workspace;
  workspace.prepare(*plan);
  StagedOutcome outcome;
  std::vector<LookRecord> looks;
  simulate_staged(*plan, 3, workspace, outcome, &looks);
  outcome.inference = {{0.01, 0.2, 0.1, 0.3, true, 0.05, 0.35}};
  TrialRows rows;
  rows.turn_to(*plan, "", RowColumns::of_staged_designs);
  rows.begin(3, &workspace.outcome, outcome, looks);
  const auto names = csv_fields(std::string(k_trial_columns) + std::string(k_staged_trial_columns));
  const auto field = [&](const std::vector<std::string>& fields, const std::string& name) {
    return fields.at(
        static_cast<std::size_t>(std::find(names.begin(), names.end(), name) - names.begin()));
  };
  const auto hypothesis = row(rows, 0, workspace.outcome.analyses[0].table);
  ASSERT_EQ(hypothesis.size(), names.size());
  EXPECT_EQ(field(hypothesis, "rejected"), "1");
  EXPECT_EQ(field(hypothesis, "looks"), "2");
  EXPECT_EQ(field(hypothesis, "stop_reason"), "efficacy");
  EXPECT_EQ(field(hypothesis, "n_enrolled"), std::to_string(outcome.n_enrolled));
  EXPECT_EQ(field(hypothesis, "n_analysed"), "90");
  EXPECT_EQ(field(hypothesis, "arms"), "placebo+hcmsc");
  EXPECT_EQ(field(hypothesis, "population"), "");
  EXPECT_EQ(field(hypothesis, "adjusted_estimate"), "0.2");
  EXPECT_EQ(field(hypothesis, "adjusted_p_value"), "0.01");
  EXPECT_EQ(field(hypothesis, "repeated_lower"), "0.05");
  EXPECT_EQ(field(hypothesis, "repeated_upper"), "0.35");
  EXPECT_EQ(field(hypothesis, "naive_rejected"), "0");
  EXPECT_EQ(field(hypothesis, "decisions"),
            "1: enlarge to 120 (n_enrolled " + std::to_string(looks[0].n_enrolled) +
                "); 2: efficacy (n_enrolled " + std::to_string(looks[1].n_enrolled) + ")");
  // Another analysis has the planned test's decision, and nothing adjusted.
  const auto secondary = row(rows, 1, workspace.outcome.analyses[1].table);
  ASSERT_EQ(secondary.size(), names.size());
  EXPECT_EQ(field(secondary, "rejected"), workspace.outcome.analyses[1].rejected ? "1" : "0");
  EXPECT_EQ(field(secondary, "adjusted_estimate"), "");
  EXPECT_EQ(field(secondary, "repeated_lower"), "");
  EXPECT_EQ(field(secondary, "naive_rejected"), "");
  // A fixed design of the same study leaves the columns empty.
  const auto fixed = support::plan(text);
  rows.turn_to(*fixed, "", RowColumns::of_staged_designs);
  rows.begin(0, nullptr);
  const auto other = row(rows, 0, {19, 60, 11, 60});
  ASSERT_EQ(other.size(), names.size());
  EXPECT_EQ(field(other, "decisions"), "");
}

}  // namespace
}  // namespace trialwright::trial
