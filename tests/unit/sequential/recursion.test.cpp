#include "sequential/recursion.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "math/quadrature.hpp"
#include "sequential/boundary.hpp"

namespace trialwright::sequential {
namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

double survival(double z) {
  return 0.5 * std::erfc(z / std::sqrt(2.0));
}
double density(double z) {
  return std::exp(-0.5 * z * z) / std::sqrt(8 * std::atan(1.0));
}

// Second method: Jennison & Turnbull 2000, section 19.2, as printed there: z on their grid of 6r - 1
// knots with midpoints between them, Simpson's rule. Probabilities to stop above and below at each
// look.
struct Simpson {
  struct Grid {
    std::vector<double> z, weight;
  };
  static Grid grid(double mean, double lower, double upper, int r) {
    std::vector<double> knots;
    for (int i = 1; i <= 6 * r - 1; ++i) {
      double x;
      if (i < r)
        x = mean - 3 - 4 * std::log(r / double(i));
      else if (i <= 5 * r)
        x = mean - 3 + 3 * (i - r) / (2.0 * r);
      else
        x = mean + 3 + 4 * std::log(r / (6.0 * r - i));
      if (x > lower && x < upper) knots.push_back(x);
    }
    const double first = mean - 3 - 4 * std::log(double(r));
    const double last = mean + 3 + 4 * std::log(double(r));
    knots.insert(knots.begin(), std::max(lower, first));
    knots.push_back(std::min(upper, last));
    Grid g;
    g.z.push_back(knots[0]);
    g.weight.assign(2 * knots.size() - 1, 0);
    for (std::size_t i = 0; i + 1 < knots.size(); ++i) {
      const double width = knots[i + 1] - knots[i];
      g.z.push_back(knots[i] + width / 2);
      g.z.push_back(knots[i + 1]);
      g.weight[2 * i] += width / 6;
      g.weight[2 * i + 1] += 4 * width / 6;
      g.weight[2 * i + 2] += width / 6;
    }
    return g;
  }
  std::vector<double> above, below;
  Simpson(const std::vector<double>& t, const std::vector<double>& lower,
          const std::vector<double>& upper, double drift, int r) {
    Grid before;
    std::vector<double> mass;
    for (std::size_t k = 0; k < t.size(); ++k) {
      const double mean = drift * std::sqrt(t[k]);
      Grid g = grid(mean, lower[k], upper[k], r);
      std::vector<double> next(g.z.size());
      if (k == 0) {
        above.push_back(survival(upper[0] - mean));
        below.push_back(survival(mean - lower[0]));
        for (std::size_t i = 0; i < g.z.size(); ++i) next[i] = g.weight[i] * density(g.z[i] - mean);
      } else {
        const double growth = t[k] - t[k - 1];
        const auto distance = [&](double z, double from) {
          return (z * std::sqrt(t[k]) - from * std::sqrt(t[k - 1]) - drift * growth) /
                 std::sqrt(growth);
        };
        double up = 0, down = 0;
        for (std::size_t j = 0; j < mass.size(); ++j) {
          up += mass[j] * survival(distance(upper[k], before.z[j]));
          down += mass[j] * survival(-distance(lower[k], before.z[j]));
          for (std::size_t i = 0; i < g.z.size(); ++i)
            next[i] += g.weight[i] * mass[j] * density(distance(g.z[i], before.z[j])) *
                       std::sqrt(t[k] / growth);
        }
        above.push_back(up);
        below.push_back(down);
      }
      before = std::move(g);
      mass = std::move(next);
    }
  }
};

TEST(Recursion, OneLookIsTheNormalDistribution) {
  Recursion process(1.5);
  process.look(0.64);
  EXPECT_NEAR(process.above(2), survival(2 - 1.2), 1e-15);
  EXPECT_NEAR(process.below(-1), survival(1 + 1.2), 1e-15);
  EXPECT_NEAR(process.density(0.3), density(0.3 - 1.2), 1e-15);
  EXPECT_EQ(process.reached(), 1);
  EXPECT_EQ(process.above(-k_infinity), 1);
  EXPECT_EQ(process.above(k_infinity), 0);
}

// P(z_1 < b_1, z_2 >= b_2), one-dimensional once z_1 is given.
TEST(Recursion, TwoLooksAreTheBivariateNormalDistribution) {
  const math::GaussLegendre rule(40);
  for (const double t_1 : {0.01, 0.3, 0.5, 0.9, 0.99, 0.9998})
    for (const double drift : {-2.0, 0.0, 3.0}) {
      Recursion process(drift);
      process.look(t_1);
      process.go_on(-0.4, 2.4);
      process.look(1);
      const auto wanted = [&](double b) {
        return rule.integrate(
            [&](double z) {
              const double mean = drift * (1 - t_1) + z * std::sqrt(t_1);
              return density(z - drift * std::sqrt(t_1)) * survival((b - mean) / std::sqrt(1 - t_1));
            },
            -0.4, 2.4, 400);
      };
      for (const double b : {-1.0, 1.9, 2.4, 4.0})
        EXPECT_NEAR(process.above(b), wanted(b), 1e-13) << t_1 << ' ' << drift << ' ' << b;
      EXPECT_NEAR(process.reached(), wanted(-40), 1e-13);
    }
}

TEST(Recursion, AgreesWithJennisonAndTurnbullsGrid) {
  const std::vector<double> t{0.15, 0.4, 0.45, 0.8, 1.0};
  const std::vector<double> lower{-1, -0.5, 0.2, 0.5, 1.9}, upper{3.5, 3, 2.9, 2.3, 2.0};
  for (const double drift : {-1.0, 0.0, 1.7, 3.3}) {
    const Simpson wanted(t, lower, upper, drift, 96);
    Recursion process(drift);
    for (std::size_t k = 0; k < t.size(); ++k) {
      process.look(t[k]);
      EXPECT_NEAR(process.above(upper[k]), wanted.above[k], 1e-10) << k << ' ' << drift;
      EXPECT_NEAR(process.below(lower[k]), wanted.below[k], 1e-10) << k << ' ' << drift;
      process.go_on(lower[k], upper[k]);
    }
  }
}

// A whole design of the most looks: both errors are what the second method finds for its bounds.
TEST(Recursion, TwentyLooksWithFutilityAgreeWithJennisonAndTurnbullsGridToo) {
  std::vector<double> t;
  for (int k = 1; k <= k_most_looks; ++k) t.push_back(static_cast<double>(k) / k_most_looks);
  const FutilitySpec futility{{Family::hwang_shih_decani, -2, {}, {}, {}}, 0.1};
  const Boundary boundary = boundary_with_futility({Family::hwang_shih_decani, -4, {}, {}, {}}, 0.025,
                                                   futility, Binding::binding, t);
  double alpha = 0, beta = 0;
  for (const double p : Simpson(t, boundary.futility_z, boundary.efficacy_z, 0, 128).above) alpha += p;
  for (const double p : Simpson(t, boundary.futility_z, boundary.efficacy_z, boundary.drift, 128).below)
    beta += p;
  EXPECT_NEAR(alpha, 0.025, 1e-9);
  EXPECT_NEAR(beta, 0.1, 1e-9);
}

TEST(Recursion, InvertsItsTails) {
  Recursion process(0.7);
  process.look(0.2);
  process.go_on(-0.5, 2.5);
  process.look(0.6);
  for (const double z : {-1.0, 0.5, 2.0, 3.5, 6.0}) {
    EXPECT_NEAR(process.upper_z(process.above(z)), z, 1e-12);
    EXPECT_NEAR(process.lower_z(process.below(-z)), -z, 1e-12);
    EXPECT_NEAR(process.above(z) + process.below(z), process.reached(), 1e-14);
  }
  EXPECT_EQ(process.upper_z(0), k_infinity);
  EXPECT_EQ(process.upper_z(1), -k_infinity);
  EXPECT_EQ(process.lower_z(0), -k_infinity);
  EXPECT_EQ(process.lower_z(1), k_infinity);
}

TEST(Recursion, NothingGoesOnWhereTheBoundsMeet) {
  Recursion process;
  process.look(0.5);
  process.go_on(2, 2);
  process.look(1);
  EXPECT_EQ(process.reached(), 0);
  EXPECT_EQ(process.above(1), 0);
  EXPECT_EQ(process.upper_z(0.01), -k_infinity);
}

TEST(Recursion, IsTheSameBitsWhenStartedAgainAndOnAnyScaleOfPowersOfTwo) {
  const auto run = [](Recursion& process, double scale) {
    process.start(0.5 / std::sqrt(scale));
    process.look(0.25 * scale);
    process.go_on(-1, 3);
    process.look(0.75 * scale);
    process.go_on(0, 2.5);
    process.look(scale);
    return process.above(2);
  };
  Recursion fresh, used;
  const double wanted = run(fresh, 1);
  run(used, 16);
  EXPECT_EQ(run(used, 1), wanted);
  EXPECT_EQ(run(used, 16), wanted);
}

}  // namespace
}  // namespace trialwright::sequential
