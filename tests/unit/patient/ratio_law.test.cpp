// The ratio's laws against closed forms and the table of DOMAIN section 3.
#include "patient/ratio_law.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "math/elementary.hpp"

namespace trialwright::patient {
namespace {

const Kumaraswamy k_placebo{1.06376, 1.05015, 1.5};
const Kumaraswamy k_active{0.54864, 1.08189, 1.5};

ResponderMixture mixture(double fraction) {
  return {fraction, 0.6740, 0.30, -2.3799, 0.80};
}

RatioTable table_of(const RatioLaw& law) {
  return RatioTable({law, law, 0});
}

TEST(RatioLaw, KumaraswamyIsItsClosedForm) {
  for (const double r : {1e-6, 0.01, 0.1, 0.5, 1.0, 1.49}) {
    const double exact = 1 - std::pow(1 - std::pow(r / 1.5, k_active.a), k_active.b);
    EXPECT_NEAR(probability(k_active, r), exact, 1e-14 + 1e-13 * exact) << r;
    EXPECT_NEAR(quantile(k_active, log_odds(RatioLaw{k_active}, r)), r, 1e-12 * r) << r;
  }
  EXPECT_EQ(probability(k_active, 0), 0);
  EXPECT_EQ(probability(k_active, 1.5), 1);
  // The published rates.
  EXPECT_NEAR(probability(k_placebo, 0.5), 11.0 / 34, 2e-5);
  EXPECT_NEAR(probability(k_placebo, 0.1), 2.0 / 34, 2e-5);
  EXPECT_NEAR(probability(k_active, 0.5), 19.0 / 33, 2e-5);
  EXPECT_NEAR(probability(k_active, 0.1), 8.0 / 33, 2e-5);
}

TEST(RatioLaw, MixtureIsItsClosedForm) {
  const auto law = mixture(0.4202);
  const auto phi = [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); };
  for (const double r : {0.05, 0.1, 0.5, 1.0, 2.0}) {
    const double exact =
        (1 - 0.4202) * phi((r - 0.6740) / 0.30) + 0.4202 * phi((std::log(r) + 2.3799) / 0.80);
    EXPECT_NEAR(probability(law, r), exact, 1e-13) << r;
  }
  EXPECT_NEAR(probability(law, 0), (1 - 0.4202) * phi(-0.6740 / 0.30), 1e-14);
  EXPECT_EQ(probability(law, -0.01), 0);
}

// P(R <= r) by the table: the x at which it crosses r.
double tabulated_probability(const RatioTable& table, double r) {
  double lo = -24, hi = 24;
  for (int i = 0; i < 80; ++i) (table(0.5 * (lo + hi)) <= r ? lo : hi) = 0.5 * (lo + hi);
  return math::logistic(lo);
}

TEST(RatioLaw, TableGivesTheLawsProbabilities) {
  const std::vector<TemperedLaw> laws{{k_placebo, k_active, 0},
                                      {k_placebo, k_active, 1},
                                      {k_placebo, k_active, 0.4},
                                      {k_placebo, k_active, 1.6},
                                      {mixture(0.0606), mixture(0.4202), 0},
                                      {mixture(0.0606), mixture(0.4202), 1},
                                      {mixture(0.0606), mixture(0.4202), 0.7}};
  for (std::size_t i = 0; i < laws.size(); ++i) {
    const RatioTable table(laws[i]);
    for (double r = 0.002; r < 1.5; r += 0.0137)
      EXPECT_NEAR(tabulated_probability(table, r), math::logistic(log_odds(laws[i], r)),
                  r < 0.01 ? 1e-7 : 1e-9)
          << "law " << i << " r " << r;
  }
}

TEST(RatioLaw, TableHasTheAtomAtZero) {
  const TemperedLaw law{mixture(0.0606), mixture(0.4202), 1};
  const RatioTable table(law);
  const double at_zero = log_odds(law, 0.0);
  EXPECT_EQ(table(at_zero - 1e-6), 0);
  EXPECT_GT(table(at_zero + 1e-6), 0);
}

// DOMAIN section 3: EASI75 in percent, mean and SD of the percent change. Its means and SDs come from
// simulation and lie up to 0.11 from the exact ones, which the closed form below holds to 1e-8.
TEST(RatioLaw, MomentsAreThoseOfTheTable) {
  struct Row {
    RatioLaw law;
    double easi75, mean, sd;
  };
  const std::vector<Row> rows{{k_placebo, 15.6, -24.4, 42.5},
                              {k_active, 39.8, -50.0, 43.6},
                              {Kumaraswamy{1.03546, 0.79812, 1.25}, 15.4, -29.4, 36.8},
                              {Kumaraswamy{0.51797, 0.88107, 1.25}, 39.5, -52.8, 39.1},
                              {mixture(0.0606), 12.8, -35.9, 31.7},
                              {mixture(0.4202), 42.1, -55.6, 36.0}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto result = moments(table_of(rows[i].law));
    EXPECT_NEAR(100 * probability(rows[i].law, 0.25), rows[i].easi75, 0.051) << i;
    EXPECT_NEAR(100 * (result.mean - 1), rows[i].mean, 0.12) << i;
    EXPECT_NEAR(100 * result.sd, rows[i].sd, 0.12) << i;
  }
  // The mean of a Kumaraswamy variable in closed form: maximum b B(1 + 1/a, b).
  const double mean = 1.5 * k_active.b * std::beta(1 + 1 / k_active.a, k_active.b);
  EXPECT_NEAR(moments(table_of(k_active)).mean, mean, 1e-8);
}

// Model P of DOMAIN section 3: rates in percent at ratios .5, .25 and .1 under log odds ratio 1.1467.
TEST(RatioLaw, ShiftIsAConstantOddsRatio) {
  const Kumaraswamy law{0.79523, 0.70096, 1.5};
  const std::array<double, 3> ratios{0.5, 0.25, 0.1}, placebo{31.5, 17.5, 8.3},
      active{59.2, 40.1, 22.1};
  for (std::size_t i = 0; i < ratios.size(); ++i) {
    const double control = log_odds(RatioLaw{law}, ratios[i]);
    EXPECT_NEAR(100 * math::logistic(control), placebo[i], 0.06);
    EXPECT_NEAR(100 * math::logistic(control + 1.1467), active[i], 0.06);
  }
  // PO-scaled rates off placebo K1.5 at an odds ratio of 1.925: .479/.262/.107.
  const std::array<double, 3> scaled{0.479, 0.262, 0.107};
  for (std::size_t i = 0; i < ratios.size(); ++i)
    EXPECT_NEAR(math::logistic(log_odds(RatioLaw{k_placebo}, ratios[i]) + std::log(1.925)), scaled[i],
                0.0006);
}

TEST(RatioLaw, TemperingEndsAtTheTwoLaws) {
  for (const double r : {0.1, 0.5, 1.2}) {
    EXPECT_EQ(log_odds(TemperedLaw{k_placebo, k_active, 0}, r), log_odds(RatioLaw{k_placebo}, r));
    EXPECT_EQ(log_odds(TemperedLaw{k_placebo, k_active, 1}, r), log_odds(RatioLaw{k_active}, r));
    EXPECT_NEAR(log_odds(TemperedLaw{k_placebo, k_active, 0.5}, r),
                0.5 * (log_odds(RatioLaw{k_placebo}, r) + log_odds(RatioLaw{k_active}, r)), 1e-14);
  }
}

// In the lower tail L has slope a per unit of ln r, so a tempered law falls beyond
// m = a_placebo / (a_placebo - a_active) = 2.065.
TEST(RatioLaw, RefusesMultipliersThatAreNotMonotone) {
  EXPECT_FALSE(check_monotone({k_placebo, k_active, 1}));
  EXPECT_FALSE(check_monotone({k_placebo, k_active, 1.9}));
  const auto fault = check_monotone({k_placebo, k_active, 3});
  ASSERT_TRUE(fault);
  EXPECT_GT(fault->ratio, 0);
  EXPECT_LT(fault->ratio, 1.5);
  EXPECT_FALSE(check_monotone({k_placebo, k_active, fault->admissible}));
  EXPECT_TRUE(check_monotone({k_placebo, k_active, fault->admissible + 2e-3}));
  EXPECT_NEAR(fault->admissible, 1.06376 / (1.06376 - 0.54864), 0.02);
  EXPECT_TRUE(check_monotone({mixture(0.0606), mixture(0.4202), 8}));
}

TEST(RatioLaw, PassesThroughTwoRates) {
  const auto law = kumaraswamy_through(0.5, 19.0 / 33, 0.1, 8.0 / 33, 1.5);
  EXPECT_NEAR(probability(law, 0.5), 19.0 / 33, 1e-12);
  EXPECT_NEAR(probability(law, 0.1), 8.0 / 33, 1e-12);
  EXPECT_NEAR(law.a, 0.54864, 1e-5);
  EXPECT_NEAR(law.b, 1.08189, 1e-5);
}

TEST(RatioLaw, PartialQuantileIsTheTemperedLaws) {
  const RatioTable table({k_placebo, k_active, 1.0 / 3});
  for (const double x : {-6.0, -1.0, 0.0, 2.0, 6.0})
    EXPECT_NEAR(partial_quantile(k_placebo, k_active, 1.0 / 3, x), table(x), 1e-9);
}

}  // namespace
}  // namespace trialwright::patient
