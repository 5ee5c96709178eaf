// P-values, estimates and intervals after sequential trials against gs_inference.csv: rpact 4.3.0
// (getFinalPValue, getFinalConfidenceInterval, getRepeatedConfidenceIntervals) of
// one sample with standard deviation 1, normalApproximation, alpha 0.025, typeOfDesign "asOF" or "P",
// design tolerance 1e-10 (1e-14 of Fisher's). Column n is cumulative for group sequential designs, of
// stages for combinations; so is the mean. Estimates are rpact's "general" ones, since the others are
// rescaled by the pooled standard deviation of the sample. rpact's searches end at about 1e-6 of the
// effect. Its equal-tailed interval of Fisher's combination is not given.
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "sequential/inference.hpp"
#include "support/csv_rows.hpp"

namespace trialwright::sequential {
namespace {

std::vector<double> numbers(const std::string& text) {
  std::istringstream in(text);
  std::vector<double> values;
  for (double value = 0; in >> value;) values.push_back(value);
  return values;
}

SequentialEstimate estimate_of(const support::CsvRow& row) {
  const auto n = numbers(row.at("n")), mean = numbers(row.at("mean")), t = numbers(row.at("t"));
  const auto critical = numbers(row.at("critical"));
  std::vector<double> z, weights;
  for (std::size_t k = 0; k < n.size(); ++k) {
    z.push_back(mean[k] * std::sqrt(n[k]));
    weights.push_back(std::sqrt(t[k] - (k > 0 ? t[k - 1] : 0.0)));
  }
  const auto looks = std::span(critical).first(n.size());
  if (row.at("method") == "group_sequential")
    return sequential_estimate({n, looks, {}, z.back()}, 0.95);
  if (row.at("method") == "inverse_normal")
    return combination_estimate({z, n, weights, looks, {}}, 0.95);
  return fisher_estimate({z, n, critical[0], 1.0, critical[1]}, 0.95);
}

TEST(GsInference, AgreesWithRpact) {
  int n_rows = 0;
  for (const auto& row : support::csv_rows("tests/reference/gs_inference.csv")) {
    SCOPED_TRACE(row.at("method") + ": " + row.at("case"));
    const auto estimate = estimate_of(row);
    EXPECT_NEAR(estimate.p_value, std::stod(row.at("p")), 2e-7);
    EXPECT_NEAR(estimate.repeated_lower, std::stod(row.at("repeated_lower")), 1e-6);
    EXPECT_NEAR(estimate.repeated_upper, std::stod(row.at("repeated_upper")), 1e-6);
    if (row.at("lower") != "NA") {
      EXPECT_NEAR(estimate.median_unbiased, std::stod(row.at("median_unbiased")), 1e-6);
      EXPECT_NEAR(estimate.lower, std::stod(row.at("lower")), 1e-6);
      EXPECT_NEAR(estimate.upper, std::stod(row.at("upper")), 1e-6);
    }
    ++n_rows;
  }
  EXPECT_EQ(n_rows, 20);
}

}  // namespace
}  // namespace trialwright::sequential
