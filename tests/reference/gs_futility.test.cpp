// Efficacy with beta-spending futility, binding and not, against gs_futility.csv (gs_reference.R: rpact
// 4.3.0 and gsDesign 3.10.1). All of rpact's values agree to 3e-8; gsDesign's binding designs are off
// by up to 1.8e-6 from both rpact's and ours.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sequential/boundary.hpp"
#include "support/csv_rows.hpp"

namespace trialwright::sequential {
namespace {

constexpr double k_alpha = 0.025, k_beta = 0.1;

using Rows = std::vector<support::CsvRow>;

std::vector<Rows> designs() {
  std::vector<Rows> designs;
  for (const auto& row : support::csv_rows("tests/reference/gs_futility.csv")) {
    if (row.at("stage") == "1") designs.emplace_back();
    designs.back().push_back(row);
  }
  return designs;
}

Boundary boundary_of(const Rows& rows) {
  std::vector<double> information;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const bool equal = rows[k].at("info").ends_with("equal");
    information.push_back(equal ? static_cast<double>(k + 1) / static_cast<double>(rows.size())
                                : std::stod(rows[k].at("t")));
  }
  BoundarySpec efficacy;
  if (rows[0].at("eff") == "asHSD -4") {
    efficacy.family = Family::hwang_shih_decani;
    efficacy.parameter = -4;
  }
  const FutilitySpec futility{{Family::hwang_shih_decani, -2, {}, {}, {}}, k_beta};
  const Binding binding = rows[0].at("binding") == "TRUE" ? Binding::binding : Binding::non_binding;
  return boundary_with_futility(efficacy, k_alpha, futility, binding, information);
}

// Each program is as good as its own tolerance; gsDesign has none for some designs ("NA").
void compare(double ours, const support::CsvRow& row, const char* column, double tolerance) {
  if (row.at(column) == "NA") return;
  EXPECT_NEAR(ours, std::stod(row.at(column)), tolerance) << column;
}

TEST(GroupSequentialFutility, AgreesWithEveryRowOfTheReference) {
  int n_rows = 0;
  for (const Rows& rows : designs()) {
    SCOPED_TRACE(rows[0].at("eff") + " binding " + rows[0].at("binding") + " " + rows[0].at("info"));
    const Boundary boundary = boundary_of(rows);
    const auto at_drift = crossing_probabilities(boundary, boundary.drift);
    const auto at_null = crossing_probabilities(boundary, 0);
    const double inflation = inflation_factor(boundary.drift, k_alpha, 1 - k_beta);
    double beta_spent = 0;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const auto& row = rows[k];
      beta_spent += at_drift.futility[k];
      compare(boundary.efficacy_z[k], row, "upper_gsDesign", 2e-6);
      compare(boundary.efficacy_z[k], row, "upper_rpact", 3e-8);
      compare(boundary.futility_z[k], row, "lower_gsDesign", 2e-6);
      compare(boundary.futility_z[k], row, "lower_rpact", 3e-8);
      compare(beta_spent, row, "betaSpent_rpact", 1e-8);
      compare(at_null.efficacy[k], row, "up_H0_gs", 1e-6);
      compare(at_drift.efficacy[k], row, "up_H1_gs", 1e-6);
      compare(at_null.futility[k], row, "lo_H0_gs", 1e-6);
      compare(at_drift.futility[k], row, "lo_H1_gs", 1e-6);
      ++n_rows;
    }
    compare(inflation, rows[0], "infl_gsDesign", 2e-6);
    compare(inflation, rows[0], "infl_rpact", 3e-8);
    const double relative_null = inflation * expected_information(boundary.information, at_null);
    const double relative_drift = inflation * expected_information(boundary.information, at_drift);
    compare(relative_null, rows[0], "relEN_H0_rpact", 3e-8);
    compare(relative_drift, rows[0], "relEN_H1_rpact", 3e-8);
    compare(relative_null, rows[0], "relEN_H0_gs", 1e-6);
    compare(relative_drift, rows[0], "relEN_H1_gs", 1e-6);
  }
  EXPECT_EQ(n_rows, 61);
}

}  // namespace
}  // namespace trialwright::sequential
