#include "exact/sample_size.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "exact/exact_power.hpp"

namespace trialwright::exact {
namespace {

using analysis::Direction;
using analysis::Method;
using analysis::Sides;

SampleSizeQuestion question(double p_1, double p_0) {
  SampleSizeQuestion asked;
  asked.test = {Method::chi_square, Sides::two, 0.05, 0.0, Direction::higher_is_better};
  asked.p_1 = p_1;
  asked.p_0 = p_0;
  return asked;
}

// D1 (issue 2): 81 an arm with exact power 0.9020; the normal formula says 80, which has 0.8964.
TEST(SampleSize, OfTheNaiveRepeat) {
  const auto answer = smallest_sample_size(question(19.0 / 33, 11.0 / 34));
  ASSERT_TRUE(answer.found);
  EXPECT_EQ(answer.smallest.n_1, 81);
  EXPECT_EQ(answer.smallest.n_0, 81);
  EXPECT_NEAR(answer.smallest.power, 0.9020, 5e-5);
  EXPECT_EQ(answer.approximate.n_1, 80);
  EXPECT_NEAR(answer.approximate.power, 0.8964, 5e-5);
}

// D2: odds ratio 1.925 off placebo 11/34; 206 an arm with exact power 0.9004.
TEST(SampleSize, OfTheDiscountedDesign) {
  const double odds = 1.925 * 11.0 / 23.0;
  const auto answer = smallest_sample_size(question(odds / (1.0 + odds), 11.0 / 34));
  ASSERT_TRUE(answer.found);
  EXPECT_EQ(answer.smallest.n_1, 206);
  EXPECT_NEAR(answer.smallest.power, 0.9004, 5e-5);
}

// Small trials saw-tooth: every size by brute force, smallest and sustained told apart.
TEST(SampleSize, TellsTheFirstSizeFromTheSustainedOne) {
  int n_apart = 0;
  for (const double p_1 : {0.3, 0.4, 0.5}) {
    auto asked = question(p_1, 0.06);
    asked.target_power = 0.9;
    const auto answer = smallest_sample_size(asked);
    ASSERT_TRUE(answer.found && answer.sustained_found);
    int first = 0, last_below = 0;
    for (int n = 1; n <= answer.scanned_to / 2; ++n) {
      const bool reached = exact_power(asked.test, n, n, p_1, 0.06) >= 0.9;
      if (reached && first == 0) first = n;
      if (!reached) last_below = n;
    }
    EXPECT_EQ(answer.smallest.n_1, first);
    EXPECT_EQ(answer.sustained.n_1, last_below + 1);
    EXPECT_GE(answer.scanned_to, 3 * first + 100);
    n_apart += answer.sustained.n_1 > answer.smallest.n_1 ? 1 : 0;
    const auto shows = [&](int n) {
      return std::any_of(answer.neighbours.begin(), answer.neighbours.end(),
                         [n](const PowerAt& row) { return row.n_1 == n; });
    };
    EXPECT_TRUE(shows(first - 1) && shows(first) && shows(last_below) && shows(last_below + 1));
  }
  EXPECT_GT(n_apart, 0);
}

TEST(SampleSize, KeepsTheAllocationRatio) {
  auto asked = question(0.58, 0.32);
  asked.ratio_1 = 2;
  const auto answer = smallest_sample_size(asked);
  ASSERT_TRUE(answer.found);
  EXPECT_EQ(answer.smallest.n_1, 2 * answer.smallest.n_0);
  EXPECT_NEAR(answer.approximate_total, 168.184190989, 1e-6);
}

// Above 200 patients the scan starts at 0.6 times the approximate size:
// nothing below it reaches the target.
TEST(SampleSize, NothingBelowTheScanReachesTheTarget) {
  const auto asked = question(0.45, 0.3);
  const auto answer = smallest_sample_size(asked);
  ASSERT_TRUE(answer.found);
  EXPECT_GT(answer.scanned_from, 2);
  for (int n = 1; n < answer.scanned_from / 2; ++n)
    ASSERT_LT(exact_power(asked.test, n, n, 0.45, 0.3), 0.85);
}

TEST(SampleSize, SaysWhereThereIsNone) {
  EXPECT_FALSE(smallest_sample_size(question(0.32, 0.32)).found);
  auto small = question(0.34, 0.32);
  small.max_total = 500;
  EXPECT_FALSE(smallest_sample_size(small).found);
  auto wrong_side = question(0.3, 0.6);
  wrong_side.test.sides = Sides::one;
  EXPECT_FALSE(smallest_sample_size(wrong_side).found);
  auto cut_short = question(0.58, 0.32);
  cut_short.max_total = 160;
  const auto answer = smallest_sample_size(cut_short);
  EXPECT_TRUE(answer.found);
  EXPECT_FALSE(answer.sustained_found);
}

}  // namespace
}  // namespace trialwright::exact
