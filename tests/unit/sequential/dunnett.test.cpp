// Dunnett's tests against other methods; mvtnorm's values are in
// tests/reference/gs_combination.test.cpp.
#include "sequential/dunnett.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "math/normal.hpp"
#include "math/quadrature.hpp"

namespace trialwright::sequential {
namespace {

// P(max z >= c) by Gauss-Legendre panels and libm's erfc.
double by_panels(double c, const std::vector<double>& lambda) {
  const auto tail = [](double z) { return 0.5 * std::erfc(z * std::numbers::sqrt2 / 2); };
  return math::GaussLegendre(40).integrate(
      [&](double x) {
        double log_none = 0;
        for (const double each : lambda)
          log_none += std::log1p(-tail((c - each * x) / std::sqrt(1 - each * each)));
        return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi) * -std::expm1(log_none);
      },
      -14, 16, 60);
}

const std::vector<std::vector<double>> k_lambdas{
    {0.7071, 0.7071},     {0.5, 0.8},
    {0.3, 0.6, 0.9},      std::vector<double>(7, std::sqrt(0.5)),
    {0.1, 0.2, 0.5, 0.7}, std::vector<double>(4, std::sqrt(1 / 3.0)),
    {0.0, 0.99}};

TEST(Dunnett, AgreesWithPanels) {
  for (const auto& lambda : k_lambdas) {
    for (const double c : {-2.5, 0.0, 1.0, 2.2, 4.5, 7.0}) {
      const double expected = by_panels(c, lambda);
      EXPECT_NEAR(dunnett_p_value(c, lambda) / expected, 1.0, 1e-10) << lambda.size() << ' ' << c;
    }
  }
}

TEST(Dunnett, OneArmIsTheNormalTest) {
  EXPECT_EQ(dunnett_p_value(1.7, std::vector{0.6}), math::normal_survival(1.7));
  EXPECT_EQ(dunnett_z(1.7, std::vector{0.6}), 1.7);
}

TEST(Dunnett, TwoArmsAtZeroInClosedForm) {
  // P(both below 0) = 1/4 + arcsin(rho) / (2 pi) (Sheppard 1899).
  for (const double lambda : {0.3, 0.7071067811865476, 0.95}) {
    const double rho = lambda * lambda;
    EXPECT_NEAR(dunnett_p_value(0, std::vector{lambda, lambda}),
                0.75 - std::asin(rho) / (2 * std::numbers::pi), 1e-12);
  }
}

TEST(Dunnett, IndependentArmsAreSidaks) {
  EXPECT_NEAR(dunnett_p_value(2.0, std::vector{0.0, 0.0, 0.0}), 1 - std::pow(math::normal_cdf(2.0), 3),
              1e-14);
}

TEST(Dunnett, CriticalValueHoldsAlpha) {
  for (const auto& lambda : k_lambdas) {
    for (const double alpha : {1e-6, 0.025, 0.4}) {
      EXPECT_NEAR(dunnett_p_value(dunnett_critical_value(alpha, lambda), lambda) / alpha, 1.0, 1e-9);
    }
  }
}

TEST(Dunnett, EquivalentZHasThePValue) {
  for (const auto& lambda : k_lambdas) {
    EXPECT_NEAR(math::normal_survival(dunnett_z(2.4, lambda)), dunnett_p_value(2.4, lambda), 1e-14);
    // Below the median too.
    EXPECT_NEAR(math::normal_cdf(dunnett_z(-2.4, lambda)), 1 - dunnett_p_value(-2.4, lambda), 1e-12);
  }
}

TEST(DunnettTable, WithinItsError) {
  for (const auto& lambda : k_lambdas) {
    const DunnettTable table(lambda);
    for (double c = -5.9; c < 11.9; c += 0.0371)
      ASSERT_NEAR(table(c), dunnett_z(c, lambda), 1e-7) << lambda.size() << ' ' << c;
  }
}

}  // namespace
}  // namespace trialwright::sequential
