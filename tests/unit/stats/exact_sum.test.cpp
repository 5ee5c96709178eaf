#include "stats/exact_sum.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

namespace {

using trialwright::stats::ExactSum;

double sum_of(const std::vector<double>& values) {
  return ExactSum(values).value();
}

// Cases of test_math.py of CPython (test_fsum).
TEST(ExactSum, KnownSumsOfFsum) {
  EXPECT_EQ(sum_of({}), 0.0);
  EXPECT_EQ(sum_of({0.0, -0.0}), 0.0);
  EXPECT_EQ(sum_of({1e100, 1.0, -1e100, 1e-100, 1e50, -1.0, -1e50}), 1e-100);
  EXPECT_EQ(sum_of({0x1p53, -0.5, -0x1p-54}), 0x1p53 - 1.0);
  EXPECT_EQ(sum_of({0x1p53, 1.0, 0x1p-100}), 0x1p53 + 2.0);
  EXPECT_EQ(sum_of({0x1p53 + 10.0, 1.0, 0x1p-100}), 0x1p53 + 12.0);
  EXPECT_EQ(sum_of({0x1p53 - 4.0, 0.5, 0x1p-54}), 0x1p53 - 3.0);
  EXPECT_EQ(sum_of({1e16, 1.0, 1e-16}), 10000000000000002.0);
  EXPECT_EQ(sum_of({1e16 - 2.0, 1.0 - 0x1p-53, -(1e16 - 2.0), -(1.0 - 0x1p-53)}), 0.0);
  std::vector<double> harmonic;
  for (int n = 1; n <= 1000; ++n) harmonic.push_back(1.0 / n);
  EXPECT_EQ(sum_of(harmonic), 0x1.df11f45f4e61ap+2);
  std::vector<double> alternating;
  for (int n = 1; n <= 1000; ++n) alternating.push_back((n % 2 == 0 ? 1.0 : -1.0) / n);
  EXPECT_EQ(sum_of(alternating), -0x1.62a2af1bd3624p-1);
}

TEST(ExactSum, WhatCancelsIsGone) {
  EXPECT_EQ(sum_of({1e16, 1.0, -1e16}), 1.0);
  ExactSum sum;
  for (int i = 0; i < 1000; ++i) sum.add(0.1);
  for (int i = 0; i < 1000; ++i) sum.add(-0.1);
  EXPECT_TRUE(sum.partials().empty());
}

TEST(ExactSum, OfWhatIsNotFiniteIsWhatPlainAdditionGives) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(sum_of({1.0, infinity, 1e-20, 3.0}), infinity);
  EXPECT_EQ(sum_of({-infinity, 1.0, 1e-20}), -infinity);
  EXPECT_TRUE(std::isnan(sum_of({infinity, 1.0, -infinity, 1e-20})));
  EXPECT_TRUE(std::isnan(sum_of({1.0, std::numeric_limits<double>::quiet_NaN(), infinity})));
}

TEST(ExactSum, HalvesAreRoundedToEvenUnlessALowerDigitDecides) {
  constexpr double ulp = 0x1p-52;
  EXPECT_EQ(sum_of({1.0, ulp / 2}), 1.0);
  EXPECT_EQ(sum_of({1.0 + ulp, ulp / 2}), 1.0 + 2 * ulp);
  EXPECT_EQ(sum_of({1.0, ulp / 2, 1e-300}), 1.0 + ulp);
  EXPECT_EQ(sum_of({1.0 + ulp, ulp / 2, -1e-300}), 1.0 + ulp);
  EXPECT_EQ(sum_of({-1.0, -ulp / 2, -1e-300}), -1.0 - ulp);
}

// An integer of 2,240 bits in units of 2^-1100, two's complement: every double is a multiple of
// 2^-1074, and 10^5 of them do not fill it.
class WideInteger {
 public:
  void add(double x) {
    int exponent = 0;
    const double fraction = std::frexp(std::abs(x), &exponent);
    auto mantissa = static_cast<std::uint64_t>(std::ldexp(fraction, 53));
    int place = exponent - 53 + 1100;
    for (; mantissa != 0; mantissa >>= 1, ++place)
      if ((mantissa & 1) != 0) x > 0 ? increment(place) : decrement(place);
  }
  // Rounded to the nearest, ties to even, from the digits alone.
  double value() const {
    WideInteger magnitude = *this;
    const bool is_negative = (words_.back() >> 63) != 0;
    if (is_negative) magnitude.negate();
    int top = static_cast<int>(words_.size()) * 64 - 1;
    while (top >= 0 && !magnitude.bit(top)) --top;
    if (top < 0) return 0;
    std::uint64_t mantissa = 0;
    for (int i = top; i > top - 53; --i) mantissa = mantissa << 1 | (magnitude.bit(i) ? 1 : 0);
    bool is_above_half = false;
    for (int i = top - 54; i >= 0 && !is_above_half; --i) is_above_half = magnitude.bit(i);
    if (magnitude.bit(top - 53) && (is_above_half || (mantissa & 1) != 0)) ++mantissa;
    const double value = std::ldexp(static_cast<double>(mantissa), top - 52 - 1100);
    return is_negative ? -value : value;
  }

 private:
  bool bit(int i) const {
    return i >= 0 && (words_[static_cast<std::size_t>(i) / 64] >> (i % 64) & 1) != 0;
  }
  void increment(int place) {
    auto i = static_cast<std::size_t>(place) / 64;
    const std::uint64_t unit = std::uint64_t{1} << (place % 64);
    words_[i] += unit;
    for (bool carry = words_[i] < unit; carry && ++i < words_.size();) carry = ++words_[i] == 0;
  }
  void decrement(int place) {
    auto i = static_cast<std::size_t>(place) / 64;
    const std::uint64_t unit = std::uint64_t{1} << (place % 64);
    bool borrow = words_[i] < unit;
    words_[i] -= unit;
    while (borrow && ++i < words_.size()) borrow = words_[i]-- == 0;
  }
  void negate() {
    for (auto& word : words_) word = ~word;
    increment(0);
  }

  std::array<std::uint64_t, 35> words_{};
};

// Values of every scale that normal doubles and their sums have, with much cancellation.
std::vector<double> wild_values(std::size_t n, int n_exponents, std::mt19937_64& engine) {
  std::vector<double> values;
  while (values.size() < n) {
    const auto exponent =
        static_cast<int>(engine() % static_cast<unsigned>(n_exponents)) - n_exponents / 2;
    const double x = std::ldexp(static_cast<double>(engine() >> 11) * 0x1p-53, exponent);
    values.push_back(engine() % 2 == 0 ? x : -x);
    if (engine() % 8 == 0) values.push_back(-values[engine() % values.size()]);
  }
  values.resize(n);
  return values;
}

TEST(ExactSum, IsTheSumInWideIntegersRoundedOnce) {
  std::mt19937_64 engine(3);
  for (const int n_exponents : {1, 10, 60, 200, 1900})
    for (const std::size_t n : {1u, 2u, 3u, 10u, 100u, 3000u})
      for (int repeat = 0; repeat < (n < 1000 ? 50 : 1); ++repeat) {
        const auto values = wild_values(n, n_exponents, engine);
        WideInteger reference;
        for (const double x : values) reference.add(x);
        ASSERT_EQ(sum_of(values), reference.value()) << n << " of " << n_exponents;
      }
  const auto many = wild_values(100'000, 120, engine);
  WideInteger reference;
  for (const double x : many) reference.add(x);
  EXPECT_EQ(sum_of(many), reference.value());
}

TEST(ExactSum, HasTheSameBitsInEveryOrderAndNesting) {
  std::mt19937_64 engine(4);
  auto values = wild_values(300, 150, engine);
  const double expected = sum_of(values);
  for (int repeat = 0; repeat < 200; ++repeat) {
    std::shuffle(values.begin(), values.end(), engine);
    std::vector<ExactSum> sums;
    for (std::size_t from = 0; from < values.size();) {
      const std::size_t to = std::min(values.size(), from + 1 + engine() % 40);
      sums.emplace_back(std::span(values).subspan(from, to - from));
      from = to;
    }
    while (sums.size() > 1) {
      const ExactSum taken = sums.back();
      sums.pop_back();
      ExactSum& into = sums[engine() % sums.size()];
      into.merge(taken);
      if (engine() % 3 == 0) into = ExactSum(into.partials());
    }
    ASSERT_EQ(std::bit_cast<std::uint64_t>(sums.front().value()),
              std::bit_cast<std::uint64_t>(expected));
  }
}

}  // namespace
