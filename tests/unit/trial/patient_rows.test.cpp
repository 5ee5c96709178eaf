#include "trial/patient_rows.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "support/csv_rows.hpp"
#include "support/studies.hpp"

namespace trialwright::trial {
namespace {

using support::csv_fields;

TEST(PatientRows, ARowHoldsWhatTheCohortDoes) {
  const auto plan =
      support::plan(support::sections(60, "{effect: 1}", ", secondary: [iga01_superiority]"),
                    "library/hcmsc_rescue.yaml");
  const std::vector<std::string> estimands{"easi50", "not_in_this_plan", "iga01"};
  const PatientRows rows(*plan, estimands);
  const auto names = csv_fields(PatientRows::columns(*plan->model, estimands));
  Workspace workspace;
  workspace.prepare(*plan);
  int n_rescued = 0, n_dropped_out = 0;
  for (std::uint64_t trial = 0; trial < 5; ++trial) {
    simulate_trial(*plan, trial, every_need(*plan->model), workspace);
    const auto& cohort = workspace.cohort;
    for (std::size_t i = 0; i < 60; ++i) {
      std::string text;
      rows.append(workspace, i, text);
      ASSERT_EQ(text.back(), '\n');
      text.pop_back();
      const auto fields = csv_fields(text);
      ASSERT_EQ(fields.size(), names.size());
      const auto field = [&](const std::string& name) {
        for (std::size_t column = 0; column < names.size(); ++column)
          if (names[column] == name) return fields[column];
        ADD_FAILURE() << name;
        return std::string();
      };
      EXPECT_EQ(field("patient"), std::to_string(i + 1));
      EXPECT_EQ(field("site"), std::to_string(cohort.site[i] + 1));
      EXPECT_EQ(field("region"), "korea");
      EXPECT_EQ(field("randomised_months"), fmt::format("{:.4f}", cohort.randomised_months[i]));
      EXPECT_EQ(field("arm"), plan->model->arms()[static_cast<std::size_t>(cohort.arm[i])].name);
      EXPECT_EQ(field("baseline_easi"), fmt::format("{:.10g}", cohort.covariates[0][i]));
      const auto weeks = [](double value) {
        return value == patient::k_never ? std::string() : fmt::format("{:.3f}", value);
      };
      EXPECT_EQ(field("rescue_week"), weeks(cohort.rescue_weeks[i]));
      EXPECT_EQ(field("dropout_week"), weeks(cohort.dropout_weeks[i]));
      EXPECT_EQ(field("rescue_tier").empty(), cohort.rescue_tier[i] < 0);
      const int value = workspace.values[0][i];
      EXPECT_EQ(field("easi50"), value < 0 ? "" : std::to_string(value));
      EXPECT_EQ(field("not_in_this_plan"), "");
      n_rescued += field("rescue_week").empty() ? 0 : 1;
      n_dropped_out += field("dropout_week").empty() ? 0 : 1;
    }
  }
  EXPECT_GT(n_rescued, 0);
  EXPECT_GT(n_dropped_out, 0);
}

}  // namespace
}  // namespace trialwright::trial
