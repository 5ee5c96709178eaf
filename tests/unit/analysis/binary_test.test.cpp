#include "analysis/binary_test.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>
#include <vector>

namespace trialwright::analysis {
namespace {

constexpr TwoByTwo k_hcmsc_easi50{19, 33, 11, 34};

TestResult run(Method method, Sides sides, double alpha, const TwoByTwo& table,
               Direction direction = Direction::higher_is_better, double margin = 0.0) {
  return test({method, sides, alpha, margin, direction}, {&table, 1});
}

// DOMAIN.md section 1: the published .038 is Pearson's chi-square on 19/33 against 11/34.
TEST(BinaryTestResult, ReproducesTheHcmscPValues) {
  EXPECT_NEAR(run(Method::chi_square, Sides::two, 0.05, k_hcmsc_easi50).p_value, 0.0379211160367,
              1e-12);
  EXPECT_NEAR(run(Method::chi_square_yates, Sides::two, 0.05, k_hcmsc_easi50).p_value, 0.0672506043886,
              1e-12);
  EXPECT_NEAR(run(Method::fisher, Sides::two, 0.05, k_hcmsc_easi50).p_value, 0.0506244480228, 1e-12);
  EXPECT_NEAR(run(Method::z_unpooled, Sides::two, 0.05, k_hcmsc_easi50).p_value, 0.0320, 5e-5);
  EXPECT_TRUE(run(Method::chi_square, Sides::two, 0.05, k_hcmsc_easi50).reject);
  EXPECT_FALSE(run(Method::fisher, Sides::two, 0.05, k_hcmsc_easi50).reject);
  EXPECT_FALSE(run(Method::chi_square, Sides::two, 0.05, {18, 33, 11, 34}).reject);
}

TEST(BinaryTestResult, StatisticIsSignedTowardsTheBetterArm) {
  const auto higher = run(Method::z_pooled, Sides::one, 0.025, k_hcmsc_easi50);
  const auto lower =
      run(Method::z_pooled, Sides::one, 0.025, k_hcmsc_easi50, Direction::lower_is_better);
  EXPECT_NEAR(2.0 * higher.p_value, 0.0379211160367, 1e-12);
  EXPECT_GT(higher.statistic, 0.0);
  EXPECT_EQ(higher.statistic, -lower.statistic);
  EXPECT_NEAR(higher.p_value + lower.p_value, 1.0, 1e-14);
  EXPECT_TRUE(higher.reject);
  EXPECT_FALSE(lower.reject);
}

TEST(BinaryTestResult, DegenerateTablesFollowTheStatedRule) {
  for (const auto& table : {TwoByTwo{0, 20, 0, 20}, TwoByTwo{20, 20, 20, 20}}) {
    for (const auto method : {Method::chi_square, Method::z_pooled, Method::chi_square_yates,
                              Method::cmh, Method::z_unpooled, Method::farrington_manning}) {
      const auto result = run(method, Sides::one, 0.025, table);
      EXPECT_TRUE(result.degenerate);
      EXPECT_FALSE(result.reject);
      EXPECT_EQ(result.p_value, 1.0);
    }
    EXPECT_FALSE(run(Method::fisher, Sides::two, 0.05, table).reject);
  }
  const auto all_against_none = run(Method::z_unpooled, Sides::one, 0.025, {20, 20, 0, 20});
  EXPECT_TRUE(all_against_none.degenerate);
  EXPECT_TRUE(all_against_none.reject);
  EXPECT_FALSE(run(Method::z_unpooled, Sides::one, 0.025, {0, 20, 20, 20}).reject);
  EXPECT_TRUE(run(Method::z_unpooled, Sides::two, 0.05, {0, 20, 20, 20}).reject);
}

TEST(BinaryTestResult, EmptyArmsNeverReject) {
  for (const auto& row : method_table()) {
    const auto result = run(row.value, Sides::two, 0.05, {5, 5, 0, 0});
    EXPECT_TRUE(result.degenerate) << row.name;
    EXPECT_FALSE(result.reject) << row.name;
  }
}

// C(6, 3) = 20: Fisher's one-sided p of 3/3 against 0/3 is 1/20, and Fisher rejects where p <= alpha.
TEST(BinaryTestResult, APValueEqualToAlphaRejects) {
  EXPECT_TRUE(run(Method::fisher, Sides::one, 0.05, {3, 3, 0, 3}).reject);
  EXPECT_FALSE(run(Method::fisher, Sides::one, 0.05 - 1e-9, {3, 3, 0, 3}).reject);
  EXPECT_TRUE(run(Method::fisher_midp, Sides::one, 0.025, {3, 3, 0, 3}).reject);
}

TEST(BinaryTestResult, TwoSidedUnconditionalPDoublesTheSmallerSide) {
  const TwoByTwo table{9, 12, 3, 10};
  const double upper = run(Method::boschloo, Sides::one, 0.025, table).p_value;
  const double other =
      run(Method::boschloo, Sides::one, 0.025, table, Direction::lower_is_better).p_value;
  EXPECT_NEAR(run(Method::boschloo, Sides::two, 0.05, table).p_value, 2.0 * std::min(upper, other),
              1e-15);
}

TEST(BinaryTestResult, FarringtonManningWithoutMarginIsThePooledZ) {
  const auto score = run(Method::farrington_manning, Sides::one, 0.025, k_hcmsc_easi50);
  const auto pooled = run(Method::z_pooled, Sides::one, 0.025, k_hcmsc_easi50);
  EXPECT_EQ(score.statistic, pooled.statistic);
  const auto nearly = run(Method::farrington_manning, Sides::one, 0.025, k_hcmsc_easi50,
                          Direction::higher_is_better, 1e-9);
  EXPECT_NEAR(nearly.statistic, pooled.statistic, 1e-7);
}

// Non-inferiority of adverse events, 10/36 against 8/36, by hand: (.0556 - .2) / .1026.
TEST(BinaryTestResult, MarginIsTheToleratedLossInEitherDirection) {
  const TwoByTwo events{10, 36, 8, 36};
  const auto result = run(Method::z_unpooled, Sides::one, 0.1, events, Direction::lower_is_better, 0.2);
  const double difference = 2.0 / 36, variance = (10.0 * 26 + 8.0 * 28) / (36.0 * 36 * 36);
  EXPECT_NEAR(result.statistic, (0.2 - difference) / std::sqrt(variance), 1e-12);
  EXPECT_TRUE(result.reject);
  const TwoByTwo free_of_events{26, 36, 28, 36};
  const auto mirrored =
      run(Method::z_unpooled, Sides::one, 0.1, free_of_events, Direction::higher_is_better, 0.2);
  EXPECT_NEAR(mirrored.statistic, result.statistic, 1e-14);
}

TEST(BinaryTestResult, CmhOfOneStratumIsChiSquareWithoutOnePatient) {
  const double chi = run(Method::chi_square, Sides::two, 0.05, k_hcmsc_easi50).statistic;
  const double cmh = run(Method::cmh, Sides::two, 0.05, k_hcmsc_easi50).statistic;
  EXPECT_NEAR(cmh * cmh, chi * chi * 66.0 / 67.0, 1e-12);
}

TEST(BinaryTestResult, StrataWithoutInformationChangeNothing) {
  const std::vector<TwoByTwo> strata{{19, 33, 11, 34}, {8, 20, 5, 21}};
  std::vector<TwoByTwo> more = strata;
  more.push_back({3, 7, 0, 0});
  more.push_back({0, 0, 0, 0});
  const TestSpec cmh{Method::cmh, Sides::two, 0.05, 0.0, Direction::higher_is_better};
  EXPECT_EQ(test(cmh, strata).statistic, test(cmh, more).statistic);
}

TEST(BinaryTestCheck, TellsUnsupportedCombinations) {
  EXPECT_FALSE(check({}));
  EXPECT_TRUE(check({Method::fisher, Sides::one, 0.025, 0.1, Direction::higher_is_better}));
  EXPECT_TRUE(check({Method::z_unpooled, Sides::two, 0.05, 0.1, Direction::higher_is_better}));
  EXPECT_FALSE(check({Method::farrington_manning, Sides::one, 0.025, 0.1, Direction::lower_is_better}));
  EXPECT_TRUE(check({Method::chi_square, Sides::one, 0.7, 0.0, Direction::higher_is_better}));
  EXPECT_TRUE(check({Method::chi_square, Sides::two, 0.0, 0.0, Direction::higher_is_better}));
  EXPECT_TRUE(check({Method::z_unpooled, Sides::one, 0.025, -0.1, Direction::higher_is_better}));
}

// The runtime object against the reference implementation, every table of several arm sizes.
class EveryTable : public testing::TestWithParam<TestSpec> {};

TEST_P(EveryTable, IsDecidedAsTheReferenceDecides) {
  const TestSpec spec = GetParam();
  const BinaryTest runtime(spec);
  BinaryTest::Cache cache;
  const bool slow = spec.method == Method::boschloo || spec.method == Method::z_pooled_exact;
  const std::vector<std::pair<int, int>> sizes =
      slow ? std::vector<std::pair<int, int>>{{10, 9}, {3, 8}, {0, 2}}
           : std::vector<std::pair<int, int>>{{12, 12}, {9, 17}, {1, 1}, {40, 21}, {0, 3}};
  for (int round = 0; round < 2; ++round)
    for (const auto& [n_1, n_0] : sizes)
      for (int x_1 = 0; x_1 <= n_1; ++x_1)
        for (int x_0 = 0; x_0 <= n_0; ++x_0) {
          const TwoByTwo table{x_1, n_1, x_0, n_0};
          ASSERT_EQ(runtime.reject(table, cache), test(spec, {&table, 1}).reject)
              << x_1 << "/" << n_1 << " vs " << x_0 << "/" << n_0;
          if (slow && round == 1) break;
        }
}

std::vector<TestSpec> every_spec() {
  std::vector<TestSpec> specs;
  for (const auto& row : method_table())
    for (const auto sides : {Sides::one, Sides::two})
      for (const auto direction : {Direction::higher_is_better, Direction::lower_is_better})
        specs.push_back({row.value, sides, sides == Sides::one ? 0.05 : 0.1, 0.0, direction});
  for (const auto method : {Method::z_unpooled, Method::farrington_manning})
    for (const auto direction : {Direction::higher_is_better, Direction::lower_is_better})
      specs.push_back({method, Sides::one, 0.025, 0.15, direction});
  return specs;
}

std::string spec_name(const testing::TestParamInfo<TestSpec>& info) {
  const TestSpec& spec = info.param;
  return std::string(base::name_of(method_table(), spec.method)) +
         (spec.sides == Sides::one ? "_one" : "_two") +
         (spec.direction == Direction::higher_is_better ? "_higher" : "_lower") +
         (spec.margin > 0.0 ? "_margin" : "");
}

INSTANTIATE_TEST_SUITE_P(AllTests, EveryTable, testing::ValuesIn(every_spec()), spec_name);

TEST(BinaryTestDecision, AsymptoticDecisionsAgreeWithTheirPValues) {
  for (const TestSpec& spec : every_spec()) {
    for (int x_1 = 0; x_1 <= 15; ++x_1)
      for (int x_0 = 0; x_0 <= 14; ++x_0) {
        const TwoByTwo table{x_1, 15, x_0, 14};
        if (spec.method == Method::boschloo || spec.method == Method::z_pooled_exact) continue;
        const auto result = test(spec, {&table, 1});
        if (std::abs(result.p_value - spec.alpha) > 1e-10) {
          ASSERT_EQ(result.reject, result.p_value < spec.alpha);
        }
      }
  }
}

TEST(BinaryTestDecision, CacheHoldsOneRegionForEachPairOfArmSizes) {
  const BinaryTest fisher({Method::fisher, Sides::two, 0.05, 0.0, Direction::higher_is_better});
  BinaryTest::Cache cache;
  for (int repeat = 0; repeat < 3; ++repeat) {
    fisher.reject({5, 10, 2, 10}, cache);
    fisher.reject({5, 11, 2, 10}, cache);
  }
  EXPECT_EQ(cache.size(), 2u);
  const BinaryTest chi_square(TestSpec{});
  BinaryTest::Cache unused;
  chi_square.reject({5, 10, 2, 10}, unused);
  EXPECT_EQ(unused.size(), 0u);
}

TEST(BinaryTestDecision, OneTestServesManyThreads) {
  const BinaryTest fisher({Method::fisher, Sides::one, 0.025, 0.0, Direction::higher_is_better});
  std::vector<int> rejections(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < rejections.size(); ++t)
    threads.emplace_back([&fisher, &rejections, t] {
      BinaryTest::Cache cache;
      for (int n = 5; n < 30; ++n)
        for (int x = 0; x <= n; ++x) rejections[t] += fisher.reject({x, n, n / 4, n}, cache) ? 1 : 0;
    });
  for (auto& thread : threads) thread.join();
  for (const int count : rejections) EXPECT_EQ(count, rejections[0]);
  EXPECT_GT(rejections[0], 0);
}

}  // namespace
}  // namespace trialwright::analysis
