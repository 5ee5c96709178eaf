#include "stats/binomial_interval.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace stats = trialwright::stats;

struct ReferenceRow {
  std::uint64_t n_events, n;
  std::string method, bound;
  double value;
};

std::vector<ReferenceRow> reference_rows() {
  std::ifstream file(TRIALWRIGHT_SOURCE_DIR "/tests/reference/single_proportion_intervals.csv");
  std::vector<ReferenceRow> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] < '0' || line[0] > '9') continue;
    std::istringstream fields(line);
    std::vector<std::string> cells;
    for (std::string cell; std::getline(fields, cell, ',');) cells.push_back(cell);
    rows.push_back(
        {std::stoull(cells[0]), std::stoull(cells[1]), cells[2], cells[3], std::stod(cells[4])});
  }
  return rows;
}

TEST(BinomialInterval, AgreesWithTheReferenceRows) {
  const auto rows = reference_rows();
  ASSERT_EQ(rows.size(), 36u);
  for (const auto& row : rows) {
    const stats::Interval interval = row.method == "Wilson"
                                         ? stats::wilson_interval(row.n_events, row.n, 0.95)
                                         : stats::clopper_pearson_interval(row.n_events, row.n, 0.95);
    // Half a unit of the twelfth digit that the table prints, and the 40 bits to which we round.
    EXPECT_NEAR(row.bound == "lower" ? interval.lower : interval.upper, row.value, 1.5e-12)
        << row.method << " " << row.n_events << "/" << row.n << " " << row.bound;
  }
}

TEST(ClopperPearson, TailsAreExactAtTheBounds) {
  for (const std::uint64_t n : {1u, 20u, 1000u, 1'000'000u})
    for (const std::uint64_t x : {std::uint64_t{0}, n / 7, n / 2, n})
      for (const double level : {0.8, 0.95, 0.999}) {
        const auto [lower, upper] = stats::clopper_pearson_interval(x, n, level);
        const auto size = static_cast<double>(n), events = static_cast<double>(x);
        const double tail = (1 - level) / 2;
        if (x > 0) {
          const boost::math::binomial_distribution<double> at_lower(size, lower);
          EXPECT_NEAR(cdf(complement(at_lower, events - 1)) / tail, 1.0, 1e-6);
        } else {
          EXPECT_EQ(lower, 0.0);
        }
        if (x < n) {
          const boost::math::binomial_distribution<double> at_upper(size, upper);
          EXPECT_NEAR(cdf(at_upper, events) / tail, 1.0, 1e-6);
        } else {
          EXPECT_EQ(upper, 1.0);
        }
      }
}

TEST(Wilson, BoundsSolveTheScoreEquation) {
  for (const std::uint64_t n : {3u, 50u, 100'000u})
    for (const std::uint64_t x : {std::uint64_t{1}, n / 3, n - 1}) {
      const auto [lower, upper] = stats::wilson_interval(x, n, 0.9);
      const double p = static_cast<double>(x) / static_cast<double>(n);
      for (const double bound : {lower, upper}) {
        const double z = (p - bound) / std::sqrt(bound * (1 - bound) / static_cast<double>(n));
        EXPECT_NEAR(std::abs(z), 1.6448536269514722, 1e-9);
      }
    }
  EXPECT_EQ(stats::wilson_interval(0, 10, 0.95).lower, 0.0);
  EXPECT_EQ(stats::wilson_interval(10, 10, 0.95).upper, 1.0);
}

TEST(ProportionMcse, IsTheBinomialStandardErrorAndZeroAtTheEnds) {
  EXPECT_NEAR(stats::mcse_of_proportion(81'230, 100'000), std::sqrt(0.8123 * 0.1877 / 100'000), 1e-17);
  EXPECT_EQ(stats::mcse_of_proportion(0, 100), 0.0);
  EXPECT_EQ(stats::mcse_of_proportion(100, 100), 0.0);
}

TEST(NormalInterval, UsesTheTwoSidedQuantile) {
  const auto [lower, upper] = stats::normal_interval(10.0, 2.0, 0.95);
  EXPECT_NEAR(lower, 10.0 - 2.0 * 1.959963984540054, 1e-14);
  EXPECT_NEAR(upper, 10.0 + 2.0 * 1.959963984540054, 1e-14);
}

}  // namespace
