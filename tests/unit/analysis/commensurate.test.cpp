// Borrowing with a commensurate prior against its closed form, its limits, and the joint density of the
// subgroup's effect and the SD between groups integrated on a grid of panels.
#include "analysis/commensurate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <vector>

namespace trialwright::analysis {
namespace {

const boost::math::normal k_normal;
constexpr BorrowingPrior fixed(double sd) {
  return {HeterogeneityPrior::fixed, sd};
}
constexpr BorrowingPrior half_normal(double scale) {
  return {HeterogeneityPrior::half_normal, scale};
}

struct Case {
  NormalEstimate own;
  NormalEstimate others;
  double scale;
};
// From no heterogeneity seen to much, from scales far below the standard errors to far above.
const std::vector<Case> k_cases{{{0.65, 0.31}, {0.65, 0.26}, 0.2},  {{0.10, 0.31}, {0.70, 0.26}, 0.2},
                                {{-0.9, 0.31}, {0.75, 0.26}, 0.2},  {{0.40, 0.31}, {0.40, 0.26}, 0.26},
                                {{0.40, 0.31}, {0.90, 0.26}, 0.27}, {{0.30, 0.20}, {0.80, 0.05}, 1.0},
                                {{0.00, 0.20}, {3.00, 0.10}, 0.2},  {{2.50, 0.15}, {-1.5, 0.12}, 0.1},
                                {{0.10, 0.10}, {0.25, 0.08}, 0.05}, {{0.65, 0.31}, {0.20, 0.26}, 0.001},
                                {{-0.5, 1.10}, {4.00, 0.30}, 0.5},  {{0.20, 0.31}, {1.00, 0.02}, 2.0},
                                {{0.00, 0.30}, {6.00, 0.05}, 0.1}};

struct Node {
  double x, weight;
};

void add_panel(double from, double to, std::vector<Node>& nodes) {
  using Rule = boost::math::quadrature::gauss<double, 20>;
  const double centre = 0.5 * (from + to), half = 0.5 * (to - from);
  for (std::size_t i = 0; i < Rule::abscissa().size(); ++i)
    for (const double side : {-1.0, 1.0})
      nodes.push_back({centre + side * half * Rule::abscissa()[i], half * Rule::weights()[i]});
}

double normal_exponent(double x, double mean, double variance) {
  return -0.5 * (x - mean) * (x - mean) / variance;
}

// The posterior of theta by the joint density of (theta, tau): the likelihood of both estimates, the
// others' mean having integrated to N(others; theta, s_0^2 + tau^2), and the half-normal prior of tau.
struct Grid {
  std::vector<Node> thetas;
  std::vector<double> densities;
  double sum = 0;

  Grid(const Case& of, double split) {
    const double d = std::abs(of.own.value - of.others.value);
    const double last = 14 * of.scale + std::sqrt(of.scale * d);
    std::vector<Node> taus;
    double from = 0;
    for (double width = std::min(of.others.standard_error, of.scale) / 2; from < last;) {
      add_panel(from, from + width, taus);
      from += width;
      width = std::min(1.3 * width, of.scale / 2);
    }
    const double s = of.own.standard_error;
    const double panel = std::min(s, of.others.standard_error) / 2;
    const double low = std::min(of.own.value, of.others.value) - 10 * s;
    const double high = std::max(of.own.value, of.others.value) + 10 * s;
    for (const auto& [begin, end] : {std::pair{low, split}, {split, high}})
      for (int i = 0, n = static_cast<int>(std::ceil((end - begin) / panel)); i < n; ++i)
        add_panel(begin + (end - begin) * i / n, begin + (end - begin) * (i + 1) / n, thetas);
    double highest = -1e300;
    const auto exponent = [&](double theta, double tau) {
      const double variance = of.others.standard_error * of.others.standard_error + tau * tau;
      return normal_exponent(of.own.value, theta, s * s) +
             normal_exponent(of.others.value, theta, variance) - 0.5 * std::log(variance) +
             normal_exponent(tau, 0, of.scale * of.scale);
    };
    for (const auto& theta : thetas)
      for (const auto& tau : taus) highest = std::max(highest, exponent(theta.x, tau.x));
    for (const auto& theta : thetas) {
      double density = 0;
      for (const auto& tau : taus) density += tau.weight * std::exp(exponent(theta.x, tau.x) - highest);
      densities.push_back(density);
      sum += theta.weight * density;
    }
  }
  template <class Function>
  double mean_of(Function f) const {
    double total = 0;
    for (std::size_t i = 0; i < thetas.size(); ++i)
      total += thetas[i].weight * densities[i] * f(thetas[i].x);
    return total / sum;
  }
};

TEST(Commensurate, agrees_with_the_joint_density_on_a_grid) {
  for (const auto& one : k_cases) {
    SCOPED_TRACE(one.scale);
    const CommensuratePosterior theta(one.own, one.others, half_normal(one.scale));
    const Grid at_0(one, 0);
    EXPECT_NEAR(theta.probability_below(0), at_0.mean_of([](double x) { return x < 0 ? 1 : 0; }), 1e-9);
    EXPECT_NEAR(theta.probability_above(0), at_0.mean_of([](double x) { return x > 0 ? 1 : 0; }), 1e-9);
    const double mean = at_0.mean_of([](double x) { return x; });
    EXPECT_NEAR(theta.mean(), mean, 1e-9);
    EXPECT_NEAR(theta.standard_deviation(),
                std::sqrt(at_0.mean_of([&](double x) { return (x - mean) * (x - mean); })), 1e-9);
    for (const double p : {0.025, 0.975}) {
      const double q = theta.quantile(p);
      EXPECT_NEAR(theta.probability_below(q), p, 1e-11);
      EXPECT_NEAR(Grid(one, q).mean_of([&](double x) { return x < q ? 1 : 0; }), p, 1e-9);
    }
  }
}

TEST(Commensurate, is_closed_at_a_known_heterogeneity) {
  for (const auto& [own, others, sd] : k_cases) {
    const CommensuratePosterior theta(own, others, fixed(sd));
    // Of two independent estimates of theta, by regression of one on their difference.
    const double s = own.standard_error * own.standard_error;
    const double s_0 = others.standard_error * others.standard_error + sd * sd;
    const double mean = own.value - s / (s + s_0) * (own.value - others.value);
    const double deviation = std::sqrt(s - s * s / (s + s_0));
    EXPECT_NEAR(theta.mean(), mean, 1e-13);
    EXPECT_NEAR(theta.standard_deviation(), deviation, 1e-13);
    EXPECT_NEAR(theta.probability_above(0), cdf(k_normal, mean / deviation), 1e-13);
    EXPECT_NEAR(theta.quantile(0.975), mean + quantile(k_normal, 0.975) * deviation, 1e-12);
  }
}

TEST(Commensurate, pools_or_keeps_apart_in_the_limits) {
  const NormalEstimate own{0.2, 0.31}, others{0.8, 0.26};
  const double w = 1 / (0.31 * 0.31), w_0 = 1 / (0.26 * 0.26);
  const double pooled = (w * 0.2 + w_0 * 0.8) / (w + w_0), sd = 1 / std::sqrt(w + w_0);
  for (const auto& prior : {fixed(0), half_normal(1e-7)}) {
    const CommensuratePosterior theta(own, others, prior);
    EXPECT_NEAR(theta.mean(), pooled, 1e-12);
    EXPECT_NEAR(theta.standard_deviation(), sd, 1e-12);
    EXPECT_NEAR(theta.quantile(0.025), pooled - 1.959963984540054 * sd, 1e-11);
  }
  const CommensuratePosterior apart(own, others, fixed(1e9));
  EXPECT_NEAR(apart.mean(), 0.2, 1e-12);
  EXPECT_NEAR(apart.standard_deviation(), 0.31, 1e-12);
  // Of a half-normal ever wider the posterior mass of any tau falls as 1 / log(scale) alone.
  double last = pooled;
  for (const double scale : {0.1, 1.0, 1e2, 1e4, 1e8}) {
    const double mean = CommensuratePosterior(own, others, half_normal(scale)).mean();
    EXPECT_LT(mean, last);
    last = mean;
  }
  EXPECT_NEAR(last, 0.2, 0.01);
  EXPECT_NEAR(CommensuratePosterior(own).mean(), 0.2, 1e-15);
  EXPECT_NEAR(CommensuratePosterior(own).standard_deviation(), 0.31, 1e-15);
}

// The more the groups differ, the less is borrowed.
TEST(Commensurate, borrows_less_from_others_that_differ) {
  double last = 1;
  for (const double difference : {0.0, 1.0, 2.0, 4.0}) {
    const CommensuratePosterior theta({0, 0.3}, {difference, 0.25}, half_normal(0.5));
    const double share = difference > 0 ? theta.mean() / difference : 0.9;
    EXPECT_LT(share, last);
    last = share;
  }
}

TEST(Commensurate, estimates_tables) {
  const auto log_odds = normal_estimate(EffectMeasure::odds_ratio, {47, 82, 12, 83});
  EXPECT_NEAR(log_odds.value, std::log(47.0 * 71 / (35 * 12)), 1e-14);
  EXPECT_NEAR(log_odds.standard_error, std::sqrt(1 / 47.0 + 1 / 35.0 + 1 / 12.0 + 1 / 71.0), 1e-14);
  // China's dupilumab trial (BJD 2021): IGA 22 of 82 against 4 of 83, 22.0 (Wald 11.37 to 32.65).
  const auto difference = normal_estimate(EffectMeasure::risk_difference, {22, 82, 4, 83});
  EXPECT_NEAR(difference.value - 1.959963984540054 * difference.standard_error, 0.1137, 5e-5);
  EXPECT_NEAR(difference.value + 1.959963984540054 * difference.standard_error, 0.3265, 5e-5);
  // 0.5 in every cell: 3.5 / 7.5 against 0.5 / 10.5.
  const auto corrected = normal_estimate(EffectMeasure::odds_ratio, {3, 10, 0, 10});
  EXPECT_NEAR(corrected.value, std::log(3.5 * 10.5 / (7.5 * 0.5)), 1e-14);
  EXPECT_NEAR(corrected.standard_error, std::sqrt(1 / 3.5 + 1 / 7.5 + 1 / 0.5 + 1 / 10.5), 1e-14);
  const auto rates = normal_estimate(EffectMeasure::risk_difference, {10, 10, 0, 10});
  EXPECT_NEAR(rates.value, 10.0 / 11, 1e-14);
  EXPECT_NEAR(rates.standard_error, std::sqrt(2 * 10.5 * 0.5 / (11.0 * 11 * 11)), 1e-14);
}

TEST(Commensurate, decides_by_the_posterior) {
  const TwoByTwo own{45, 82, 27, 83}, others{70, 124, 42, 123};
  const auto planned = [&](Sides sides, double alpha, Direction direction) {
    return Commensurate(EffectMeasure::odds_ratio, half_normal(0.2), sides, alpha, direction, 0.95);
  };
  using enum Direction;
  const CommensuratePosterior theta(normal_estimate(EffectMeasure::odds_ratio, own),
                                    normal_estimate(EffectMeasure::odds_ratio, others),
                                    half_normal(0.2));
  const double below = theta.probability_below(0);
  ASSERT_GT(below, 1e-5);
  ASSERT_LT(below, 0.01);
  const auto one = planned(Sides::one, 0.025, higher_is_better)(own, others);
  EXPECT_TRUE(one.reject);
  EXPECT_EQ(one.p_value, below);
  EXPECT_NEAR(std::log(one.estimate.value), theta.mean(), 1e-14);
  EXPECT_NEAR(std::log(one.estimate.lower), theta.quantile(0.025), 1e-11);
  EXPECT_NEAR(std::log(one.estimate.upper), theta.quantile(0.975), 1e-11);
  EXPECT_FALSE(planned(Sides::one, below, higher_is_better)(own, others).reject);
  EXPECT_TRUE(planned(Sides::one, below * 1.001, higher_is_better)(own, others).reject);
  EXPECT_EQ(planned(Sides::two, 0.05, lower_is_better)(own, others).p_value, 2 * below);
  EXPECT_TRUE(planned(Sides::two, 0.05, lower_is_better)(own, others).reject);
  EXPECT_FALSE(planned(Sides::one, 0.025, lower_is_better)(own, others).reject);
  EXPECT_NEAR(planned(Sides::one, 0.025, lower_is_better)(own, others).p_value, 1 - below, 1e-15);
}

TEST(Commensurate, has_a_rule_for_empty_arms) {
  const Commensurate planned(EffectMeasure::odds_ratio, half_normal(0.2), Sides::one, 0.025,
                             Direction::higher_is_better, 0.95);
  const TwoByTwo own{45, 82, 27, 83};
  const auto alone = planned(own, {0, 0, 3, 9});
  EXPECT_NEAR(alone.estimate.value, 45.0 * 56 / (37 * 27), 1e-13);
  const auto none = planned({0, 0, 27, 83}, own);
  EXPECT_FALSE(none.reject);
  EXPECT_FALSE(none.estimate.defined);
  EXPECT_EQ(none.p_value, 1);
}

}  // namespace
}  // namespace trialwright::analysis
