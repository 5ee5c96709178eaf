#include "rng/batch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "support/vector_targets.hpp"

namespace {

namespace rng = trialwright::rng;
using rng::Address;
using rng::Purpose;
using trialwright::test::for_each_target;

constexpr rng::Key k_key = rng::key_from_seed(20261123);
constexpr std::uint32_t k_untouched = 0xABCDEF01;
constexpr std::size_t k_lengths[] = {0, 1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 100, 301};

// The columns of a call, one word longer than asked for, and those of the scalar generator.
struct Words {
  std::array<std::vector<std::uint32_t>, 4> column;

  explicit Words(std::size_t n) { column.fill(std::vector<std::uint32_t>(n + 1, k_untouched)); }

  rng::WordColumns pointers(unsigned wanted) {
    rng::WordColumns out{};
    for (std::size_t k = 0; k < 4; ++k)
      if ((wanted >> k & 1) != 0) out[k] = column[k].data();
    return out;
  }

  bool operator==(const Words&) const = default;
};

// What `counter` gives for place i in 0 .. n - 1, in the wanted columns.
template <class CounterOf>
Words expected_words(std::size_t n, unsigned wanted, rng::Key key, CounterOf counter_of) {
  Words words(n);
  for (std::size_t i = 0; i < n; ++i) {
    const rng::Counter one = rng::philox4x32_10(counter_of(i), key);
    for (std::size_t k = 0; k < 4; ++k)
      if ((wanted >> k & 1) != 0) words.column[k][i] = one[k];
  }
  return words;
}

// Random123 1.14.0 (Salmon et al. 2011), tests/kat_vectors, the rows "philox4x32 10", each found at
// every place of a column.
TEST(FillWords, KnownAnswersOnEveryTarget) {
  struct Row {
    rng::Counter counter;
    rng::Key key;
    rng::Counter answer;
  };
  constexpr std::uint32_t ones = 0xffffffff;
  constexpr Row rows[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{ones, ones, ones, ones}, {ones, ones}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
  for_each_target([&] {
    for (const Row& row : rows)
      for (std::uint32_t place = 0; place < 40; ++place) {
        // The purpose and the upper trial bits of an address together are the counter's fourth word.
        const std::uint64_t trial = row.counter[2] | std::uint64_t{row.counter[3] >> 16} << 32;
        const auto purpose = static_cast<Purpose>(row.counter[3] & 0xFFFF);
        Words over_units(40), over_trials(40);
        rng::fill_words({row.key, purpose, trial, row.counter[1] - place}, row.counter[0], 40,
                        over_units.pointers(15));
        for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(over_units.column[k][place], row.answer[k]);
        if (trial < place) continue;
        rng::fill_words_of_trials({row.key, purpose, trial - place, row.counter[1]}, row.counter[0],
                                  place + 1, over_trials.pointers(15));
        for (std::size_t k = 0; k < 4; ++k) EXPECT_EQ(over_trials.column[k][place], row.answer[k]);
      }
  });
}

// Units run over 2^32 - 1, as the 32-bit unit does.
TEST(FillWords, GivesTheWordsOfTheScalarGenerator) {
  for_each_target([] {
    for (const std::size_t n : k_lengths)
      for (const unsigned wanted : {15u, 1u, 2u, 4u, 8u, 10u, 0u})
        for (const std::uint32_t unit : {0u, 0xFFFFFFF5u}) {
          const Address first{k_key, Purpose::course, (1ull << 40) + 12345, unit};
          Words words(n);
          rng::fill_words(first, 3, n, words.pointers(wanted));
          EXPECT_EQ(words, expected_words(n, wanted, k_key,
                                          [&](std::size_t i) {
                                            Address address = first;
                                            address.unit += static_cast<std::uint32_t>(i);
                                            return address.counter(3);
                                          }))
              << n << " places, columns " << wanted;
        }
  });
}

// Trials run over a multiple of 2^32, where the fourth counter word changes.
TEST(FillWords, GivesTheWordsOfTheScalarGeneratorOverTrials) {
  for_each_target([] {
    for (const std::size_t n : k_lengths)
      for (const unsigned wanted : {15u, 1u, 4u, 0u})
        for (const std::uint64_t trial :
             {0ull, (7ull << 32) - 18, (7ull << 32) - 5, (1ull << 48) - 400}) {
          const Address first{k_key, Purpose::counts, trial, 2};
          Words words(n);
          rng::fill_words_of_trials(first, 1, n, words.pointers(wanted));
          EXPECT_EQ(words, expected_words(n, wanted, k_key,
                                          [&](std::size_t i) {
                                            Address address = first;
                                            address.trial += i;
                                            return address.counter(1);
                                          }))
              << n << " places from " << trial << ", columns " << wanted;
        }
  });
}

// Words from everywhere: neighbours of every power of two and of its mirror, and a regular grid.
std::vector<std::uint32_t> telling_words() {
  std::vector<std::uint32_t> words;
  for (int bit = 0; bit < 32; ++bit)
    for (std::uint32_t offset = 0; offset < 200; ++offset) {
      const std::uint32_t word = (std::uint32_t{1} << bit) + offset - 100;
      words.push_back(word);
      words.push_back(~word);
    }
  for (std::uint32_t i = 0; i < 100'003; ++i) words.push_back(i * 42949u);
  return words;
}

template <class Batch, class Scalar>
void expect_twins(Batch batch, Scalar scalar) {
  const std::vector<std::uint32_t> words = telling_words();
  for_each_target([&] {
    std::vector<float> out(words.size());
    batch(std::span(words), std::span(out));
    for (std::size_t i = 0; i < words.size(); ++i)
      ASSERT_EQ(std::bit_cast<std::uint32_t>(out[i]), std::bit_cast<std::uint32_t>(scalar(words[i])))
          << "word " << words[i];
    for (const std::size_t n : k_lengths) {
      std::vector<float> some(n + 1, -1000.0f);
      batch(std::span(words).subspan(77, n), std::span(some).first(n));
      EXPECT_EQ(some[n], -1000.0f);
      for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(some[i], scalar(words[77 + i]));
    }
  });
}

TEST(UniformsOfWords, GiveTheBitsOfTheScalarTwin) {
  expect_twins(rng::uniforms_of_words, rng::uniform_of_word);
}

TEST(UniformsOfWords, AreInsideTheOpenIntervalAndMirrored) {
  EXPECT_EQ(rng::uniform_of_word(0), 0x1p-24f);
  EXPECT_EQ(rng::uniform_of_word(0xFFFFFFFF), 1.0f - 0x1p-24f);
  for (const std::uint32_t word : telling_words()) {
    EXPECT_EQ(rng::uniform_of_word(word) + rng::uniform_of_word(~word), 1.0f);
    EXPECT_NEAR(rng::uniform_of_word(word), rng::to_uniform(word), 0x1p-24);
  }
}

TEST(NormalsOfWords, GiveTheBitsOfTheScalarTwin) {
  expect_twins(rng::normals_of_words, rng::normal_of_word);
}

// P(Z > z) for z >= 0, by Boost, which has nothing in common with the code.
double tail(double z) {
  return 0.5 * boost::math::erfc(z * 0.70710678118654752440);
}

TEST(NormalOfWord, IsTheQuantileWithinItsBounds) {
  double largest_error = 0, largest_relative_error = 0;
  const auto check = [&](std::uint32_t word) {
    const double p = rng::to_uniform(word);
    const double error = std::abs(tail(-static_cast<double>(rng::normal_of_word(word))) - p);
    largest_error = std::max(largest_error, error);
    largest_relative_error = std::max(largest_relative_error, error / p);
  };
  for (std::uint32_t word = 0; word < 0x80000000u - 1009; word += 1009) check(word);
  for (std::uint32_t word = 0; word < 100'000; ++word) check(word);
  for (const std::uint32_t word : telling_words()) check(std::min(word, ~word));
  EXPECT_LT(largest_error, 6.4e-8);
  EXPECT_LT(largest_relative_error, 2.5e-6);
  RecordProperty("largest_error", std::to_string(largest_error * 1e9) + "e-9");
}

// Words beside the probabilities of printed tables (Fisher & Yates 1963, table I), to single precision.
TEST(NormalOfWord, HasKnownQuantiles) {
  const auto normal_at = [](double p) {
    return rng::normal_of_word(static_cast<std::uint32_t>(p * 0x1p32));
  };
  EXPECT_NEAR(normal_at(0.975), 1.9599640, 2e-7);
  EXPECT_NEAR(normal_at(0.05), -1.6448536, 2e-7);
  EXPECT_NEAR(normal_at(0.25), -0.6744898, 2e-7);
  EXPECT_NEAR(normal_at(0.999), 3.0902323, 4e-7);
  // The smallest word stands for p = 2^-33; tail(6.337957754) is that to 1e-9 of itself.
  EXPECT_NEAR(tail(6.337957754553792) * 0x1p33, 1.0, 1e-9);
  EXPECT_NEAR(rng::normal_of_word(0), -6.337957754553792, 1e-6);
  EXPECT_GT(rng::normal_of_word(0x80000000), 0.0f);
  EXPECT_LT(rng::normal_of_word(0x80000000), 1e-7f);
}

// The moments over the lower half of all words (the upper mirrors it): what the transform itself adds
// to the moments 1 and 3 of an exact normal. The tail, 1 word in 128, is summed word by word, the rest
// by the midpoint of every 128 words.
TEST(NormalOfWord, HasTheMomentsOfTheNormal) {
  double second = 0, fourth = 0;
  const auto add = [&](std::uint32_t word, double weight) {
    const double z = rng::normal_of_word(word);
    second += weight * z * z;
    fourth += weight * z * z * z * z;
  };
  constexpr std::uint32_t n_singly = 1 << 24, step = 128;
  for (std::uint32_t word = 0; word < n_singly; ++word) add(word, 0x1p-31);
  for (std::uint32_t word = n_singly; word < 0x80000000u; word += step)
    add(word + step / 2, step * 0x1p-31);
  EXPECT_NEAR(second, 1.0, 1e-7);
  EXPECT_NEAR(fourth, 3.0, 2e-6);
}

// All words whose single-precision values can differ: the 2^23 of each octave from m = 2^23 on step by
// step, and all below.
TEST(NormalOfWord, NeverDecreasesAndIsMirrored) {
  constexpr std::size_t n_block = 1 << 16;
  std::vector<std::uint32_t> words(n_block), mirrored(n_block);
  std::vector<float> lower(n_block), upper(n_block);
  float previous = -7.0f;
  std::size_t n_decreases = 0, n_not_mirrored = 0;
  for (std::uint64_t start = 0; start < 0x80000000u;) {
    // Steps of half the spacing of single precision at m catch every value that rounding can give.
    const std::uint64_t step = start < (1u << 24) ? 1 : std::bit_floor(start) >> 24;
    for (std::size_t i = 0; i < n_block; ++i) {
      words[i] = static_cast<std::uint32_t>(std::min<std::uint64_t>(start + i * step, 0x7FFFFFFF));
      mirrored[i] = ~words[i];
    }
    rng::normals_of_words(words, lower);
    rng::normals_of_words(mirrored, upper);
    for (std::size_t i = 0; i < n_block; ++i) {
      n_decreases += lower[i] < previous;
      n_not_mirrored += lower[i] != -upper[i];
      previous = lower[i];
    }
    start += n_block * step;
  }
  EXPECT_EQ(n_decreases, 0u);
  EXPECT_EQ(n_not_mirrored, 0u);
  EXPECT_LT(previous, 0.0f);
}

}  // namespace
