#include "search/crossing.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "math/normal.hpp"

namespace trialwright::search {
namespace {

// Powers on a straight probit line, so that the fit must return the line's own root.
CommonPowers on_line(double intercept, double slope, double n_trials, double agreement) {
  CommonPowers powers;
  powers.sizes = {100, 144, 196};
  powers.n_trials = n_trials;
  for (int size : powers.sizes)
    powers.n_rejected.push_back(n_trials * math::normal_cdf(intercept + slope * std::sqrt(size)));
  for (std::size_t i = 0; i < 3; ++i) {
    auto& row = powers.n_both_rejected.emplace_back();
    for (std::size_t j = 0; j < 3; ++j) {
      const double p_i = powers.n_rejected[i] / n_trials, p_j = powers.n_rejected[j] / n_trials;
      const double independent = p_i * p_j, same = std::min(p_i, p_j);
      row.push_back(n_trials * (i == j ? p_i : independent + agreement * (same - independent)));
    }
  }
  return powers;
}

TEST(Crossing, IsTheRootOfTheLineThatThePowersLieOn) {
  const auto crossing = fit_crossing(on_line(-1.9, 0.25, 1e9, 0), 0.9);
  ASSERT_TRUE(crossing);
  const double root = (math::normal_quantile(0.9) + 1.9) / 0.25;
  EXPECT_NEAR(crossing->root, root * root, 1e-4);
}

// Two sizes and independent powers: the root is z = z_1 + (z_2 - z_1) (x - x_1) / (x_2 - x_1) turned
// round, whose variance is ((1 - t)^2 v_1 + t^2 v_2) / slope^2 at t = (x - x_1) / (x_2 - x_1),
// v_i = p q / (n phi^2).
TEST(Crossing, HasTheStandardErrorOfTheDeltaMethod) {
  CommonPowers powers;
  powers.sizes = {100, 144};
  powers.n_trials = 10000;
  powers.n_rejected = {7000, 9200};
  powers.n_both_rejected = {{7000, 6440}, {6440, 9200}};
  const auto crossing = fit_crossing(powers, 0.85);
  ASSERT_TRUE(crossing);
  const auto probit = [](double n) { return math::normal_quantile((n + 0.5) / 10001); };
  const double slope = (probit(9200) - probit(7000)) / 2;
  const double x = 10 + (math::normal_quantile(0.85) - probit(7000)) / slope;
  const double t = (x - 10) / 2;
  const auto variance = [&](double n) {
    const double p = n / 10000, density = math::normal_pdf(probit(n));
    return p * (1 - p) / 10000 / (density * density);
  };
  const double error = std::sqrt((1 - t) * (1 - t) * variance(7000) + t * t * variance(9200)) / slope;
  EXPECT_NEAR(crossing->root, x * x, 1e-9);
  EXPECT_NEAR(crossing->root_standard_error, 2 * x * error, 1e-6);
  EXPECT_NEAR(crossing->interval.lower,
              (x - 1.959963984540054 * error) * (x - 1.959963984540054 * error), 1e-6);
}

// On common trials the sizes' errors move together: the root gains nothing from more
// sizes, the slope does.
TEST(Crossing, KnowsThatCommonTrialsAreNotMoreTrials) {
  const auto independent = fit_crossing(on_line(-1.9, 0.25, 10000, 0), 0.85);
  const auto common = fit_crossing(on_line(-1.9, 0.25, 10000, 0.9), 0.85);
  EXPECT_GT(common->root_standard_error, 1.2 * independent->root_standard_error);
  EXPECT_GT(common->slope_z, independent->slope_z);
}

TEST(Crossing, IsNoneWherePowerFalls) {
  CommonPowers powers;
  powers.sizes = {100, 144};
  powers.n_trials = 1000;
  powers.n_rejected = {500, 400};
  powers.n_both_rejected = {{500, 200}, {200, 400}};
  EXPECT_FALSE(fit_crossing(powers, 0.9));
}

}  // namespace
}  // namespace trialwright::search
