// Combinations of stages: closed forms and simulation-free identities. Critical values of rpact are in
// tests/reference/gs_combination.test.cpp.
#include "sequential/combination.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "math/normal.hpp"
#include "math/quadrature.hpp"

namespace trialwright::sequential {
namespace {

TEST(InverseNormal, WeighsByThePlannedShares) {
  const std::vector<double> z{1.5, 0.7, 2.2}, weights{std::sqrt(0.5), 0.5, 0.5};
  EXPECT_NEAR(inverse_normal_z(z, weights), 1.5 * std::sqrt(0.5) + 0.35 + 1.1, 1e-15);
  EXPECT_NEAR(inverse_normal_z(std::vector<double>{1.5, 0.7}, weights),
              (1.5 * std::sqrt(0.5) + 0.35) / std::sqrt(0.75), 1e-15);
}

TEST(FisherProduct, PowersOfTheWeights) {
  const std::vector<double> p{0.1, 0.04};
  EXPECT_EQ(fisher_product(p, std::vector<double>{1, 1}), 0.1 * 0.04);
  EXPECT_NEAR(fisher_product(p, std::vector<double>{1, 0.5}), 0.1 * 0.2, 1e-16);
}

TEST(FisherTwoStages, ConditionOfBauerAndKoehne) {
  // P(p1 <= alpha_1) + P(p1 p2 <= c, alpha_1 < p1 < alpha_0) = alpha, by quadrature.
  for (const double alpha_1 : {0.001, 0.0038, 0.0125, 0.02}) {
    for (const double alpha_0 : {0.3, 0.5, 1.0}) {
      const double c = fisher_critical_value(0.025, alpha_1, alpha_0);
      const double by_stage_2 = math::GaussLegendre(32).integrate(
          [&](double log_p) { return std::exp(log_p) * std::min(1.0, c / std::exp(log_p)); },
          std::log(alpha_1), std::log(alpha_0), 4000);
      EXPECT_NEAR(alpha_1 + by_stage_2, 0.025, 1e-8) << alpha_1 << ' ' << alpha_0;
    }
  }
  // Bauer & Koehne 1994, table 1: alpha 0.025, alpha_0 0.5: alpha_1 0.0102 where c is the full one,
  // 0.0038.
  const double full = std::exp(-0.5 * boost::math::quantile(boost::math::chi_squared(4), 0.975));
  EXPECT_NEAR(full, 0.0038, 5e-5);
  EXPECT_NEAR(fisher_critical_value(0.025, 0.0102, 0.5), full, 2e-5);
}

TEST(FisherTwoStages, NoEarlyRejectionIsTheChiSquareTest) {
  const double full = std::exp(-0.5 * boost::math::quantile(boost::math::chi_squared(4), 0.95));
  EXPECT_NEAR(fisher_critical_value(0.05, 0.0, 1.0), full, 1e-12);
  EXPECT_NEAR(fisher_critical_value(0.05, 0.001, 1.0), full, 1e-12);
}

TEST(FisherLooks, OneLookIsAlpha) {
  EXPECT_NEAR(fisher_critical_values(std::vector{0.025}, std::vector{1.0}).front(), 0.025, 1e-13);
}

TEST(FisherLooks, TwoLooksAreTheClosedForm) {
  const auto c = fisher_critical_values(std::vector{0.01, 0.025}, std::vector{1.0, 1.0});
  EXPECT_NEAR(c[0], 0.01, 1e-13);
  EXPECT_NEAR(c[1], fisher_critical_value(0.025, 0.01, 1.0), 1e-13);
  // Nearly nothing at the first look: the second critical value is above it.
  const auto late = fisher_critical_values(std::vector{0.0001, 0.025}, std::vector{1.0, 1.0});
  EXPECT_NEAR(late[1], fisher_critical_value(0.025, 0.0001, 1.0), 1e-12);
}

TEST(FisherLooks, OneTestOfAllStagesIsTheChiSquareTest) {
  for (const int n_looks : {2, 5, 10}) {
    const std::vector<double> weights(static_cast<std::size_t>(n_looks), 1.0);
    std::vector<double> spent(static_cast<std::size_t>(n_looks), 0.0);
    spent.back() = 0.025;
    const auto c = fisher_critical_values(spent, weights);
    const double chi_squared = boost::math::quantile(boost::math::chi_squared(2 * n_looks), 0.975);
    EXPECT_NEAR(std::log(c.back()), -0.5 * chi_squared, 1e-10) << n_looks;
  }
}

TEST(FisherLooks, ALookThatSpendsNothingNeverRejects) {
  const std::vector<double> weights{1, 0.7, 1.3};
  const auto c = fisher_critical_values(std::vector{0.0, 0.0, 0.025}, weights);
  EXPECT_EQ(c[0], 0.0);
  EXPECT_EQ(c[1], 0.0);
  EXPECT_GT(c[2], 0.0);
}

TEST(FisherLooks, ProbabilitiesAreTheAlphaSpent) {
  const std::vector<double> weights{1, 0.7, 1.3, 0.4}, spent{0.001, 0.012, 0.013, 0.025};
  const auto p = fisher_rejection_probabilities(fisher_critical_values(spent, weights), weights);
  double total = 0;
  for (std::size_t k = 0; k < p.size(); ++k) EXPECT_NEAR(total += p[k], spent[k], 1e-11) << k;
}

TEST(ConditionalError, AveragesToThePlannedLevel) {
  const double level = math::GaussLegendre(64).integrate(
      [](double z) { return math::normal_pdf(z) * conditional_error(z, 0.4, 1.96); }, -9, 9, 4);
  EXPECT_NEAR(level, math::normal_survival(1.96), 1e-13);
}

}  // namespace
}  // namespace trialwright::sequential
