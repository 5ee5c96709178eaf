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

// Word `draw` of the n units from `first` on.
std::vector<std::uint32_t> words_of_units(const Address& first, std::uint32_t draw, std::size_t n) {
  std::vector<std::uint32_t> words(n);
  rng::WordColumns columns{};
  columns[draw % 4] = words.data();
  rng::fill_words(first, draw / 4, n, columns);
  return words;
}

std::vector<double> uniforms_of_units(const Address& first, std::uint32_t draw, std::size_t n) {
  std::vector<double> uniforms;
  for (const std::uint32_t word : words_of_units(first, draw, n))
    uniforms.push_back(rng::to_uniform(word));
  return uniforms;
}

std::vector<double> normals_of_units(const Address& first, std::uint32_t draw, std::size_t n) {
  std::vector<double> normals;
  for (const std::uint32_t word : words_of_units(first, draw, n))
    normals.push_back(rng::normal_of_word(word));
  return normals;
}

TEST(Stream, HasTheWordsOfTheColumns) {
  constexpr std::size_t n = 130;
  for (const std::uint32_t draw : {0u, 3u, 6u, 4'000'001u}) {
    const auto words = words_of_units({k_key, Purpose::baseline, 1ull << 40, 40}, draw, n);
    for (std::uint32_t i = 0; i < n; ++i)
      EXPECT_EQ(words[i], Stream({k_key, Purpose::baseline, 1ull << 40, 40 + i}).word(draw));
  }
}

// Half of the cells 2% more probable than the others would be found with a power above 0.99.
TEST(StreamStatistics, EachWordIsUniform) {
  constexpr std::size_t n_units = 1'000'000, n_cells = 1024;
  for (std::uint32_t draw = 0; draw < 4; ++draw) {
    std::vector<std::uint64_t> counts(n_cells);
    for (const double u : uniforms_of_units({k_key, Purpose::baseline, 5, 0}, draw, n_units))
      ++counts[static_cast<std::size_t>(u * n_cells)];
    EXPECT_GT(chi_square_p_value(counts), k_false_alarm_rate) << "word " << draw;
  }
}

// A shift of the mean by 0.005 is found with a power above 0.85 by its z test.
TEST(StreamStatistics, NormalsHaveTheirMomentsAndCells) {
  constexpr std::size_t n = 1'000'000, n_cells = 200;
  std::vector<std::uint64_t> counts(n_cells);
  double sum = 0, squares = 0, cubes = 0, fourths = 0;
  for (const double z : normals_of_units({k_key, Purpose::course, 6, 0}, 1, n)) {
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
  const auto base = uniforms_of_units({k_key, Purpose::baseline, 9, 0}, 2, n);
  const auto p_value = [&](const Address& address, std::uint32_t draw) {
    return independence_p_value(base, uniforms_of_units(address, draw, n));
  };
  EXPECT_GT(p_value({k_key, Purpose::baseline, 9, 0}, 3), k_false_alarm_rate) << "next draw";
  EXPECT_GT(p_value({k_key, Purpose::baseline, 9, 0}, 6), k_false_alarm_rate) << "next block";
  EXPECT_GT(p_value({k_key, Purpose::baseline, 9, 1}, 2), k_false_alarm_rate) << "next unit";
  EXPECT_GT(p_value({k_key, Purpose::baseline, 10, 0}, 2), k_false_alarm_rate) << "next trial";
  EXPECT_GT(p_value({k_key, Purpose::allocation, 9, 0}, 2), k_false_alarm_rate) << "next purpose";
  EXPECT_GT(p_value({rng::key_from_seed(20261124), Purpose::baseline, 9, 0}, 2), k_false_alarm_rate)
      << "next seed";
}

TEST(StreamStatistics, TheIndependenceTestFindsDependence) {
  constexpr std::size_t n = 1'000'000;
  auto base = normals_of_units({k_key, Purpose::baseline, 9, 0}, 2, n);
  auto other = normals_of_units({k_key, Purpose::baseline, 9, 0}, 3, n);
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
