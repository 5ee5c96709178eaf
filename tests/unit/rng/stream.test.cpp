#include "rng/stream.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <boost/random/gamma_distribution.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_01.hpp>
#include <cmath>
#include <random>
#include <set>
#include <vector>

#include "math/normal.hpp"
#include "rng/batch.hpp"
#include "unit/rng/chi_square.hpp"

namespace {

namespace rng = trialwright::rng;
using rng::Address;
using rng::Purpose;
using rng::Stream;
using trialwright::test::chi_square_p_value;
using trialwright::test::k_false_alarm_rate;

constexpr rng::Key k_key = rng::key_from_seed(20261123);

// Random123 1.14.0 (Salmon et al. 2011), tests/kat_vectors, the rows "philox4x32 10".
TEST(Philox, KnownAnswers) {
  constexpr std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(rng::philox4x32_10({0, 0, 0, 0}, {0, 0}),
            (rng::Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(rng::philox4x32_10({ones, ones, ones, ones}, {ones, ones}),
            (rng::Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      rng::philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (rng::Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Address, EveryPartReachesTheCounter) {
  std::set<rng::Counter> counters;
  std::size_t n = 0;
  for (const auto purpose : {Purpose::truth, Purpose::baseline, Purpose::search})
    for (const std::uint64_t trial : {0ull, 1ull, 1ull << 32, (1ull << 48) - 1})
      for (const std::uint32_t unit : {0u, 1u, 0xffffffffu})
        for (const std::uint32_t block : {0u, 1u}) {
          counters.insert(Address{k_key, purpose, trial, unit}.counter(block));
          ++n;
        }
  EXPECT_EQ(counters.size(), n);
}

TEST(Stream, UniformsAreInsideTheOpenInterval) {
  EXPECT_EQ(rng::to_uniform(0), 0x1p-33);
  EXPECT_EQ(rng::to_uniform(0xffffffff), 1.0 - 0x1p-33);
}

TEST(Stream, SequenceAndRandomAccessAreTheSameWords) {
  const Address address{k_key, Purpose::course, 4321, 17};
  Stream sequential(address), random_access(address);
  std::vector<std::uint32_t> words;
  for (int i = 0; i < 21; ++i) words.push_back(sequential());
  for (std::uint32_t i = 21; i-- > 0;) EXPECT_EQ(random_access.word(i), words[i]);
  EXPECT_EQ(words[6], rng::philox4x32_10(address.counter(1), k_key)[2]);
}

TEST(Stream, SequenceIsNotDisturbedByRandomAccess) {
  const Address address{k_key, Purpose::arrival, 1, 0};
  Stream plain(address), disturbed(address);
  for (int i = 0; i < 9; ++i) {
    disturbed.normal(100);
    EXPECT_EQ(plain(), disturbed());
  }
}

TEST(Stream, NormalIsTheOneNormalOfTheWord) {
  Stream stream({k_key, Purpose::course, 2, 3});
  EXPECT_EQ(stream.normal(5), static_cast<double>(rng::normal_of_word(stream.word(5))));
}

TEST(Fill, GivesTheBitsOfTheStream) {
  const Address first{k_key, Purpose::baseline, 77, 40};
  for (const std::size_t n : {0u, 1u, 5u, 130u})
    for (const std::uint32_t draw : {0u, 3u, 6u}) {
      std::vector<double> uniforms(n), normals(n);
      rng::fill_uniform(first, draw, uniforms);
      rng::fill_normal(first, draw, normals);
      for (std::size_t i = 0; i < n; ++i) {
        Stream stream({k_key, Purpose::baseline, 77, 40 + static_cast<std::uint32_t>(i)});
        EXPECT_EQ(uniforms[i], stream.uniform(draw));
        EXPECT_EQ(normals[i], stream.normal(draw));
      }
    }
}

TEST(Fill, ColumnsGiveTheBitsOfTheStreamAndTouchNothingElse) {
  const Address first{k_key, Purpose::course, 1ull << 40, 1000};
  constexpr double untouched = -1000.0;
  for (const std::uint32_t n_draws : {0u, 1u, 4u, 7u, 12u})
    for (const std::size_t n_units : {0u, 1u, 3u, 65u}) {
      const std::size_t stride = n_units + 3;
      std::vector<double> uniforms(stride * (n_draws + 1), untouched), normals = uniforms;
      rng::fill_uniforms(first, 8, n_draws, {uniforms.data(), n_units, stride});
      rng::fill_normals(first, 8, n_draws, {normals.data(), n_units, stride});
      for (std::size_t at = 0; at < uniforms.size(); ++at) {
        const auto draw = static_cast<std::uint32_t>(at / stride);
        const auto unit = static_cast<std::uint32_t>(at % stride);
        Stream stream({k_key, Purpose::course, 1ull << 40, 1000 + unit});
        const bool inside = draw < n_draws && unit < n_units;
        EXPECT_EQ(uniforms[at], inside ? stream.uniform(8 + draw) : untouched);
        EXPECT_EQ(normals[at], inside ? stream.normal(8 + draw) : untouched);
      }
    }
}

// Half of the cells 2% more probable than the others would be found with a power above 0.99.
TEST(StreamStatistics, EachWordIsUniform) {
  constexpr std::size_t n_units = 1'000'000, n_cells = 1024;
  std::vector<double> column(n_units);
  for (std::uint32_t draw = 0; draw < 4; ++draw) {
    rng::fill_uniform({k_key, Purpose::baseline, 5, 0}, draw, column);
    std::vector<std::uint64_t> counts(n_cells);
    for (const double u : column) ++counts[static_cast<std::size_t>(u * n_cells)];
    EXPECT_GT(chi_square_p_value(counts), k_false_alarm_rate) << "word " << draw;
  }
}

// A shift of the mean by 0.005 is found with a power above 0.85 by its z test.
TEST(StreamStatistics, NormalsHaveTheirMomentsAndCells) {
  constexpr std::size_t n = 1'000'000, n_cells = 200;
  std::vector<double> column(n);
  rng::fill_normal({k_key, Purpose::course, 6, 0}, 1, column);
  std::vector<std::uint64_t> counts(n_cells);
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  for (const double z : column) {
    sum += z;
    squares += z * z;
    cubes += z * z * z;
    fourths += z * z * z * z;
    ++counts[static_cast<std::size_t>(trialwright::math::normal_cdf(z) * n_cells)];
  }
  // The variances of z, z^2, z^3 and z^4 are 1, 2, 15 and 96.
  const double limit =
      -trialwright::math::normal_quantile(k_false_alarm_rate / 2) * std::sqrt(double{n});
  EXPECT_LT(std::abs(sum), limit);
  EXPECT_LT(std::abs(squares - n), limit * std::sqrt(2.0));
  EXPECT_LT(std::abs(cubes), limit * std::sqrt(15.0));
  EXPECT_LT(std::abs(fourths - 3.0 * n), limit * std::sqrt(96.0));
  EXPECT_GT(chi_square_p_value(counts), k_false_alarm_rate);
}

// The p-value of independence of two columns of a million uniforms, by 16 x 16 cells. A normal-scores
// correlation of 0.015 is found with a power above 0.99.
double independence_p_value(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<std::uint64_t> counts(256);
  for (std::size_t i = 0; i < a.size(); ++i)
    ++counts[static_cast<std::size_t>(a[i] * 16) * 16 + static_cast<std::size_t>(b[i] * 16)];
  return chi_square_p_value(counts);
}

TEST(StreamStatistics, NeighboursInEveryPartOfTheAddressAreIndependent) {
  constexpr std::size_t n = 1'000'000;
  std::vector<double> base(n), other(n);
  const auto p_value = [&](const Address& address, std::uint32_t draw) {
    rng::fill_uniform(address, draw, other);
    return independence_p_value(base, other);
  };
  rng::fill_uniform({k_key, Purpose::baseline, 9, 0}, 2, base);
  EXPECT_GT(p_value({k_key, Purpose::baseline, 9, 0}, 3), k_false_alarm_rate) << "next draw";
  EXPECT_GT(p_value({k_key, Purpose::baseline, 9, 0}, 6), k_false_alarm_rate) << "next block";
  EXPECT_GT(p_value({k_key, Purpose::baseline, 9, 1}, 2), k_false_alarm_rate) << "next unit";
  EXPECT_GT(p_value({k_key, Purpose::baseline, 10, 0}, 2), k_false_alarm_rate) << "next trial";
  EXPECT_GT(p_value({k_key, Purpose::allocation, 9, 0}, 2), k_false_alarm_rate) << "next purpose";
  EXPECT_GT(p_value({rng::key_from_seed(20261124), Purpose::baseline, 9, 0}, 2), k_false_alarm_rate)
      << "next seed";
}

TEST(StreamStatistics, TheIndependenceTestFindsDependence) {
  std::vector<double> base(1'000'000), other(base.size());
  rng::fill_normal({k_key, Purpose::baseline, 9, 0}, 2, base);
  rng::fill_normal({k_key, Purpose::baseline, 9, 0}, 3, other);
  for (std::size_t i = 0; i < base.size(); ++i) {
    other[i] = trialwright::math::normal_cdf(0.02 * base[i] + std::sqrt(1 - 0.02 * 0.02) * other[i]);
    base[i] = trialwright::math::normal_cdf(base[i]);
  }
  EXPECT_LT(independence_p_value(base, other), k_false_alarm_rate);
}

TEST(Stream, RunsTheDistributionsOfBoostAndTheStandard) {
  static_assert(std::uniform_random_bit_generator<Stream>);
  Stream stream({k_key, Purpose::calibration, 0, 0});
  constexpr int n = 100'000;
  double normals = 0, gammas = 0, uniforms = 0, standard = 0;
  boost::random::normal_distribution<double> normal(3.0, 2.0);
  boost::random::gamma_distribution<double> gamma(4.0, 0.5);
  boost::random::uniform_01<double> uniform;
  std::exponential_distribution<double> exponential(1.0);
  for (int i = 0; i < n; ++i) {
    normals += normal(stream);
    gammas += gamma(stream);
    uniforms += uniform(stream);
    standard += exponential(stream);
  }
  // Four z tests at 1e-4 each: 3.89 standard errors.
  EXPECT_NEAR(normals / n, 3.0, 3.89 * 2.0 / std::sqrt(n));
  EXPECT_NEAR(gammas / n, 2.0, 3.89 * 1.0 / std::sqrt(n));
  EXPECT_NEAR(uniforms / n, 0.5, 3.89 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(standard / n, 1.0, 3.89 / std::sqrt(n));
}

}  // namespace
