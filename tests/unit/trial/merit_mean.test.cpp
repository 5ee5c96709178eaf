// Arms chosen by the means of a change from baseline: what a look reads is what the patients' rows
// show.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/calendar.hpp"
#include "support/studies.hpp"
#include "trial/count_plan.hpp"
#include "trial/patient_rows.hpp"
#include "trial/staged_trial.hpp"

namespace trialwright::trial {
namespace {

constexpr double k_digits = 1e-7;  // that rows tell of a percent change

// Two doses; the patients of the library with rescue and dropout.
std::string sections(const std::string& selection, const std::string& look,
                     const std::string& scenario = "{effect: 1}") {
  return fmt::format(
      "arms: {{high: {{dose_cells_per_kg: 1000000, infusion_weeks: [0, 2, 4]}}}}\n"
      "measures: {{easi: {{course: {{tau_weeks: {{high: 4}}, kumaraswamy: {{arms: {{high: {{a: 0.45, b: "
      "1.2}}}}}}, responder_mixture: {{arms: {{high: {{responder_fraction: 0.4}}}}}}}}}}}}\n"
      "safety: {{any_event: {{high: 0.28}}, infusion_reaction: {{high: 0.05}}}}\n"
      "endpoints:\n"
      "  percent: {{kind: percent_change, measure: easi, week: 12}}\n"
      "  early: {{kind: percent_change, measure: easi, week: 8}}\n"
      "  points: {{kind: change, measure: pruritus_nrs, week: 12}}\n"
      "estimands:\n"
      "  percent: {{endpoint: percent, rescue: treatment_policy, discontinuation: treatment_policy, "
      "dropout: missing}}\n"
      "  early: {{endpoint: early, rescue: treatment_policy, discontinuation: treatment_policy, dropout: "
      "missing}}\n"
      "  points: {{endpoint: points, rescue: treatment_policy, discontinuation: treatment_policy, dropout: "
      "missing}}\n"
      "analyses: {{easi50_superiority: {{sides: 1, alpha: 0.025}}}}\n"
      "designs: {{seamless: {{kind: treatment_selection, arms: {{placebo: 1, hcmsc: 1, high: 1}}, "
      "patients: 90, primary: easi50_superiority, looks: [{}], selection: {}, stage_2: "
      "{{patients_per_arm: 20}}}}}}\n"
      "scenarios: {{truth: {}}}\n",
      look, selection, scenario);
}

std::shared_ptr<const TrialPlan> plan_of(const std::string& text) {
  return support::plan(text, "library/hcmsc_rescue.yaml");
}

using Row = std::map<std::string, std::string>;

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream in(line);
  for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
  return fields;
}

struct Told {
  Workspace workspace;
  StagedOutcome outcome;
  std::vector<LookRecord> looks;
  std::vector<Row> rows;

  Told(const TrialPlan& plan, std::uint64_t trial) {
    workspace.prepare(plan);
    simulate_staged(plan, trial, every_need(*plan.model), workspace, outcome, &looks);
    const auto names = estimand_names(plan);
    const PatientRows writer(plan, names, RowColumns::of_staged_designs);
    const auto columns =
        fields_of(PatientRows::columns(*plan.model, names, RowColumns::of_staged_designs));
    for (std::size_t i = 0; i < n_randomised(plan, workspace); ++i) {
      std::string text;
      writer.append(workspace, i, text);
      text.pop_back();
      auto fields = fields_of(text);
      fields.resize(columns.size());
      Row row;
      for (std::size_t c = 0; c < columns.size(); ++c) row[columns[c]] = fields[c];
      rows.push_back(std::move(row));
    }
  }

  double merit(int hypothesis) const {
    const auto& told = looks[0].statistics;
    for (int i = 0; i < told.n; ++i) {
      const auto& one = told.list[static_cast<std::size_t>(i)];
      if (one.name == "merit" && one.hypothesis == hypothesis) return one.value;
    }
    return std::nan("");
  }

  // Of an arm's patients whose week had come by the first look's cut.
  double mean(const std::string& arm, const std::string& column, double week) const {
    double sum = 0;
    int n = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const bool is_due =
          workspace.staged.months[i] + week / base::k_weeks_per_month <= looks[0].cut_months + 1e-12;
      if (rows[i].at("arm") != arm || rows[i].at(column).empty() || !is_due) continue;
      sum += std::stod(rows[i].at(column));
      ++n;
    }
    return sum / n;
  }
};

TEST(MeritMean, OfALookIsTheDifferenceOfTheRowsMeans) {
  const auto plan = plan_of(sections("{rule: best, on: percent}", "{outcomes: 90}"));
  ASSERT_TRUE(plan->merit_mean);
  int n_missing = 0;
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    const Told told(*plan, trial);
    EXPECT_NEAR(told.merit(0), told.mean("placebo", "percent", 12) - told.mean("hcmsc", "percent", 12),
                k_digits);
    EXPECT_NEAR(told.merit(1), told.mean("placebo", "percent", 12) - told.mean("high", "percent", 12),
                k_digits);
    ASSERT_EQ(told.outcome.first_means.size(), 3u);
    EXPECT_NEAR(told.outcome.first_means[0].value, told.mean("placebo", "percent", 12), k_digits);
    const bool takes_high = told.merit(1) > told.merit(0);
    EXPECT_EQ(told.outcome.arms, takes_high ? 0b101u : 0b011u);
    for (const auto& row : told.rows) n_missing += row.at("percent").empty() ? 1 : 0;
  }
  EXPECT_GT(n_missing, 0);
}

TEST(MeritMean, ReadsTheScoreThatWasMeasured) {
  const auto plan = plan_of(sections("{rule: best, on: percent}", "{outcomes: 90}"));
  const Told told(*plan, 3);
  const auto& weeks = plan->model->visit_weeks();
  const auto visit =
      static_cast<std::size_t>(std::find(weeks.begin(), weeks.end(), 12) - weeks.begin());
  const auto easi = static_cast<std::size_t>(plan->model->measures()[0].baseline_covariate);
  int n_rescued = 0;
  for (std::size_t i = 0; i < told.rows.size(); ++i) {
    const auto patient = candidate_of(*plan, told.workspace, i);
    const auto& cohort = told.workspace.cohort;
    const double score = cohort.values[visit][patient], baseline = cohort.covariates[easi][patient];
    const bool has_left = cohort.dropout_weeks[patient] <= 12;
    const auto& field = told.rows[i].at("percent");
    EXPECT_EQ(field.empty(), has_left);
    if (!has_left) {
      EXPECT_NEAR(std::stod(field), 100 * (score / baseline - 1), k_digits);
    }
    n_rescued += !has_left && cohort.rescue_weeks[patient] <= 12 ? 1 : 0;
  }
  EXPECT_GT(n_rescued, 0);
}

TEST(MeritMean, AtAnEarlierWeekSeesMorePatients) {
  const auto plan = plan_of(sections("{rule: best, on: early}", "{outcomes: 60}"));
  for (std::uint64_t trial = 0; trial < 10; ++trial) {
    const Told told(*plan, trial);
    EXPECT_NEAR(told.merit(1), told.mean("placebo", "early", 8) - told.mean("high", "early", 8),
                k_digits);
    int n_seen = 0;
    for (const auto& mean : told.outcome.first_means) n_seen += mean.patients;
    EXPECT_GT(n_seen + 10, told.looks[0].n_known);
  }
}

TEST(MeritMean, OfPointsOfAnotherMeasure) {
  const auto plan = plan_of(sections("{rule: threshold, on: points, at_least: 0.5}", "{outcomes: 90}"));
  const Told told(*plan, 1);
  EXPECT_NEAR(told.merit(0), told.mean("placebo", "points", 12) - told.mean("hcmsc", "points", 12),
              k_digits);
}

TEST(MeritMean, NeedsWhatItReadsAndNoMore) {
  const auto plan = plan_of(sections("{rule: best, on: early}", "{outcomes: 60}"));
  Workspace lean, full;
  lean.prepare(*plan);
  full.prepare(*plan);
  StagedOutcome of_lean, of_full;
  for (std::uint64_t trial = 0; trial < 10; ++trial) {
    simulate_staged(*plan, trial, lean, of_lean, nullptr);
    simulate_staged(*plan, trial, every_need(*plan->model), full, of_full, nullptr);
    ASSERT_EQ(of_lean.first_means.size(), of_full.first_means.size());
    for (std::size_t arm = 0; arm < of_lean.first_means.size(); ++arm)
      EXPECT_EQ(of_lean.first_means[arm].value, of_full.first_means[arm].value);
    EXPECT_EQ(of_lean.rejected, of_full.rejected);
    EXPECT_EQ(of_lean.arms, of_full.arms);
  }
}

TEST(MeritMean, ChoosesForCertainWhereTheDoseIs) {
  // The high dose clears everybody, the other does nothing.
  const auto exaggerated = std::string(
      "{overrides: {measures.easi.course.kumaraswamy.arms.hcmsc: {a: 0.992024, b: 0.738805}, "
      "measures.easi.course.kumaraswamy.arms.high: {a: 0.2, b: 40}}}");
  const auto plan =
      plan_of(sections("{rule: best, on: percent, at_least: 10}", "{outcomes: 90}", exaggerated));
  for (std::uint64_t trial = 0; trial < 50; ++trial) EXPECT_EQ(Told(*plan, trial).outcome.arms, 0b101u);
  // No dose can be that much better.
  const auto none =
      plan_of(sections("{rule: best, on: percent, at_least: 99}", "{outcomes: 90}", exaggerated));
  for (std::uint64_t trial = 0; trial < 50; ++trial)
    EXPECT_EQ(Told(*none, trial).outcome.stop, design::StopReason::no_arm_left);
}

TEST(MeritMean, IsNothingThatCountsTell) {
  const auto plan = support::plan(sections("{rule: best, on: percent}", "{outcomes: 90}"));
  EXPECT_THAT(CountPlan::make(*plan).why_not, testing::HasSubstr("arms are chosen by means"));
  const auto by_rates = support::plan(sections("{rule: best}", "{outcomes: 90}"));
  EXPECT_EQ(CountPlan::make(*by_rates).why_not, "");
}

}  // namespace
}  // namespace trialwright::trial
