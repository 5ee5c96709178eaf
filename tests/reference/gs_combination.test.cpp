// Combinations, conditional and predictive power and Dunnett's tests against gs_combination.csv (rpact
// 4.3.0, tolerance 1e-10: bounds hold alpha to 1e-8 only), conditional_power.csv (rows CP of
// analytic.R) and dunnett.csv (rows Dunnett of intervals_multiplicity.R, mvtnorm).
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "math/normal.hpp"
#include "sequential/boundary.hpp"
#include "sequential/combination.hpp"
#include "sequential/conditional_power.hpp"
#include "sequential/multi_arm.hpp"
#include "support/csv_rows.hpp"

namespace trialwright::sequential {
namespace {

struct Design {
  std::vector<double> information, weights, critical_values, levels, alpha_spent;
};

// Designs of one method by "type, looks".
std::map<std::string, Design> designs(const std::string& method) {
  std::map<std::string, Design> made;
  for (const auto& row : support::csv_rows("tests/reference/gs_combination.csv")) {
    if (row.at("method") != method) continue;
    Design& design = made[row.at("type") + ", " + row.at("info")];
    design.information.push_back(std::stod(row.at("t")));
    design.weights.push_back(std::stod(row.at("weight")));
    design.critical_values.push_back(std::stod(row.at("crit")));
    design.levels.push_back(std::stod(row.at("stageLevel")));
    design.alpha_spent.push_back(std::stod(row.at("alphaSpent")));
  }
  return made;
}

// Weights to all digits, since the file has ten: sqrt(stage's information / first stage's).
std::vector<double> fisher_weights(const std::vector<double>& information) {
  std::vector<double> weights{1};
  for (std::size_t k = 1; k < information.size(); ++k)
    weights.push_back(std::sqrt((information[k] - information[k - 1]) / information[0]));
  return weights;
}

TEST(GsCombination, FisherCriticalValuesOfRpact) {
  const auto cases = designs("Fisher");
  ASSERT_EQ(cases.size(), 12u);
  for (const auto& [name, design] : cases) {
    SCOPED_TRACE(name);
    const auto weights = fisher_weights(design.information);
    const auto from_spent = fisher_critical_values(design.alpha_spent, weights);
    for (std::size_t k = 0; k < weights.size(); ++k) {
      EXPECT_NEAR(weights[k], design.weights[k], 1e-9);
      EXPECT_NEAR(from_spent[k] / design.critical_values[k], 1.0, 1e-6) << k;
    }
  }
}

TEST(GsCombination, FisherAlphaSpentAndLevelsOfRpact) {
  for (const auto& [name, design] : designs("Fisher")) {
    SCOPED_TRACE(name);
    const auto weights = fisher_weights(design.information);
    const auto p = fisher_rejection_probabilities(design.critical_values, weights);
    double spent = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      EXPECT_NEAR(spent += p[k], design.alpha_spent[k], 1e-9) << k;
      // The level of one look's product alone: the same critical value at each look so far.
      double level = 0;
      for (const double q : fisher_rejection_probabilities(
               std::vector<double>(k + 1, design.critical_values[k]), std::span(weights).first(k + 1)))
        level += q;
      EXPECT_NEAR(level, design.levels[k], 1e-9) << k;
    }
  }
}

// The combined z are a group sequential design's, at the planned weights. rpact's last alpha is 1e-8
// short, which moves its last bound by up to 2e-7.
TEST(GsCombination, InverseNormalCriticalValuesOfRpact) {
  const auto cases = designs("InverseNormal");
  ASSERT_EQ(cases.size(), 9u);
  for (const auto& [name, design] : cases) {
    SCOPED_TRACE(name);
    BoundarySpec spec;
    spec.family = name.starts_with("asOF") ? Family::lan_demets_obrien_fleming : Family::pocock;
    const auto boundary = efficacy_boundary(spec, 0.025, design.information);
    double squares = 0;
    for (std::size_t k = 0; k < design.weights.size(); ++k) {
      squares += design.weights[k] * design.weights[k];
      EXPECT_NEAR(squares, design.information[k], 1e-9);
      EXPECT_NEAR(boundary.efficacy_z[k], design.critical_values[k], 1e-6) << k;
      EXPECT_NEAR(math::normal_survival(boundary.efficacy_z[k]), design.levels[k], 1e-7) << k;
      EXPECT_NEAR(boundary.alpha_spent[k], design.alpha_spent[k], 2e-8) << k;
    }
  }
}

TEST(DunnettReference, SingleStepPValuesAndCriticalValues) {
  int n_rows = 0;
  for (const auto& row : support::csv_rows("tests/reference/dunnett.csv")) {
    SCOPED_TRACE(row.at("case") + row.at("quantity"));
    const double expected = std::stod(row.at("value"));
    int n_arms = 0;
    double z[2] = {};
    if (std::sscanf(row.at("case").c_str(), "k=%d arms", &n_arms) == 1) {
      const std::vector<double> lambda(static_cast<std::size_t>(n_arms), std::sqrt(0.5));
      EXPECT_NEAR(dunnett_critical_value(0.025, lambda), expected, 1e-6);
    } else {
      ASSERT_EQ(std::sscanf(row.at("case").c_str(), "%lf,%lf", &z[0], &z[1]), 2);
      const std::vector<double> lambda(2, std::sqrt(0.5));
      const bool first = row.at("quantity").find("p[1]") != std::string::npos;
      EXPECT_NEAR(dunnett_p_value(z[first ? 0 : 1], lambda), expected, 1e-10);
    }
    ++n_rows;
  }
  EXPECT_EQ(n_rows, 6);
}

TEST(ConditionalPowerReference, BinaryInterims) {
  int n_rows = 0;
  for (const auto& row : support::csv_rows("tests/reference/conditional_power.csv")) {
    int x1 = 0, n1 = 0, x0 = 0, n0 = 0, n_final = 0;
    ASSERT_EQ(std::sscanf(row.at("case").c_str(), "interim %d/%d vs %d/%d, final n/arm=%d", &x1, &n1,
                          &x0, &n0, &n_final),
              5);
    const double pooled = static_cast<double>(x1 + x0) / (n1 + n0);
    const double difference = static_cast<double>(x1) / n1 - static_cast<double>(x0) / n0;
    const double z = difference / std::sqrt(pooled * (1 - pooled) * (1.0 / n1 + 1.0 / n0));
    const double t = static_cast<double>(n1) / n_final;
    const double z_final = math::normal_quantile(0.975);
    const double power = row.at("quantity").starts_with("conditional")
                             ? conditional_power(z, t, z_final, z / std::sqrt(t))
                             : predictive_power(z, t, z_final);
    EXPECT_NEAR(power, std::stod(row.at("value")), 1e-10) << row.at("case") << row.at("quantity");
    ++n_rows;
  }
  EXPECT_EQ(n_rows, 14);
}

}  // namespace
}  // namespace trialwright::sequential
