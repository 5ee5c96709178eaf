// Draws of counts by inversion: their probabilities, the fast path against a search, ties of words.
#include "rng/count_table.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <numeric>

#include "rng/stream.hpp"

namespace trialwright::rng {
namespace {

constexpr int k_sizes[] = {1, 2, 5, 33, 34, 150, 1000, 3000, 100'000};
constexpr double k_rates[] = {1e-7, 0.003, 0.1, 0.32, 0.5, 0.58, 0.97, 1 - 1e-6};

std::int32_t draw(const CountTable& table, std::uint32_t word, std::uint32_t lower = 0) {
  return table.draw(word, [lower] { return lower; });
}

TEST(CountTable, BinomialProbabilitiesAreBoosts) {
  for (const int n : k_sizes)
    for (const double p : k_rates) {
      const auto table = CountTable::binomial(n, p);
      const boost::math::binomial_distribution<double> law(n, p);
      double total = 0;
      for (int x = table.first(); x <= table.last(); ++x) {
        // Boost's own error grows with n: lgamma of 100 000 keeps 1e-11 of a probability of 1e-3.
        const double exact = boost::math::pdf(law, x);
        EXPECT_NEAR(table.probability(x), exact, n <= 1000 ? 1e-15 : 1e-13)
            << n << " " << p << " " << x;
        total += table.probability(x);
      }
      EXPECT_NEAR(total, 1, 1e-14);
      if (table.first() > 0) {
        EXPECT_LT(boost::math::cdf(law, table.first() - 1), 1.1e-17);
      }
      if (table.last() < n) {
        EXPECT_LT(boost::math::cdf(boost::math::complement(law, table.last())), 1.1e-17);
      }
    }
}

TEST(CountTable, CertainCounts) {
  for (const std::uint32_t word : {0u, 1u, 0x80000000u, 0xFFFFFFFFu}) {
    EXPECT_EQ(draw(CountTable::binomial(0, 0.3), word), 0);
    EXPECT_EQ(draw(CountTable::binomial(7, 0), word), 0);
    EXPECT_EQ(draw(CountTable::binomial(7, 1), word), 7);
    EXPECT_EQ(draw(CountTable(5, {0, 0, 2, 0}), word), 7);
  }
}

// Every bucket is entered at its start, its end and within: the count is the quantile of the word's
// place by Boost's distribution function.
TEST(CountTable, DrawsAreQuantiles) {
  for (const int bits : {6, 9, 10, 14})
    for (const int n : {1, 33, 150, 1000})
      for (const double p : {0.003, 0.32, 0.58, 0.97}) {
        const auto table = CountTable::binomial(n, p, bits);
        const boost::math::binomial_distribution<double> law(n, p);
        std::vector<double> below;
        for (int x = 0; x <= n; ++x) below.push_back(boost::math::cdf(law, x));
        int at = 0;
        std::int32_t previous = 0;
        for (std::uint64_t k = 0; k < 1 << 16; ++k)
          for (const std::uint32_t place : {0x0u, 0x1u, 0x8123u, 0xFFFFu}) {
            const auto word = static_cast<std::uint32_t>(k << 16 | place);
            const double u = (word + 0.5) / 4294967296.0;
            while (at < n && u >= below[static_cast<std::size_t>(at)]) ++at;
            const std::int32_t count = draw(table, word, 0x80000000u);
            ASSERT_GE(count, previous);
            previous = count;
            if (std::abs(u - below[static_cast<std::size_t>(at)]) < 1e-9) continue;
            if (at > 0 && std::abs(u - below[static_cast<std::size_t>(at) - 1]) < 1e-9) continue;
            ASSERT_EQ(count, at) << n << " " << p << " " << word;
          }
      }
}

// Where the word alone does not decide, its further bits do: by bisection over all 64 bits the place
// where the count passes x is 2^64 P(X <= x).
TEST(CountTable, TiesAreDecidedByFurtherBits) {
  for (const double p : {0.003, 0.32, 0.58}) {
    const auto table = CountTable::binomial(150, p);
    const boost::math::binomial_distribution<double> law(150, p);
    int n_ties = 0;
    for (int x = table.first(); x < table.last(); ++x) {
      std::uint64_t lowest = 0, highest = ~std::uint64_t{0};  // the first U with a count above x
      while (lowest < highest) {
        const std::uint64_t middle = lowest + (highest - lowest) / 2;
        const bool above = draw(table, static_cast<std::uint32_t>(middle >> 32),
                                static_cast<std::uint32_t>(middle)) > x;
        (above ? highest : lowest) = above ? middle : middle + 1;
      }
      const double passed = static_cast<double>(lowest) * 0x1p-64;
      const double exact = boost::math::cdf(law, x);
      EXPECT_NEAR(passed, exact, 2e-15) << x;
      if (exact < 1e-10) {  // small tails keep their digits, but for what is cut
        EXPECT_NEAR(passed, exact, 1.1e-17 + 1e-12 * exact) << x;
      }
      bool asked = false;
      table.draw(static_cast<std::uint32_t>(lowest >> 32), [&] {
        asked = true;
        return 0u;
      });
      n_ties += asked ? 1 : 0;
    }
    EXPECT_EQ(n_ties, table.last() - table.first());
  }
}

TEST(CountTable, ColumnsAreSingleDraws) {
  const auto table = CountTable::binomial(150, 0.32);
  Stream stream({{7, 7}, Purpose::counts, 1, 0});
  std::vector<std::uint32_t> words(100'000);
  for (auto& word : words) word = stream();
  std::vector<std::int32_t> counts(words.size());
  table.draw(words, counts.data(), [](std::size_t) { return 0u; });
  for (std::size_t i = 0; i < words.size(); ++i) ASSERT_EQ(counts[i], draw(table, words[i]));
}

TEST(CountTable, AnyLaw) {
  const std::vector<double> weights{1, 0, 3, 1e-30, 4, 1e-25};
  const CountTable table(-2, weights, 6);
  EXPECT_EQ(table.first(), -2);
  EXPECT_EQ(table.last(), 2);
  EXPECT_NEAR(table.probability(-2), 0.125, 1e-16);
  EXPECT_EQ(table.probability(-1), 0);
  EXPECT_NEAR(table.probability(0), 0.375, 1e-16);
  EXPECT_NEAR(table.probability(2), 0.5, 1e-16);
  EXPECT_EQ(draw(table, 0), -2);
  EXPECT_EQ(draw(table, 0x20000000u), 0);
  EXPECT_EQ(draw(table, 0xFFFFFFFFu), 2);
}

}  // namespace
}  // namespace trialwright::rng
