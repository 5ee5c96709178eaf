#include "math/elementary.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

namespace {

namespace math = trialwright::math;

constexpr double k_infinity = std::numeric_limits<double>::infinity();

// The error of `value` in units in the last place of the exact result.
double ulps(double value, long double exact) {
  const double magnitude =
      std::max(std::abs(static_cast<double>(exact)), std::numeric_limits<double>::min());
  const long double unit = std::ldexp(1.0L, std::ilogb(magnitude) - 52);
  return static_cast<double>(std::abs((static_cast<long double>(value) - exact) / unit));
}

template <class Ours, class Exact>
double worst(Ours&& ours, Exact&& exact, double lo, double hi) {
  std::mt19937_64 engine(20261123);
  std::uniform_real_distribution<double> uniform(lo, hi);
  double largest = 0;
  for (int i = 0; i < 300'000; ++i) {
    const double x = uniform(engine);
    largest = std::max(largest, ulps(ours(x), exact(static_cast<long double>(x))));
  }
  return largest;
}

// Points with uniform exponent between 2^lo and 2^hi, either sign where the function takes it.
template <class Ours, class Exact>
double worst_by_magnitude(Ours&& ours, Exact&& exact, double lo, double hi, double sign) {
  return worst([&](double e) { return ours(sign * std::exp2(e)); },
               [&](long double e) {
                 return exact(static_cast<long double>(sign * std::exp2(static_cast<double>(e))));
               },
               lo, hi);
}

#define TEST_WORST(name, lo, hi) \
  worst([](double x) { return math::name(x); }, [](long double x) { return std::name(x); }, lo, hi)
#define TEST_WORST_BY_MAGNITUDE(name, lo, hi, sign)          \
  worst_by_magnitude([](double x) { return math::name(x); }, \
                     [](long double x) { return std::name(x); }, lo, hi, sign)

long double exact_logit(long double p) {
  const long double excess = (2 * p - 1) / (1 - p);
  return std::abs(excess) < 0.5L ? std::log1p(excess) : std::log(p / (1 - p));
}

TEST(Elementary, ExpWithinItsError) {
  EXPECT_LT(TEST_WORST(exp, -1.0, 1.0), 0.9);
  EXPECT_LT(TEST_WORST(exp, -708.0, 709.7), 0.9);
  EXPECT_LT(TEST_WORST(exp, -745.0, -708.0), 0.9);
  EXPECT_LT(TEST_WORST_BY_MAGNITUDE(exp, -60.0, 0.0, -1.0), 0.9);
}

TEST(Elementary, Expm1WithinItsError) {
  EXPECT_LT(TEST_WORST(expm1, -2.0, 2.0), 1.9);
  EXPECT_LT(TEST_WORST(expm1, -60.0, 709.7), 1.9);
  EXPECT_LT(TEST_WORST_BY_MAGNITUDE(expm1, -300.0, 0.0, 1.0), 1.9);
  EXPECT_LT(TEST_WORST_BY_MAGNITUDE(expm1, -300.0, 0.0, -1.0), 1.9);
}

TEST(Elementary, LogWithinItsError) {
  EXPECT_LT(TEST_WORST(log, 0.0, 2.0), 0.9);
  EXPECT_LT(TEST_WORST(log, 0.99, 1.01), 0.9);
  EXPECT_LT(TEST_WORST_BY_MAGNITUDE(log, -1074.0, 1023.9, 1.0), 0.9);
}

TEST(Elementary, Log1pWithinItsError) {
  EXPECT_LT(TEST_WORST(log1p, -1.0, 2.0), 1.5);
  EXPECT_LT(TEST_WORST_BY_MAGNITUDE(log1p, -300.0, 1023.0, 1.0), 1.5);
  EXPECT_LT(TEST_WORST_BY_MAGNITUDE(log1p, -300.0, -0.001, -1.0), 1.5);
}

TEST(Elementary, LogisticAndLogitWithinTheirError) {
  const auto logistic = [](double x) { return math::logistic(x); };
  const auto logit = [](double x) { return math::logit(x); };
  const auto exact_logistic = [](long double x) { return 1 / (1 + std::exp(-x)); };
  EXPECT_LT(worst(logistic, exact_logistic, -700.0, 40.0), 2.4);
  EXPECT_LT(worst(logistic, exact_logistic, -3.0, 3.0), 2.4);
  EXPECT_LT(worst(logit, exact_logit, 0.0, 1.0), 3.8);
  EXPECT_LT(worst(logit, exact_logit, 0.499, 0.501), 3.8);
  EXPECT_LT(worst_by_magnitude(logit, exact_logit, -1000.0, -1.0, 1.0), 3.8);
}

double worst_power(double largest_exponent) {
  std::mt19937_64 engine(20261123);
  std::uniform_real_distribution<double> uniform(-1.0, 1.0);
  double largest = 0;
  for (int i = 0; i < 300'000; ++i) {
    const double x = i % 2 == 0 ? 1.0 + 0.999 * uniform(engine) : std::exp2(100.0 * uniform(engine));
    const double y = largest_exponent * uniform(engine) / std::abs(std::log(x));
    const long double exact = std::pow(static_cast<long double>(x), static_cast<long double>(y));
    largest = std::max(largest, ulps(math::pow(x, y), exact));
  }
  return largest;
}

TEST(Elementary, PowWithinItsError) {
  EXPECT_LT(worst_power(4.0), 1.0);
  EXPECT_LT(worst_power(50.0), 4.0);
  EXPECT_LT(worst_power(700.0), 50.0);
}

TEST(Elementary, EdgesOfTheRange) {
  EXPECT_EQ(math::exp(0.0), 1.0);
  EXPECT_EQ(math::exp(-k_infinity), 0.0);
  EXPECT_EQ(math::exp(-800.0), 0.0);
  EXPECT_EQ(math::exp(709.8), k_infinity);
  EXPECT_EQ(math::exp(k_infinity), k_infinity);
  EXPECT_TRUE(std::isnan(math::exp(std::nan(""))));
  EXPECT_EQ(math::expm1(0.0), 0.0);
  EXPECT_EQ(math::expm1(-k_infinity), -1.0);
  EXPECT_EQ(math::expm1(k_infinity), k_infinity);
  EXPECT_EQ(math::log(1.0), 0.0);
  EXPECT_EQ(math::log(0.0), -k_infinity);
  EXPECT_EQ(math::log(k_infinity), k_infinity);
  EXPECT_TRUE(std::isnan(math::log(-1.0)));
  EXPECT_TRUE(std::isnan(math::log(std::nan(""))));
  EXPECT_EQ(math::log1p(0.0), 0.0);
  EXPECT_EQ(math::log1p(-1.0), -k_infinity);
  EXPECT_EQ(math::log1p(k_infinity), k_infinity);
  EXPECT_TRUE(std::isnan(math::log1p(-1.5)));
  EXPECT_EQ(math::logistic(0.0), 0.5);
  EXPECT_EQ(math::logistic(-k_infinity), 0.0);
  EXPECT_EQ(math::logistic(k_infinity), 1.0);
  EXPECT_EQ(math::logit(0.5), 0.0);
  EXPECT_EQ(math::logit(0.0), -k_infinity);
  EXPECT_EQ(math::logit(1.0), k_infinity);
  EXPECT_TRUE(std::isnan(math::logit(1.5)));
}

TEST(Elementary, PowersAtTheEdgesAreThoseOfTheStandard) {
  const double nan = std::nan("");
  for (const double x : {0.0, 0.5, 1.0, 2.0, k_infinity, nan})
    for (const double y : {-k_infinity, -1e300, -1.5, 0.0, 1.0, 2.0, 1e300, k_infinity, nan}) {
      const double ours = math::pow(x, y), standard = std::pow(x, y);
      if (std::isnan(standard))
        EXPECT_TRUE(std::isnan(ours)) << x << "^" << y << " = " << ours;
      else
        EXPECT_DOUBLE_EQ(ours, standard) << x << "^" << y;
    }
  EXPECT_TRUE(std::isnan(math::pow(-2.0, 2.0)));
}

TEST(Elementary, UsableInConstantExpressions) {
  static_assert(math::exp(0.0) == 1.0);
  static_assert(math::log(1.0) == 0.0);
  static_assert(math::pow(2.0, 10.0) == 1024.0);
}

}  // namespace
