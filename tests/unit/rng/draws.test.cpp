#include "rng/draws.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/math/distributions/gamma.hpp>
#include <boost/math/distributions/poisson.hpp>
#include <cmath>
#include <map>
#include <vector>

#include "unit/rng/chi_square.hpp"

namespace {

namespace rng = trialwright::rng;
using rng::Purpose;
using rng::Stream;
using trialwright::test::chi_square_p_value;
using trialwright::test::k_false_alarm_rate;

Stream stream_of(std::uint32_t unit) {
  return Stream({rng::key_from_seed(7), Purpose::calibration, 0, unit});
}

// How many words of the stream have been taken, up to 100.
std::uint32_t words_taken(Stream& used, std::uint32_t unit) {
  Stream fresh = stream_of(unit);
  const std::uint32_t next = used();
  std::uint32_t n = 0;
  while (n < 100 && fresh.word(n) != next) ++n;
  return n;
}

TEST(Exponential, IsTheInverseOfItsSurvivalFunction) {
  EXPECT_EQ(rng::exponential(1.0), 0.0);
  EXPECT_NEAR(rng::exponential(0.3), -std::log(0.3), 1e-15);
  EXPECT_GT(rng::exponential(rng::to_uniform(0)), 22.8);
}

TEST(Bernoulli, NeverForZeroAlwaysForOne) {
  EXPECT_FALSE(rng::bernoulli(rng::to_uniform(0), 0.0));
  EXPECT_TRUE(rng::bernoulli(rng::to_uniform(0xffffffff), 1.0));
  EXPECT_TRUE(rng::bernoulli(0.29, 0.3));
  EXPECT_FALSE(rng::bernoulli(0.31, 0.3));
}

TEST(FineUniform, TakesTwoWordsAndHas52Bits) {
  Stream stream = stream_of(1);
  const double u = rng::next_fine_uniform(stream);
  EXPECT_EQ(words_taken(stream, 1), 2u);
  Stream words = stream_of(1);
  EXPECT_NEAR(u, (words.word(0) + words.word(1) * 0x1p-32) * 0x1p-32, 0x1p-51);
}

// 100 equally probable cells by Boost's distribution function. A shape wrong by 2% is found with a
// power above 0.99 for shapes of 1 and more.
TEST(GammaDraw, HasItsDistribution) {
  std::uint32_t unit = 10;
  for (const double shape : {0.3, 1.0, 2.5, 50.0}) {
    Stream stream = stream_of(unit++);
    const boost::math::gamma_distribution<double> exact(shape, 1.0);
    std::vector<std::uint64_t> counts(100);
    for (int i = 0; i < 200'000; ++i)
      ++counts[std::min<std::size_t>(
          99, static_cast<std::size_t>(100 * boost::math::cdf(exact, rng::gamma(stream, shape))))];
    EXPECT_GT(chi_square_p_value(counts), k_false_alarm_rate) << shape;
  }
}

TEST(GammaDraw, TakesTwoWordsAnAttempt) {
  for (std::uint32_t unit = 20; unit < 40; ++unit) {
    Stream large = stream_of(unit), small = stream_of(unit);
    rng::gamma(large, 3.0);
    EXPECT_EQ(words_taken(large, unit) % 2, 0u);
    rng::gamma(small, 0.5);
    EXPECT_EQ(words_taken(small, unit) % 2, 1u);
  }
}

TEST(PoissonDraw, HasItsDistribution) {
  std::uint32_t unit = 50;
  for (const double mean : {0.02, 0.7, 10.0, 32.0, 75.5}) {
    Stream stream = stream_of(unit++);
    const boost::math::poisson_distribution<double> exact(mean);
    // Single counts between the 0.1% and 99.9% points, with the tails in the end cells.
    const double spread = 3.0 * std::sqrt(mean);
    const auto lo = static_cast<std::uint64_t>(std::max(0.0, std::floor(mean - spread)));
    const auto hi = static_cast<std::uint64_t>(std::ceil(mean + spread)) + 1;
    std::vector<double> probabilities;
    for (auto count = lo; count <= hi; ++count) {
      const auto x = static_cast<double>(count);
      probabilities.push_back(count == lo   ? boost::math::cdf(exact, x)
                              : count == hi ? boost::math::cdf(boost::math::complement(exact, x - 1))
                                            : boost::math::pdf(exact, x));
    }
    std::vector<std::uint64_t> counts(probabilities.size());
    for (int i = 0; i < 200'000; ++i) ++counts[std::clamp(rng::poisson(stream, mean), lo, hi) - lo];
    EXPECT_GT(chi_square_p_value(counts, probabilities), k_false_alarm_rate) << mean;
  }
}

TEST(PoissonDraw, TakesTwoWordsAPart) {
  Stream none = stream_of(60), one = stream_of(60), three = stream_of(60);
  EXPECT_EQ(rng::poisson(none, 0.0), 0u);
  EXPECT_EQ(words_taken(none, 60), 0u);
  rng::poisson(one, 32.0);
  EXPECT_EQ(words_taken(one, 60), 2u);
  rng::poisson(three, 65.0);
  EXPECT_EQ(words_taken(three, 60), 6u);
}

TEST(Bounded, IsUniformAlsoWhereWordsMustBeRejected) {
  // 3 * 2^30 takes a quarter of the words a second time: a biased multiplication would give the thirds
  // 1/2, 1/4, 1/4.
  Stream stream = stream_of(70);
  std::vector<std::uint64_t> thirds(3), sevenths(7);
  for (int i = 0; i < 300'000; ++i) {
    ++thirds[rng::bounded(stream, 3u << 30) % 3];
    ++sevenths[rng::bounded(stream, 7)];
  }
  EXPECT_GT(chi_square_p_value(thirds), k_false_alarm_rate);
  EXPECT_GT(chi_square_p_value(sevenths), k_false_alarm_rate);
  EXPECT_EQ(rng::bounded(stream, 1), 0u);
}

TEST(Shuffle, GivesEveryOrderEqually) {
  Stream stream = stream_of(80);
  std::map<std::array<int, 4>, std::uint64_t> orders;
  for (int i = 0; i < 240'000; ++i) {
    std::array<int, 4> items = {0, 1, 2, 3};
    rng::shuffle(stream, std::span<int>(items));
    ++orders[items];
  }
  ASSERT_EQ(orders.size(), 24u);
  std::vector<std::uint64_t> counts;
  for (const auto& [order, count] : orders) counts.push_back(count);
  EXPECT_GT(chi_square_p_value(counts), k_false_alarm_rate);
}

TEST(Shuffle, LeavesEmptyAndSingleAlone) {
  Stream stream = stream_of(90);
  std::array<int, 1> single = {5};
  rng::shuffle(stream, std::span<int>(single));
  rng::shuffle(stream, std::span<int>());
  EXPECT_EQ(words_taken(stream, 90), 0u);
}

}  // namespace
