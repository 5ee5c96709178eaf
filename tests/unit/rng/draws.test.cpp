#include "rng/draws.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/gamma.hpp>
#include <cmath>
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

}  // namespace
