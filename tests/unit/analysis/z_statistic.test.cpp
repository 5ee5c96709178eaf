#include "analysis/z_statistic.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "math/normal.hpp"

namespace trialwright::analysis {
namespace {

constexpr TwoByTwo k_hcmsc_easi50{19, 33, 11, 34};
constexpr double k_infinity = std::numeric_limits<double>::infinity();

ZStatistic statistic(Method method, Direction direction = Direction::higher_is_better,
                     double margin = 0) {
  return ZStatistic({method, Sides::one, 0.025, margin, direction});
}

// DOMAIN.md section 1: Pearson's two-sided p of 19/33 against 11/34 is 0.0379211160367.
TEST(ZStatistic, IsTheSignedRootOfPearsonsChiSquare) {
  const double z = statistic(Method::chi_square)(k_hcmsc_easi50);
  EXPECT_NEAR(2 * math::normal_survival(z), 0.0379211160367, 1e-12);
  EXPECT_EQ(statistic(Method::chi_square, Direction::lower_is_better)(k_hcmsc_easi50), -z);
  EXPECT_EQ(statistic(Method::chi_square).against(k_hcmsc_easi50), -z);
}

// Sides and alpha of the planned test must not matter.
TEST(ZStatistic, IsTheStatisticOfTestForEveryTableOfTwoSmallArms) {
  for (const auto method : {Method::chi_square, Method::z_pooled, Method::chi_square_yates,
                            Method::z_unpooled, Method::farrington_manning, Method::cmh})
    for (const auto direction : {Direction::higher_is_better, Direction::lower_is_better}) {
      const TestSpec one{method, Sides::one, 0.025, 0, direction};
      const ZStatistic z({method, Sides::two, 0.2, 0, direction});
      for (int x_1 = 0; x_1 <= 9; ++x_1)
        for (int x_0 = 0; x_0 <= 7; ++x_0) {
          const TwoByTwo table{x_1, 9, x_0, 7};
          const TestResult expected = test(one, {&table, 1});
          if (!expected.degenerate) {
            EXPECT_EQ(z(table), expected.statistic);
          } else {
            EXPECT_EQ(std::isinf(z(table)), x_1 * 7 != x_0 * 9);
            EXPECT_EQ(z(table) > 0, expected.reject);
          }
        }
    }
}

TEST(ZStatistic, AllowsForTheMargin) {
  for (const auto method : {Method::z_unpooled, Method::farrington_manning}) {
    const TestSpec spec{method, Sides::one, 0.025, 0.1, Direction::lower_is_better};
    const TwoByTwo table{14, 50, 13, 52};
    EXPECT_EQ(ZStatistic(spec)(table), test(spec, {&table, 1}).statistic);
    EXPECT_GT(ZStatistic(spec)(table), 0);
  }
}

TEST(ZStatistic, IsTheNormalQuantileOfAnExactPValue) {
  for (const auto method :
       {Method::fisher, Method::fisher_midp, Method::boschloo, Method::z_pooled_exact}) {
    const TestSpec one{method, Sides::one, 0.025, 0, Direction::higher_is_better};
    const TwoByTwo table{15, 20, 8, 22};
    const double p = test(one, {&table, 1}).p_value;
    EXPECT_NEAR(math::normal_survival(statistic(method)(table)), p, 1e-14);
    const TwoByTwo other = complemented(table);
    EXPECT_NEAR(math::normal_survival(statistic(method).against(table)), test(one, {&other, 1}).p_value,
                1e-14);
  }
  // A discrete test's tails overlap.
  const auto fisher = statistic(Method::fisher);
  EXPECT_LT(fisher.against(k_hcmsc_easi50), -fisher(k_hcmsc_easi50));
}

TEST(ZStatistic, TablesThatSayNothingGiveZero) {
  for (const auto& row : {TwoByTwo{0, 20, 0, 20}, TwoByTwo{20, 20, 20, 20}, TwoByTwo{0, 0, 3, 20}})
    for (const auto& method : method_table()) {
      EXPECT_EQ(statistic(method.value)(row), 0) << method.name;
      EXPECT_EQ(statistic(method.value).against(row), 0) << method.name;
    }
  EXPECT_EQ(statistic(Method::z_unpooled)({20, 20, 0, 20}), k_infinity);
  EXPECT_EQ(statistic(Method::z_unpooled)({0, 20, 20, 20}), -k_infinity);
  EXPECT_EQ(statistic(Method::z_unpooled, Direction::higher_is_better, 0.1)({20, 20, 20, 20}),
            k_infinity);
}

TEST(ZStatistic, OfStrataThatDoNotLieInMemoryIsTheSame) {
  const std::vector<TwoByTwo> strata{{7, 12, 3, 11}, {0, 0, 4, 5}, {5, 9, 4, 10}, {9, 13, 8, 14}};
  for (const auto method : {Method::cmh, Method::chi_square, Method::fisher})
    for (const auto direction : {Direction::higher_is_better, Direction::lower_is_better}) {
      const auto z = statistic(method, direction);
      const auto table_of = [&](int s) { return strata[static_cast<std::size_t>(s)]; };
      EXPECT_EQ(z.over(4, table_of), z(strata));
      if (method != Method::fisher) {
        EXPECT_EQ(z.against_over(4, table_of), -z(strata));
      }
      EXPECT_EQ(z(strata) > 0, direction == Direction::higher_is_better);
    }
}

}  // namespace
}  // namespace trialwright::analysis
