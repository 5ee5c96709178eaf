// The look-ups of baseline covariates: exact counts for every normal, the same bits on every
// instruction set.
#include "patient/marginal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "math/normal.hpp"
#include "patient/population.hpp"
#include "rng/batch.hpp"
#include "support/vector_targets.hpp"

namespace trialwright::patient {
namespace {

constexpr float k_infinity = std::numeric_limits<float>::infinity();

// Each bound, its neighbours in single precision, and normals in between and beyond.
std::vector<float> probes_of(const std::vector<float>& bounds) {
  std::vector<float> probes{-20, -7, 0, 7, 20};
  std::mt19937 random(1);
  for (const float bound : bounds)
    for (const float z : {bound, std::nextafter(bound, -k_infinity), std::nextafter(bound, k_infinity)})
      probes.push_back(z);
  for (int i = 0; i < 1000; ++i)
    probes.push_back(rng::normal_of_word(static_cast<std::uint32_t>(random())));
  return probes;
}

TEST(IntervalTable, CountsTheBoundsBelowExactly) {
  std::mt19937 random(2);
  for (const int n_bounds : {0, 1, 5, 90, 561, 4000}) {
    std::vector<float> bounds;
    for (int i = 0; i < n_bounds; ++i)
      bounds.push_back(rng::normal_of_word(static_cast<std::uint32_t>((i + 0.5) / n_bounds * 0x1p32)));
    bounds.push_back(k_infinity);
    const IntervalTable table(bounds);
    ASSERT_FALSE(table.empty());
    const auto probes = probes_of({bounds.begin(), bounds.end() - 1});
    std::vector<double> points(bounds.size());
    for (std::size_t i = 0; i < points.size(); ++i) points[i] = static_cast<double>(i) / 8;
    for (const std::size_t n : {std::size_t{1}, std::size_t{15}, probes.size()})
      test::for_each_target([&] {
        std::vector<std::int32_t> ranks(n);
        std::vector<double> values(n);
        table.find_all({probes.data(), n}, points, ranks, values);
        for (std::size_t i = 0; i < n; ++i) {
          const auto below = std::count_if(bounds.begin(), bounds.end(),
                                           [&](float bound) { return bound < probes[i]; });
          ASSERT_EQ(ranks[i], below) << probes[i];
          ASSERT_EQ(table.find(probes[i]), below);
          ASSERT_EQ(values[i], points[static_cast<std::size_t>(below)]);
        }
      });
  }
}

TEST(IntervalTable, StaysEmptyWhereBoundsLieTooClose) {
  std::vector<float> bounds;
  for (int i = 0; i < 6; ++i) bounds.push_back(1 + static_cast<float>(i) * 1e-6f);
  EXPECT_TRUE(IntervalTable(bounds).empty());
}

// A grid so fine in one place that no table holds it: the search does as the definition says.
TEST(Marginal, IsTheSameWithoutATable) {
  const Marginal dense({Distribution::normal, 0, 1e5, 1, -2000, 2000, Outside::cap, 1});
  const Marginal spike({Distribution::shifted_gamma, 0, 1, 0.05, -INFINITY, 8, Outside::cap, 0.002});
  for (const auto* marginal : {&dense, &spike}) {
    ASSERT_TRUE(marginal->tabulated());
    const auto weights = marginal->probabilities();
    double below = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double middle = below + weights[i] / 2;
      below += weights[i];
      if (weights[i] < 1e-9 || middle >= 1) continue;
      EXPECT_EQ(marginal->value(static_cast<float>(math::normal_quantile(middle))),
                marginal->points()[i]);
    }
  }
}

// The law of the values over words that cut (0, 1) evenly: no probability is off by 1e-6.
TEST(Marginal, SinglePrecisionKeepsTheProbabilities) {
  const Marginal easi({Distribution::shifted_gamma, 16, 10.6, 1.18, -INFINITY, 72, Outside::cap, 0.1});
  const auto weights = easi.probabilities();
  double below = 0;
  for (std::size_t i = 0; i + 1 < weights.size(); ++i) {
    below += weights[i];
    // The words below which the value is at most points()[i]: a search by halves of the monotone map.
    std::uint64_t low = 0, high = std::uint64_t{1} << 32;
    while (low < high) {
      const std::uint64_t middle = (low + high) / 2;
      const float z = rng::normal_of_word(static_cast<std::uint32_t>(middle));
      (easi.value(z) > easi.points()[i] ? high : low) =
          easi.value(z) > easi.points()[i] ? middle : middle + 1;
    }
    ASSERT_NEAR(static_cast<double>(low) * 0x1p-32, below, 2.5e-7) << easi.points()[i];
  }
}

TEST(FindOutside, TellsWhoLiesOutsideAnyRange) {
  std::mt19937 random(4);
  std::vector<double> x(301), y(301);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<double>(random() % 20);
    y[i] = i == 50 ? std::nan("") : static_cast<double>(random() % 20);
  }
  const std::vector<Range> ranges{{x.data(), 1, 19}, {y.data(), -INFINITY, 18}};
  for (const std::size_t n_ranges : {0, 1, 2})
    for (const std::size_t n : {0, 1, 7, 8, 9, 301})
      test::for_each_target([&] {
        std::vector<std::uint32_t> found(n + 1), expected;
        for (std::size_t i = 0; i < n; ++i)
          if ((n_ranges > 0 && x[i] < 1) || (n_ranges > 1 && !(y[i] <= 18)))
            expected.push_back(static_cast<std::uint32_t>(i));
        found.resize(find_outside({ranges.data(), n_ranges}, n, found.data()));
        ASSERT_EQ(found, expected);
      });
}

TEST(GradeTable, GivesEachGradeItsProbability) {
  const Grading grading{0, 0.5, 0.35, {0.8, 3.7, 9.5, 30.5, 60}};
  const std::vector<double> x{0, 2.5, 16, 20, 29.9, 72};
  GradeTable table(x.size(), 5);
  for (std::size_t point = 0; point < x.size(); ++point)
    for (std::size_t grade = 0; grade < 5; ++grade)
      table.set(point, grade, grading.probability(x[point], 1.0 + static_cast<double>(grade), 5));
  std::mt19937 random(3);
  std::vector<std::int32_t> points;
  std::vector<std::uint32_t> words;
  for (int i = 0; i < 3000; ++i) {
    points.push_back(i % 6);
    words.push_back(i < 12 ? (i < 6 ? 0 : 0xFFFFFFFF) : static_cast<std::uint32_t>(random()));
  }
  test::for_each_target([&] {
    std::vector<double> grades(points.size());
    table.find_all(points, words, grades);
    int n_differ = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      ASSERT_EQ(grades[i], table.find(points[i], words[i]));
      // Noise by the word itself: apart from rounding at a threshold the same grade.
      n_differ += grades[i] != grading.grade_of_word(x[static_cast<std::size_t>(points[i])], words[i]);
    }
    EXPECT_LE(n_differ, 0);
  });
  GradeTable sure(1, 2);
  sure.set(0, 0, 1);
  sure.set(0, 1, 0);
  for (const std::uint32_t word : {0u, 0xFFFFFFFFu}) EXPECT_EQ(sure.find(0, word), 1);
}

}  // namespace
}  // namespace trialwright::patient
