#include "stats/histogram.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <cmath>

namespace {

namespace stats = trialwright::stats;

TEST(Histogram, QuantilesOfIntegersAreThoseOfTheSortedColumn) {
  stats::Histogram histogram(1.0, 301);
  for (const int x : {300, 150, 150, 200, 0, 150, 75, 300, 225, 75}) histogram.add(x);
  // Sorted: 0 75 75 150 150 150 200 225 300 300.
  EXPECT_EQ(histogram.quantile(0.0), 0.0);
  EXPECT_EQ(histogram.quantile(0.1), 0.0);
  EXPECT_EQ(histogram.quantile(0.11), 75.0);
  EXPECT_EQ(histogram.quantile(0.5), 150.0);
  EXPECT_EQ(histogram.quantile(0.65), 200.0);
  EXPECT_EQ(histogram.quantile(1.0), 300.0);
  EXPECT_EQ(histogram.count(), 10u);
  EXPECT_EQ(histogram.n_beyond(), 0u);
}

TEST(Histogram, ContinuousValuesToHalfAWidth) {
  stats::Histogram histogram(0.25, 1000);
  for (int i = 0; i < 1001; ++i) histogram.add(0.1 * i);
  for (const double p : {0.05, 0.5, 0.9}) EXPECT_NEAR(histogram.quantile(p), 100 * p, 0.125 + 0.1);
}

TEST(Histogram, MergesAndCountsWhatIsBeyond) {
  stats::Histogram a(1.0, 5), b(1.0, 5);
  a.add(4.4);
  a.add(1.0);
  b.add(4.6);
  b.add(1e300);
  a.merge(b);
  EXPECT_EQ(a.count(), 4u);
  EXPECT_EQ(a.n_beyond(), 2u);
  EXPECT_EQ(a.quantile(0.25), 1.0);
  EXPECT_EQ(a.quantile(1.0), 4.0);
  EXPECT_TRUE(std::isnan(stats::Histogram(1.0, 5).quantile(0.5)));
}

TEST(Histogram, AWeightIsThatManyTimesAndTheBinsHeldDoNotMatter) {
  stats::Histogram far(1.0, 100'001), near(1.0, 100'001), merged(1.0, 100'001);
  far.add(90'000, 3);
  far.add(5, 2);
  for (int i = 0; i < 3; ++i) near.add(90'000);
  merged.merge(near);
  near.add(5);
  near.add(5);
  stats::Histogram low(1.0, 100'001);
  low.add(5, 2);
  EXPECT_LT(low.n_held(), 200u);
  merged.merge(low);
  merged.merge(stats::Histogram(1.0, 100'001));
  for (const auto* histogram : {&far, &near, &merged}) {
    EXPECT_EQ(histogram->count(), 5u);
    EXPECT_EQ(histogram->quantile(0.4), 5.0);
    EXPECT_EQ(histogram->quantile(0.41), 90'000.0);
  }
}

TEST(Histogram, IsMadeAgainFromItsStateWhichHoldsWhatIsCountedAlone) {
  stats::Histogram histogram(0.5, 1000);
  EXPECT_EQ(histogram.state(), (stats::Histogram::State{.width = 0.5, .n_bins = 1000}));
  histogram.add(200, 3);
  histogram.add(201);
  histogram.add(1e9, 2);
  const auto state = histogram.state();
  EXPECT_EQ(state.first, 400u);
  EXPECT_EQ(state.counts.size(), 600u);
  EXPECT_EQ(state.n_beyond, 2u);
  stats::Histogram again(state);
  EXPECT_EQ(again.state(), state);
  EXPECT_EQ(again.count(), 6u);
  EXPECT_EQ(again.quantile(0.5), 200.0);
  // Bins below those that are held are made when they are needed.
  again.add(1.0);
  EXPECT_EQ(again.quantile(0.0), 1.0);
  stats::Histogram empty(stats::Histogram(0.5, 1000).state());
  empty.merge(again);
  EXPECT_EQ(empty.state(), again.state());
}

// For 1, ..., n the order statistic is its rank. n = 16, median, 90%: ranks 5 and 12 (Conover 1999,
// section 3.2, example 2, the interval of upper-quartile type, has the same construction by table A3).
TEST(Histogram, IntervalHasBinomialRanks) {
  for (const int n : {16, 100, 2000})
    for (const double p : {0.5, 0.9}) {
      stats::Histogram histogram(1.0, 2001);
      for (int i = 1; i <= n; ++i) histogram.add(i);
      const auto [lower, upper] = histogram.quantile_interval(p, 0.9);
      const boost::math::binomial_distribution<double> below(n, p);
      EXPECT_LT(cdf(below, lower - 1), 0.05);
      EXPECT_GE(cdf(below, lower), 0.05);
      if (upper < n) {
        EXPECT_GE(cdf(below, upper - 1), 0.95);
        EXPECT_LT(cdf(below, upper - 2), 0.95);
      }
    }
}

TEST(Histogram, StandardErrorOfAMedianIsNearTheAsymptoticOne) {
  stats::Histogram histogram(1.0, 100'001);
  for (int i = 0; i < 10'000; ++i) histogram.add(10 * i);
  // Uniform on 0 .. 100,000: sqrt(p (1 - p) / n) / f = 0.005 * 100,000.
  EXPECT_NEAR(histogram.mcse_of_quantile(0.5), 500.0, 10.0);
  EXPECT_EQ(histogram.mcse_of_quantile(1.0), 0.0);
}

}  // namespace
