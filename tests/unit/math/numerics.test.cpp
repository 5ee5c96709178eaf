#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "math/cubic_table.hpp"
#include "math/normal.hpp"
#include "math/quadrature.hpp"
#include "math/root.hpp"

namespace {

namespace math = trialwright::math;

TEST(Root, FoundToTheLastBit) {
  const auto root = math::brent_root([](double x) { return x * x * x - 2.0; }, 0.0, 10.0, 0.0);
  ASSERT_TRUE(root);
  EXPECT_NEAR(*root, std::cbrt(2.0), 4e-16);
}

TEST(Root, DecreasingFunctionAndTolerance) {
  const auto root = math::brent_root([](double x) { return 1.0 - x; }, -3.0, 7.0, 1e-3);
  ASSERT_TRUE(root);
  EXPECT_NEAR(*root, 1.0, 1e-3);
}

TEST(Root, EndsCountAndWrongBracketsDoNot) {
  const auto line = [](double x) { return x; };
  EXPECT_EQ(math::brent_root(line, 0.0, 1.0, 0.0), 0.0);
  EXPECT_EQ(math::brent_root(line, -1.0, 0.0, 0.0), 0.0);
  EXPECT_FALSE(math::brent_root(line, 1.0, 2.0, 0.0));
  EXPECT_FALSE(math::brent_root([](double) { return std::nan(""); }, 1.0, 2.0, 0.0));
}

TEST(Root, NewtonFindsItFromAnywhere) {
  const auto cube = [](double x) { return math::ValueAndSlope{x * x * x - 2.0, 3 * x * x}; };
  // At 0 the slope is none, and from 1e-3 the first step leaves the bracket.
  for (const double guess : {-50.0, -1.0, 0.0, 1e-3, 1.2, 1.3, 9.0, 50.0})
    EXPECT_NEAR(math::newton_root(cube, -10.0, 10.0, guess, 1e-8), std::cbrt(2.0), 4e-16) << guess;
  const auto steep = [](double x) { return math::ValueAndSlope{std::atan(x), 1 / (1 + x * x)}; };
  EXPECT_NEAR(math::newton_root(steep, -1e6, 3e6, 2e6, 1e-8), 0.0, 1e-15);
}

// At the root rounding leaves a miss whose step is lost on x: no reason to halve what is left.
TEST(Root, NewtonStaysWhereItsStepIsLost) {
  const auto line = [](double x) { return math::ValueAndSlope{x == 0.5 ? -1e-18 : x - 0.5, 1.0}; };
  EXPECT_EQ(math::newton_root(line, 0.0, 1.0, 0.5 + 5e-8, 1e-8), 0.5);
}

TEST(Root, NewtonTakesTheNearerEndOutside) {
  const auto line = [](double x) { return math::ValueAndSlope{x, 1}; };
  EXPECT_NEAR(math::newton_root(line, 1.0, 2.0, 1.5, 1e-8), 1.0, 1e-8);
  EXPECT_NEAR(math::newton_root(line, -2.0, -1.0, -1.5, 1e-8), -1.0, 1e-8);
  EXPECT_LE(math::newton_root(
                [](double) {
                  return math::ValueAndSlope{std::nan(""), 1};
                },
                1.0, 2.0, 1.5, 1e-8),
            2.0);
}

TEST(Minimum, OfACosine) {
  const auto minimum = math::brent_minimise([](double x) { return std::cos(x); }, 2.0, 5.0);
  EXPECT_NEAR(minimum.x, std::numbers::pi, 1e-7);
  EXPECT_NEAR(minimum.value, -1.0, 1e-14);
}

// Abramowitz & Stegun 1964, Table 25.4.
TEST(GaussLegendre, PublishedNodesAndWeights) {
  const math::GaussLegendre five(5);
  EXPECT_NEAR(five.nodes()[4], 0.906179845938664, 1e-15);
  EXPECT_NEAR(five.nodes()[3], 0.538469310105683, 1e-15);
  EXPECT_EQ(five.nodes()[2], 0.0);
  EXPECT_NEAR(five.weights()[4], 0.236926885056189, 1e-15);
  EXPECT_NEAR(five.weights()[3], 0.478628670499366, 1e-15);
  EXPECT_NEAR(five.weights()[2], 0.568888888888889, 1e-15);
}

TEST(GaussLegendre, ExactForPolynomialsOfDegreeTwiceTheOrderLessOne) {
  for (const std::size_t order : {1u, 2u, 3u, 8u, 21u, 64u}) {
    const math::GaussLegendre rule(order);
    const int degree = 2 * static_cast<int>(order) - 1;
    const double integral = rule.integrate([&](double x) { return std::pow(x, degree); }, 0.0, 1.0);
    EXPECT_NEAR(integral, 1.0 / (degree + 1), 1e-15) << order;
  }
}

TEST(GaussLegendre, PanelsGiveNormalProbability) {
  const math::GaussLegendre rule(16);
  EXPECT_NEAR(rule.integrate(math::normal_pdf, -8.0, 1.3, 20), math::normal_cdf(1.3), 1e-15);
}

TEST(RoundToBits, KeepsTheAskedBits) {
  EXPECT_EQ(math::round_to_bits(1.0 + 0x1p-50, 40), 1.0);
  EXPECT_EQ(math::round_to_bits(-(1.0 + 0x1.8p-39), 40), -(1.0 + 0x1p-38));
  EXPECT_EQ(math::round_to_bits(1.0 + 0x1p-40, 40), 1.0);
  EXPECT_EQ(math::round_to_bits(1.0 + 0x1.8p-38 + 0x1p-52, 40), 1.0 + 0x1.8p-38);
  EXPECT_EQ(math::round_to_bits(2.0 - 0x1p-52, 40), 2.0);
  EXPECT_EQ(math::round_to_bits(7.0, 2), 8.0);
  EXPECT_EQ(math::round_to_bits(5.0, 2), 4.0);
  EXPECT_EQ(math::round_to_bits(0.1, 53), 0.1);
  EXPECT_EQ(math::round_to_bits(0.0, 40), 0.0);
  EXPECT_EQ(math::round_to_bits(-std::numeric_limits<double>::infinity(), 40),
            -std::numeric_limits<double>::infinity());
  EXPECT_TRUE(std::isnan(math::round_to_bits(std::nan(""), 40)));
  EXPECT_EQ(math::round_to_bits(std::numeric_limits<double>::max(), 40),
            std::numeric_limits<double>::infinity());
}

TEST(RoundToBits, ErrorIsAtMostHalfAUnit) {
  for (int i = 1; i < 1000; ++i) {
    const double x = std::sin(i) * std::exp2(i % 60 - 30);
    EXPECT_LE(std::abs(math::round_to_bits(x, 40) - x), std::ldexp(1.0, std::ilogb(x) - 40)) << x;
  }
}

template <class F>
double table_error(const math::CubicTable& table, F&& f) {
  double largest = 0;
  for (int i = 0; i <= 100'000; ++i) {
    const double x = table.lo() + (table.hi() - table.lo()) * (i / 100'000.0);
    largest = std::max(largest, std::abs(table(x) - f(x)));
  }
  return largest;
}

// For phi(z), max |phi''''| = 3 phi(0) = 1.1968: the error is at most h^4/384 of that.
TEST(CubicTable, ErrorIsThatOfHermiteInterpolation) {
  const auto slope = [](double z) { return -z * math::normal_pdf(z); };
  for (const std::size_t n : {161u, 641u}) {
    const double h = 16.0 / static_cast<double>(n - 1);
    const double bound = std::pow(h, 4) / 384.0 * 1.1969 + 1e-12;
    EXPECT_LT(table_error({math::normal_pdf, slope, -8.0, 8.0, n}, math::normal_pdf), bound);
    EXPECT_GT(table_error({math::normal_pdf, slope, -8.0, 8.0, n}, math::normal_pdf), 0.5 * bound);
    EXPECT_LT(table_error({math::normal_pdf, -8.0, 8.0, n}, math::normal_pdf), 1.1 * bound);
  }
}

TEST(CubicTable, OneSidedSlopesAtTheEndsKeepTheError) {
  const auto f = [](double x) { return std::exp(x); };
  const double bound = std::pow(3.0 / 300, 4) / 384.0 * std::exp(3.0) + 1e-12 * std::exp(3.0);
  EXPECT_LT(table_error({f, 0.0, 3.0, 301}, f), 1.2 * bound);
}

TEST(CubicTable, ReproducesACubicAndItsEnds) {
  const auto cubic = [](double x) { return 1.0 + x * (2.0 - x * (0.5 + 0.25 * x)); };
  const math::CubicTable table(cubic, -1.0, 4.0, 9);
  EXPECT_LT(table_error(table, cubic), 1e-10);
  EXPECT_NEAR(table(-7.0), cubic(-1.0), 1e-11);
  EXPECT_NEAR(table(4.5), cubic(4.0), 1e-11);
  EXPECT_EQ(table(-7.0), table(-1.0));
  EXPECT_EQ(table(1e300), table(4.0));
}

TEST(CubicTable, LastBitsOfTheFunctionDoNotReachTheTable) {
  const auto f = [](double x) { return std::exp(x); };
  const auto shaken = [&](double x) { return std::nextafter(f(x), 0.0); };
  const math::CubicTable table(f, 0.0, 1.0, 50), other(shaken, 0.0, 1.0, 50);
  for (int i = 0; i <= 1000; ++i) EXPECT_EQ(table(i / 1000.0), other(i / 1000.0));
}

TEST(CubicTable, BatchHasTheScalarBits) {
  const math::CubicTable table(math::normal_cdf, -8.0, 8.0, 200);
  std::vector<double> x, y(1000);
  for (int i = 0; i < 1000; ++i) x.push_back(-9.0 + 0.018 * i);
  table.evaluate(x, y);
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], table(x[i]));
  table.evaluate(x, x);
  EXPECT_EQ(x, y);
}

}  // namespace
