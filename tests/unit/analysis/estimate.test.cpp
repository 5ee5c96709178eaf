#include "analysis/estimate.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "analysis/restricted_ml.hpp"

namespace trialwright::analysis {
namespace {

constexpr double k_z = 1.959963984540054;
constexpr double k_infinity = std::numeric_limits<double>::infinity();

Estimate run(EffectMeasure measure, IntervalMethod interval, const TwoByTwo& table) {
  return Estimator(measure, interval, 0.95, Stratification::none)(table);
}

// Newcombe 1998, Statistics in Medicine 17:873, table II: examples (a), (b), (c), (g) with their
// printed digits.
TEST(Estimate, RiskDifferenceIntervalsAsPrintedByNewcombe) {
  struct Printed {
    TwoByTwo table;
    IntervalMethod method;
    double lower;
    double upper;
  };
  using enum IntervalMethod;
  const std::vector<Printed> printed{{{56, 70, 48, 80}, wald, 0.0575, 0.3425},
                                     {{56, 70, 48, 80}, miettinen_nurminen, 0.0528, 0.3382},
                                     {{56, 70, 48, 80}, newcombe, 0.0524, 0.3339},
                                     {{9, 10, 3, 10}, wald, 0.2605, 0.9395},
                                     {{9, 10, 3, 10}, miettinen_nurminen, 0.1700, 0.8406},
                                     {{9, 10, 3, 10}, newcombe, 0.1705, 0.8090},
                                     {{5, 56, 0, 29}, newcombe, -0.0381, 0.1926},
                                     {{5, 56, 0, 29}, miettinen_nurminen, -0.0326, 0.1933},
                                     {{10, 10, 0, 10}, newcombe, 0.6075, 1.0000},
                                     {{10, 10, 0, 20}, miettinen_nurminen, 0.7156, 1.0000}};
  for (const auto& row : printed) {
    const auto result = run(EffectMeasure::risk_difference, row.method, row.table);
    EXPECT_NEAR(result.lower, row.lower, 5.1e-5) << row.table.responders_1 << "/" << row.table.n_1;
    EXPECT_NEAR(result.upper, row.upper, 5.1e-5) << row.table.responders_1 << "/" << row.table.n_1;
  }
}

// 10/10 against 0/10: by symmetry the restricted rates are (1 +/- d) / 2,
// so (1 - d) / (1 + d) = z^2 / 19.
TEST(Estimate, ScoreBoundOfTheExtremeTableByHand) {
  const auto result =
      run(EffectMeasure::risk_difference, IntervalMethod::miettinen_nurminen, {10, 10, 0, 10});
  const double share = k_z * k_z / 19.0;
  EXPECT_NEAR(result.lower, (1.0 - share) / (1.0 + share), 1e-12);
  EXPECT_EQ(result.upper, 1.0);
}

// DOMAIN.md section 1: hcMSC EASI50.
TEST(Estimate, OfTheHcmscTrial) {
  const TwoByTwo easi50{19, 33, 11, 34};
  const auto difference = run(EffectMeasure::risk_difference, IntervalMethod::newcombe, easi50);
  EXPECT_NEAR(difference.value, 0.252, 5e-4);
  EXPECT_NEAR(difference.lower, 0.015, 5e-4);
  EXPECT_NEAR(difference.upper, 0.454, 5e-4);
  const auto odds = run(EffectMeasure::odds_ratio, IntervalMethod::wald, easi50);
  EXPECT_NEAR(odds.value, 2.84, 5e-3);
  EXPECT_NEAR(std::log(odds.value), 1.043, 5e-4);
  EXPECT_NEAR(odds.standard_error, 0.508, 5e-4);
  EXPECT_NEAR(odds.lower, std::exp(1.0426 - k_z * 0.5080), 5e-4);
  const auto ratio = run(EffectMeasure::risk_ratio, IntervalMethod::wald, easi50);
  EXPECT_NEAR(ratio.value, 19.0 * 34 / (33 * 11), 1e-14);
  const double error = std::sqrt(1.0 / 19 - 1.0 / 33 + 1.0 / 11 - 1.0 / 34);
  EXPECT_NEAR(ratio.upper, ratio.value * std::exp(k_z * error), 1e-12);
}

// The constraint of a measure: the treatment rate for a control rate, and its derivative.
struct Constraint {
  std::function<double(double)> rate_1;
  std::function<double(double)> slope;
  double low;
  double high;
};

Constraint constraint(EffectMeasure measure, double parameter) {
  switch (measure) {
    case EffectMeasure::risk_difference:
      return {[=](double p) { return p + parameter; }, [](double) { return 1.0; },
              std::max(0.0, -parameter), std::min(1.0, 1.0 - parameter)};
    case EffectMeasure::risk_ratio:
      return {[=](double p) { return p * parameter; }, [=](double) { return parameter; }, 0.0,
              std::min(1.0, 1.0 / parameter)};
    case EffectMeasure::odds_ratio:
      break;
  }
  return {[=](double p) { return parameter * p / (1.0 - p + parameter * p); },
          [=](double p) { return parameter / ((1.0 - p + parameter * p) * (1.0 - p + parameter * p)); },
          0.0, 1.0};
}

// The restricted maximum of the likelihood by bisection of its derivative: a second method.
Rates maximum_by_bisection(const TwoByTwo& t, const Constraint& c) {
  double low = c.low, high = c.high;
  for (int step = 0; step < 200; ++step) {
    const double p = 0.5 * (low + high), q = c.rate_1(p);
    const double derivative = (t.responders_1 / q - (t.n_1 - t.responders_1) / (1.0 - q)) * c.slope(p) +
                              t.responders_0 / p - (t.n_0 - t.responders_0) / (1.0 - p);
    (derivative > 0.0 ? low : high) = p;
  }
  return {c.rate_1(0.5 * (low + high)), 0.5 * (low + high)};
}

// Rao's score statistic of a constraint is Pearson's chi-square at the restricted maximum.
double pearson(const TwoByTwo& t, const Rates& rates) {
  const auto term = [](double x, double n, double p) {
    return (x - n * p) * (x - n * p) / (n * p * (1.0 - p));
  };
  return term(t.responders_1, t.n_1, rates.rate_1) + term(t.responders_0, t.n_0, rates.rate_0);
}

const std::vector<TwoByTwo> k_tables{
    {19, 33, 11, 34}, {8, 33, 2, 34},   {7, 10, 6, 9},        {10, 150, 3, 150}, {1, 10, 3, 10},
    {5, 6, 2, 6},     {1, 3, 200, 900}, {299, 300, 250, 300}, {0, 20, 3, 18},    {87, 150, 48, 150}};

TEST(Estimate, ScoreBoundsAreWhereThePearsonStatisticIsCritical) {
  for (const auto measure :
       {EffectMeasure::risk_difference, EffectMeasure::risk_ratio, EffectMeasure::odds_ratio})
    for (const auto& table : k_tables) {
      const auto result = run(measure, IntervalMethod::miettinen_nurminen, table);
      ASSERT_TRUE(result.defined);
      EXPECT_LE(result.lower, result.value);
      EXPECT_GE(result.upper, result.value);
      for (const double bound : {result.lower, result.upper}) {
        if (measure != EffectMeasure::risk_difference && bound == 0.0) continue;
        const double total = table.n_1 + table.n_0;
        const Rates rates = maximum_by_bisection(table, constraint(measure, bound));
        EXPECT_NEAR(pearson(table, rates) * (total - 1.0) / total, k_z * k_z, 1e-8)
            << static_cast<int>(measure) << " " << table.responders_1 << "/" << table.n_1 << " at "
            << bound;
      }
    }
}

TEST(Estimate, RestrictedMaximaAgreeWithBisection) {
  for (const auto& table : k_tables) {
    for (const double difference : {-0.9, -0.3, -1e-6, 0.05, 0.4, 0.99}) {
      const Rates expected =
          maximum_by_bisection(table, constraint(EffectMeasure::risk_difference, difference));
      EXPECT_NEAR(restricted_by_difference(table, difference).rate_0, expected.rate_0, 1e-12);
    }
    for (const double ratio : {0.01, 0.5, 1.0, 3.0, 40.0}) {
      const Rates by_ratio = maximum_by_bisection(table, constraint(EffectMeasure::risk_ratio, ratio));
      EXPECT_NEAR(restricted_by_ratio(table, ratio).rate_0, by_ratio.rate_0, 1e-12);
      const Rates by_odds = maximum_by_bisection(table, constraint(EffectMeasure::odds_ratio, ratio));
      EXPECT_NEAR(restricted_by_odds_ratio(table, ratio).rate_0, by_odds.rate_0, 1e-12);
      EXPECT_NEAR(restricted_by_odds_ratio(table, ratio).rate_1, by_odds.rate_1, 1e-12);
    }
  }
}

// Exchanging the arms turns a difference's sign and inverts a ratio;
// exchanging response, an odds ratio.
TEST(Estimate, ScoreIntervalsAreInvariant) {
  for (const auto& t : k_tables) {
    const TwoByTwo exchanged{t.responders_0, t.n_0, t.responders_1, t.n_1};
    const auto method = IntervalMethod::miettinen_nurminen;
    const auto difference = run(EffectMeasure::risk_difference, method, t);
    EXPECT_NEAR(difference.lower, -run(EffectMeasure::risk_difference, method, exchanged).upper, 1e-12);
    EXPECT_NEAR(difference.lower, -run(EffectMeasure::risk_difference, method, complemented(t)).upper,
                1e-12);
    if (t.responders_1 == 0) continue;
    const auto ratio = run(EffectMeasure::risk_ratio, method, t);
    EXPECT_NEAR(ratio.lower * run(EffectMeasure::risk_ratio, method, exchanged).upper, 1.0, 1e-9);
    const auto odds = run(EffectMeasure::odds_ratio, method, t);
    EXPECT_NEAR(odds.lower * run(EffectMeasure::odds_ratio, method, complemented(t)).upper, 1.0, 1e-9);
  }
}

TEST(Estimate, ZeroCellsFollowTheStatedRule) {
  using enum IntervalMethod;
  const TwoByTwo no_control{5, 20, 0, 18}, no_treatment{0, 20, 3, 18}, none{0, 20, 0, 18},
      all{20, 20, 18, 18};
  for (const auto measure : {EffectMeasure::risk_ratio, EffectMeasure::odds_ratio}) {
    EXPECT_FALSE(run(measure, wald, no_control).defined);
    EXPECT_FALSE(run(measure, miettinen_nurminen, no_control).defined);
    EXPECT_FALSE(run(measure, wald, no_treatment).defined);
    EXPECT_FALSE(run(measure, miettinen_nurminen, none).defined);
    const auto zero = run(measure, miettinen_nurminen, no_treatment);
    EXPECT_TRUE(zero.defined);
    EXPECT_EQ(zero.value, 0.0);
    EXPECT_EQ(zero.lower, 0.0);
    EXPECT_GT(zero.upper, 0.0);
    EXPECT_LT(zero.upper, k_infinity);
    EXPECT_EQ(zero.standard_error, k_infinity);
  }
  const auto flat = run(EffectMeasure::risk_difference, wald, none);
  EXPECT_TRUE(flat.defined);
  EXPECT_EQ(flat.upper - flat.lower, 0.0);
  for (const auto& table : {none, all}) {
    const auto score = run(EffectMeasure::risk_difference, miettinen_nurminen, table);
    EXPECT_LT(score.lower, -0.1);
    EXPECT_GT(score.upper, 0.1);
  }
  const auto everyone = run(EffectMeasure::risk_ratio, miettinen_nurminen, all);
  EXPECT_EQ(everyone.value, 1.0);
  EXPECT_LT(everyone.lower, 0.9);
  EXPECT_GT(everyone.upper, 1.1);
  for (const auto method : {wald, newcombe, miettinen_nurminen})
    EXPECT_FALSE(run(EffectMeasure::risk_difference, method, {3, 5, 0, 0}).defined);
}

// With one stratum the Mantel-Haenszel estimates are the table's own;
// Robins-Breslow-Greenland is Woolf's then.
TEST(Estimate, OneStratumIsTheTable) {
  for (const auto measure :
       {EffectMeasure::risk_difference, EffectMeasure::risk_ratio, EffectMeasure::odds_ratio}) {
    const TwoByTwo table{19, 33, 11, 34};
    const auto one = Estimator(measure, IntervalMethod::wald, 0.95, Stratification::strata)(table);
    const auto plain = run(measure, IntervalMethod::wald, table);
    EXPECT_NEAR(one.value, plain.value, 1e-14);
    if (measure == EffectMeasure::risk_difference) continue;
    EXPECT_NEAR(one.lower, plain.lower, 1e-12);
  }
}

// Greenland & Robins' variance by hand on two strata.
TEST(Estimate, RiskRatioOverStrataByHand) {
  const std::vector<TwoByTwo> strata{{4, 10, 2, 10}, {9, 20, 6, 30}, {1, 1, 0, 0}};
  const auto result = estimate(EffectMeasure::risk_ratio, IntervalMethod::wald, 0.95, strata);
  const double r = 4 * 10 / 20.0 + 9 * 30 / 50.0, s = 2 * 10 / 20.0 + 6 * 20 / 50.0;
  const double d = (100 * 6 - 8 * 20) / 400.0 + (600 * 15 - 54 * 50) / 2500.0;
  EXPECT_NEAR(result.value, r / s, 1e-14);
  EXPECT_NEAR(result.standard_error, std::sqrt(d / (r * s)), 1e-14);
  EXPECT_NEAR(result.lower, r / s * std::exp(-k_z * result.standard_error), 1e-12);
}

TEST(Estimate, TellsWhichIntervalsExist) {
  using enum IntervalMethod;
  EXPECT_FALSE(check(EffectMeasure::risk_difference, newcombe, Stratification::none));
  EXPECT_TRUE(check(EffectMeasure::risk_difference, newcombe, Stratification::strata));
  EXPECT_TRUE(check(EffectMeasure::odds_ratio, newcombe, Stratification::none));
  EXPECT_TRUE(check(EffectMeasure::odds_ratio, miettinen_nurminen, Stratification::strata));
  EXPECT_FALSE(check(EffectMeasure::risk_difference, miettinen_nurminen, Stratification::strata));
  EXPECT_FALSE(check(EffectMeasure::risk_ratio, wald, Stratification::strata));
}

}  // namespace
}  // namespace trialwright::analysis
