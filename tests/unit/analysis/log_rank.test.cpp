// The log-rank test against R's survdiff (rows "logrank" of model_fits.csv, survival 3.5-3, on
// survival_300.csv) and the leukaemia trial of Freireich et al. 1963 (data in Cox 1972, table 1); the
// hazard ratio against a maximum found by another method.
#include "analysis/log_rank.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "math/normal.hpp"
#include "support/csv_rows.hpp"

namespace trialwright::analysis {
namespace {

struct Times {
  std::vector<double> time;
  std::vector<int> event;
  std::vector<int> arm;

  void add(double t, int e, int a) {
    time.push_back(t);
    event.push_back(e);
    arm.push_back(a);
  }
  std::vector<RiskSet> sets() const { return risk_sets(time, event, arm); }
};

// Weeks in remission; arm 1 had 6-mercaptopurine.
Times leukaemia() {
  Times data;
  for (const int week : {1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23})
    data.add(week, 1, 0);
  for (const int week : {6, 6, 6, 7, 10, 13, 16, 22, 23}) data.add(week, 1, 1);
  for (const int week : {6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35}) data.add(week, 0, 1);
  return data;
}

// Efron's log partial likelihood, patient by patient.
double log_likelihood(const Times& data, double beta) {
  double sum = 0;
  for (std::size_t i = 0; i < data.time.size(); ++i) {
    bool is_first = true;
    for (std::size_t j = 0; j < i; ++j)
      is_first = is_first && !(data.event[j] == 1 && data.time[j] == data.time[i]);
    if (data.event[i] == 0 || !is_first) continue;
    double at_risk = 0, tied = 0, n_tied = 0;
    for (std::size_t j = 0; j < data.time.size(); ++j) {
      const double weight = std::exp(beta * data.arm[j]);
      if (data.time[j] >= data.time[i]) at_risk += weight;
      if (data.time[j] != data.time[i] || data.event[j] == 0) continue;
      sum += beta * data.arm[j];
      tied += weight;
      ++n_tied;
    }
    for (double l = 0; l < n_tied; ++l) sum -= std::log(at_risk - l / n_tied * tied);
  }
  return sum;
}

double maximum_of_likelihood(const Times& data) {
  double low = -6, high = 6;
  while (high - low > 1e-8) {
    const double a = low + (high - low) / 3, b = high - (high - low) / 3;
    (log_likelihood(data, a) < log_likelihood(data, b) ? low : high) =
        log_likelihood(data, a) < log_likelihood(data, b) ? a : b;
  }
  return low;
}

TEST(LogRankTest, AgreesWithSurvdiff) {
  Times data;
  for (const auto& row : support::csv_rows("tests/reference/survival_300.csv"))
    data.add(std::stod(row.at("time")), std::stoi(row.at("event")), std::stoi(row.at("arm")));
  const auto sets = data.sets();
  const LogRank sum = log_rank(sets);
  EXPECT_EQ(sum.observed_1, 70);
  EXPECT_NEAR(sum.expected_1, 58.9227874198, 1e-9);
  EXPECT_NEAR(sum.variance, 30.3099115776, 1e-9);
  EXPECT_NEAR(sum.z() * sum.z(), 4.04833376805, 1e-9);
  const auto test = log_rank_test(sets, Sides::two, 0.05, Direction::lower_is_better);
  EXPECT_LT(test.statistic, 0);
  EXPECT_TRUE(test.reject);
  EXPECT_NEAR(test.p_value, 2 * math::normal_survival(std::sqrt(4.04833376805)), 1e-9);
  EXPECT_FALSE(log_rank_test(sets, Sides::one, 0.025, Direction::lower_is_better).reject);
  EXPECT_TRUE(log_rank_test(sets, Sides::one, 0.025, Direction::higher_is_better).reject);
}

TEST(LogRankTest, AgreesWithTheLeukaemiaTrial) {
  // Collett 2003, "Modelling Survival Data in Medical Research", and R's coxph on MASS::gehan:
  // chi-square 16.79, log hazard ratio 1.572 (0.412) of placebo with Efron's ties.
  const auto sets = leukaemia().sets();
  const double z = log_rank(sets).z();
  EXPECT_NEAR(z * z, 16.79, 0.005);
  const Estimate estimate = hazard_ratio(sets, 0.95);
  ASSERT_TRUE(estimate.defined);
  EXPECT_NEAR(std::log(estimate.value), -1.572, 0.0005);
  EXPECT_NEAR(estimate.standard_error, 0.412, 0.0005);
  EXPECT_NEAR(std::log(estimate.upper), -1.572 + 1.96 * 0.412, 0.002);
}

TEST(HazardRatio, IsWhereTheLikelihoodIsLargest) {
  std::mt19937 random(17);
  for (int n : {12, 60, 200}) {
    Times data;
    for (int i = 0; i < n; ++i)
      // Six visits, so that most times are tied.
      data.add(1 + static_cast<double>(random() % 6), random() % 3 != 0 ? 1 : 0, i % 2);
    const auto estimate = hazard_ratio(data.sets(), 0.95);
    ASSERT_TRUE(estimate.defined);
    EXPECT_NEAR(std::log(estimate.value), maximum_of_likelihood(data), 1e-6);
  }
}

TEST(HazardRatio, IsUndefinedWithoutAMaximum) {
  EXPECT_FALSE(hazard_ratio({}, 0.95).defined);
  Times one_sided;
  for (int i = 0; i < 10; ++i) one_sided.add(i, i % 2, i % 2);
  EXPECT_FALSE(hazard_ratio(one_sided.sets(), 0.95).defined);
  // The test has its answer all the same.
  EXPECT_FALSE(
      log_rank_test(one_sided.sets(), Sides::two, 0.05, Direction::lower_is_better).degenerate);
}

TEST(LogRankTest, DoesNotRejectWithoutEventsOrWithoutAnArm) {
  Times none;
  for (int i = 0; i < 10; ++i) none.add(52, 0, i % 2);
  const auto test = log_rank_test(none.sets(), Sides::two, 0.05, Direction::lower_is_better);
  EXPECT_TRUE(test.degenerate);
  EXPECT_FALSE(test.reject);
  EXPECT_EQ(test.p_value, 1);
  Times alone;
  for (int i = 0; i < 10; ++i) alone.add(i, 1, 1);
  EXPECT_FALSE(log_rank_test(alone.sets(), Sides::two, 0.05, Direction::lower_is_better).reject);
}

}  // namespace
}  // namespace trialwright::analysis
