// Group sequential boundaries against gs_boundaries.csv (gs_reference.R: rpact 4.3.0, gsDesign 3.10.1
// and, as z_own, an independent Gauss-Legendre recursion of 800 nodes in base R, 13 digits): critical
// values, alpha spent, inflation factors, drifts, stage powers and relative expected sizes of every
// row.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "math/normal.hpp"
#include "sequential/boundary.hpp"
#include "support/csv_rows.hpp"

namespace trialwright::sequential {
namespace {

constexpr double k_alpha = 0.025, k_power = 0.9;

BoundarySpec spec_of(const std::string& type, const std::string& parameter) {
  static const std::map<std::string, Family> k_types{
      {"OF", Family::obrien_fleming},     {"P", Family::pocock},
      {"WT", Family::wang_tsiatis},       {"asOF", Family::lan_demets_obrien_fleming},
      {"asP", Family::lan_demets_pocock}, {"asHSD", Family::hwang_shih_decani},
      {"asKD", Family::kim_demets}};
  BoundarySpec spec;
  spec.family = k_types.at(type);
  if (parameter != "NA") spec.parameter = std::stod(parameter);
  return spec;
}

// Consecutive rows of one design.
std::vector<std::vector<support::CsvRow>> designs() {
  std::vector<std::vector<support::CsvRow>> designs;
  for (const auto& row : support::csv_rows("tests/reference/gs_boundaries.csv")) {
    if (row.at("stage") == "1") designs.emplace_back();
    designs.back().push_back(row);
  }
  return designs;
}

// The file gives 12 digits of 1/3.
std::vector<double> information_of(const std::vector<support::CsvRow>& rows) {
  std::vector<double> information;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const bool equal = rows[k].at("info").ends_with("equal");
    information.push_back(equal ? static_cast<double>(k + 1) / static_cast<double>(rows.size())
                                : std::stod(rows[k].at("t")));
  }
  return information;
}

double number(const support::CsvRow& row, const char* name) {
  return std::stod(row.at(name));
}

void compare(const std::vector<support::CsvRow>& rows) {
  const std::vector<double> information = information_of(rows);
  const Boundary boundary =
      efficacy_boundary(spec_of(rows[0].at("type"), rows[0].at("par")), k_alpha, information);
  const double drift = drift_for_power(boundary, k_power);
  const double inflation = inflation_factor(drift, k_alpha, k_power);
  const auto at_drift = crossing_probabilities(boundary, drift);
  const auto at_half = crossing_probabilities(boundary, drift / 2);
  const auto at_null = crossing_probabilities(boundary, 0);
  double cumulative_power = 0;
  for (std::size_t k = 0; k < rows.size(); ++k) {
    const auto& row = rows[k];
    EXPECT_NEAR(boundary.efficacy_z[k], number(row, "z_own"), 2e-11);
    EXPECT_NEAR(boundary.efficacy_z[k], number(row, "z_gsDesign"), 2e-9);
    EXPECT_NEAR(boundary.efficacy_z[k], number(row, "z_rpact"), 6e-8);
    // rpact stops its last search at a level of 0.02499999.
    EXPECT_NEAR(boundary.alpha_spent[k], number(row, "alpha_spent_rpact"), 1.1e-8);
    EXPECT_NEAR(math::normal_survival(boundary.efficacy_z[k]), number(row, "stageLevel"), 1e-8);
    cumulative_power += at_drift.efficacy[k];
    EXPECT_NEAR(at_drift.efficacy[k], number(row, "rejectH1_stage_rpact"), 2e-8);
    EXPECT_NEAR(cumulative_power, number(row, "power_cum_rpact"), 2e-8);
  }
  EXPECT_NEAR(inflation, number(rows[0], "infl_gsDesign"), 3e-9);
  EXPECT_NEAR(inflation, number(rows[0], "infl_rpact"), 1e-7);
  EXPECT_NEAR(drift * drift, number(rows[0], "drift_gsDesign"), 3e-8);
  EXPECT_NEAR(drift * drift, number(rows[0], "shift_rpact"), 1e-6);
  const double scale = inflation;
  EXPECT_NEAR(scale * expected_information(information, at_drift), number(rows[0], "relEN_H1"), 1e-7);
  EXPECT_NEAR(scale * expected_information(information, at_half), number(rows[0], "relEN_H01"), 1e-7);
  EXPECT_NEAR(scale * expected_information(information, at_null), number(rows[0], "relEN_H0"), 1e-7);
}

TEST(GroupSequentialBoundaries, AgreeWithEveryRowOfTheReference) {
  std::size_t n_rows = 0;
  for (const auto& rows : designs()) {
    SCOPED_TRACE(rows[0].at("type") + " " + rows[0].at("par") + " " + rows[0].at("info"));
    compare(rows);
    n_rows += rows.size();
  }
  EXPECT_EQ(n_rows, 157u);
}

}  // namespace
}  // namespace trialwright::sequential
