#include "math/normal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>
#include <vector>

namespace {

namespace math = trialwright::math;

// Boost.Math in long double is the second method.
const boost::math::normal_distribution<long double> k_normal;

double relative_error(double value, long double exact) {
  return static_cast<double>(std::abs((static_cast<long double>(value) - exact) / exact));
}

template <class Ours, class Exact>
double worst(Ours&& ours, Exact&& exact, double lo, double hi) {
  double largest = 0;
  constexpr int n = 50'000;
  for (int i = 0; i <= n; ++i) {
    const double x = lo + (hi - lo) * (i / static_cast<double>(n));
    if (x != 0)
      largest = std::max(largest, relative_error(ours(x), exact(static_cast<long double>(x))));
  }
  return largest;
}

TEST(Normal, DensityAgreesWithBoost) {
  const auto exact = [](long double z) { return boost::math::pdf(k_normal, z); };
  EXPECT_LT(worst(math::normal_pdf, exact, -37.0, 37.0), 1e-15);
}

TEST(Normal, DistributionFunctionAgreesWithBoostInBothTails) {
  const auto cdf = [](long double z) { return boost::math::cdf(k_normal, z); };
  const auto survival = [](long double z) {
    return boost::math::cdf(boost::math::complement(k_normal, z));
  };
  EXPECT_LT(worst(math::normal_cdf, cdf, -37.0, 9.0), 1.5e-15);
  EXPECT_LT(worst(math::normal_cdf, cdf, -1.0, 1.0), 1e-15);
  EXPECT_LT(worst(math::normal_survival, survival, -9.0, 37.0), 1.5e-15);
  EXPECT_EQ(math::normal_cdf(0.0), 0.5);
  EXPECT_EQ(math::normal_cdf(-50.0), 0.0);
  EXPECT_EQ(math::normal_cdf(50.0), 1.0);
  EXPECT_TRUE(std::isnan(math::normal_cdf(std::nan(""))));
}

TEST(Normal, QuantileAgreesWithBoost) {
  const auto exact = [](long double p) { return boost::math::quantile(k_normal, p); };
  EXPECT_LT(worst(math::normal_quantile, exact, 1e-6, 0.4999), 1e-15);
  EXPECT_LT(worst(math::normal_quantile, exact, 0.5001, 0.99999), 1e-15);
  const auto of_log = [](double e) { return math::normal_quantile(std::exp2(e)); };
  const auto exact_of_log = [](long double e) {
    return boost::math::quantile(k_normal, static_cast<long double>(std::exp2(static_cast<double>(e))));
  };
  EXPECT_LT(worst(of_log, exact_of_log, -1000.0, -1.1), 1e-15);
}

TEST(Normal, QuantileAtTheEdges) {
  EXPECT_EQ(math::normal_quantile(0.5), 0.0);
  EXPECT_EQ(math::normal_quantile(0.0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(math::normal_quantile(1.0), std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(math::normal_quantile(-0.1)));
  EXPECT_TRUE(std::isnan(math::normal_quantile(1.1)));
  EXPECT_TRUE(std::isnan(math::normal_quantile(std::nan(""))));
}

// Wichura 1988, Table 1: the test values printed with the algorithm.
TEST(Normal, QuantileGivesThePublishedTestValues) {
  EXPECT_NEAR(math::normal_quantile(0.25), -0.6744897501960817, 1e-15);
  EXPECT_NEAR(math::normal_quantile(0.001), -3.090232306167814, 4e-15);
  EXPECT_NEAR(math::normal_quantile(1e-20), -9.262340089798408, 1e-14);
}

TEST(Normal, LogOddsAgreeWithBoost) {
  const auto exact = [](long double z) {
    const long double lower = boost::math::cdf(k_normal, z);
    const long double upper = boost::math::cdf(boost::math::complement(k_normal, z));
    const long double excess = boost::math::erf(z * std::numbers::sqrt2_v<long double> / 2);
    return std::abs(z) < 0.5L ? std::log1p(excess / upper) : std::log(lower / upper);
  };
  EXPECT_LT(worst(math::log_odds_of_normal, exact, -9.0, 9.0), 1.5e-15);
  EXPECT_LT(worst(math::log_odds_of_normal, exact, -37.0, 37.0), 1.5e-15);
  EXPECT_LT(worst(math::log_odds_of_normal, exact, -0.01, 0.01), 1.5e-15);
  EXPECT_EQ(math::log_odds_of_normal(0.0), 0.0);
}

}  // namespace
