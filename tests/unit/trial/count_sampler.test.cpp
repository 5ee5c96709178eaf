// Counts drawn from a law, against enumerations of that law.
//
// Chi-square tests with 1e-4 false alarms each, fixed seeds. A cell's probability wrong by 0.5 points
// in one arm of n patients has noncentrality 1e6 n 0.005^2 (1 / p + 1 / q) or more: at least 800 of 500
// cells at the smallest (8 patients), 3400 of 500 at 33, 4400 of 1500 at the nested counts; each is
// noticed with probability above 0.999.
#include "trial/count_sampler.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <map>
#include <numeric>

namespace trialwright::trial {
namespace {

using Counts = std::vector<std::int32_t>;

constexpr double k_false_alarm_rate = 1e-4;
constexpr rng::Key k_key{20261123, 4};

std::map<Counts, double> drawn(const CountLaw& law, std::uint64_t n_trials,
                               const std::vector<std::size_t>& columns) {
  const auto sampler = CountSampler::compile(law);
  EXPECT_TRUE(sampler.has_value());
  CountSampler::Scratch scratch;
  base::Columns<std::int32_t> counts(1024, law.n_columns);
  std::map<Counts, double> result;
  for (std::uint64_t trial = 0; trial < n_trials; trial += 1024) {
    sampler->draw(k_key, trial, 1024, scratch, counts);
    for (std::size_t i = 0; i < 1024; ++i) {
      Counts row;
      for (const std::size_t column : columns) row.push_back(counts[column][i]);
      result[row] += 1;
    }
  }
  return result;
}

// Pearson's test with the cells whose expectation is below 10 put together.
double p_value(const std::map<Counts, double>& observed, const std::map<Counts, double>& law) {
  double n = 0;
  for (const auto& [counts, number] : observed) {
    n += number;
    EXPECT_TRUE(law.contains(counts)) << "an impossible count";
  }
  double statistic = 0, few_observed = 0, few_expected = 0, n_cells = 0;
  const auto add = [&](double seen, double expected) {
    statistic += (seen - expected) * (seen - expected) / expected;
    ++n_cells;
  };
  for (const auto& [counts, probability] : law) {
    const auto found = observed.find(counts);
    const double seen = found == observed.end() ? 0 : found->second;
    if (n * probability >= 10) {
      add(seen, n * probability);
    } else {
      few_observed += seen;
      few_expected += n * probability;
    }
  }
  if (few_expected > 1) add(few_observed, few_expected);
  return boost::math::cdf(
      boost::math::complement(boost::math::chi_squared_distribution<double>(n_cells - 1), statistic));
}

double binomial(int n, double p, int x) {
  return boost::math::pdf(boost::math::binomial_distribution<double>(n, p), x);
}

// Events and patients of each arm.
CountLaw responders(const std::vector<int>& sizes, const std::vector<double>& rates) {
  CountLaw law;
  law.n_columns = 2 * sizes.size();
  auto& stage = law.stages.emplace_back();
  for (std::size_t a = 0; a < sizes.size(); ++a)
    stage.arms.push_back({sizes[a], {{rates[a], {2 * a, 2 * a + 1}}, {1 - rates[a], {2 * a + 1}}}});
  return law;
}

TEST(CountSampler, TwoArmsAreIndependentBinomials) {
  const auto observed = drawn(responders({33, 34}, {0.58, 0.32}), 1'000'000, {0, 2});
  std::map<Counts, double> law;
  for (int x = 0; x <= 33; ++x)
    for (int y = 0; y <= 34; ++y) law[{x, y}] = binomial(33, 0.58, x) * binomial(34, 0.32, y);
  EXPECT_GT(p_value(observed, law), k_false_alarm_rate);
}

TEST(CountSampler, PatientsOfFixedArmsAreFixed) {
  const auto sampler = *CountSampler::compile(responders({33, 34, 5}, {0.58, 0, 1}));
  const int expected[][2] = {{-1, -1}, {33, 33}, {0, 0}, {34, 34}, {5, 5}, {5, 5}};
  for (std::size_t column = 1; column < 6; ++column) {
    EXPECT_EQ(sampler.ranges()[column].lowest, expected[column][0]) << column;
    EXPECT_EQ(sampler.ranges()[column].highest, expected[column][1]) << column;
  }
  EXPECT_EQ(sampler.ranges()[0].lowest, 0);
  EXPECT_EQ(sampler.ranges()[0].highest, 33);
  const auto seen = drawn(responders({33, 34, 5}, {0.58, 0, 1}), 2048, {1, 2, 3, 4, 5});
  EXPECT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen.begin()->first, (Counts{33, 0, 34, 5, 5}));
}

// Nested responders with missing values: columns events 50%, events 75%, patients.
TEST(CountSampler, NestedCountsAreMultinomial) {
  CountLaw law;
  law.n_columns = 3;
  const double deep = 0.15, shallow = 0.3, none = 0.45, missing = 0.1;
  auto& stage = law.stages.emplace_back();
  stage.arms.push_back({20, {{deep, {0, 1, 2}}, {shallow, {0, 2}}, {none, {2}}, {missing, {}}}});
  std::map<Counts, double> exact;
  const double log_20 = std::lgamma(21);
  for (int a = 0; a <= 20; ++a)
    for (int b = 0; a + b <= 20; ++b)
      for (int c = 0; a + b + c <= 20; ++c) {
        const int d = 20 - a - b - c;
        exact[{a + b, a, a + b + c}] = std::exp(
            log_20 - std::lgamma(a + 1) - std::lgamma(b + 1) - std::lgamma(c + 1) - std::lgamma(d + 1) +
            a * std::log(deep) + b * std::log(shallow) + c * std::log(none) + d * std::log(missing));
      }
  EXPECT_GT(p_value(drawn(law, 1'000'000, {0, 1, 2}), exact), k_false_alarm_rate);
}

// Arm sizes by a law: first size 9 .. 11.
TEST(CountSampler, RandomArmSizes) {
  auto law = responders({0, 0}, {0.4, 0.7});
  auto& stage = law.stages[0];
  stage.n_patients = 20;
  stage.first_size = {{9, 0.2}, {10, 0.5}, {11, 0.3}};
  std::map<Counts, double> exact;
  for (const auto& size : stage.first_size)
    for (int x = 0; x <= size.n_1; ++x)
      for (int y = 0; y <= 20 - size.n_1; ++y)
        exact[{x, size.n_1, y, 20 - size.n_1}] =
            size.probability * binomial(size.n_1, 0.4, x) * binomial(20 - size.n_1, 0.7, y);
  EXPECT_GT(p_value(drawn(law, 1'000'000, {0, 1, 2, 3}), exact), k_false_alarm_rate);
  const auto ranges = CountSampler::compile(law)->ranges();
  EXPECT_EQ(ranges[1].lowest, 9);
  EXPECT_EQ(ranges[1].highest, 11);
  EXPECT_EQ(ranges[3].lowest, 9);
  EXPECT_EQ(ranges[3].highest, 11);
}

// Three looks after 8 patients an arm each, cumulative counts of the arms: each stage's increments are
// binomial and independent.
CountLaw three_looks(int n_arm) {
  CountLaw law;
  law.n_columns = 12;  // [look][arm]: events, patients
  for (std::size_t look = 0; look < 3; ++look) {
    auto& stage = law.stages.emplace_back();
    for (std::size_t arm = 0; arm < 2; ++arm) {
      CountLaw::Cell event{arm == 0 ? 0.58 : 0.32, {}}, none{arm == 0 ? 0.42 : 0.68, {}};
      for (std::size_t later = look; later < 3; ++later) {
        event.columns.push_back(4 * later + 2 * arm);
        event.columns.push_back(4 * later + 2 * arm + 1);
        none.columns.push_back(4 * later + 2 * arm + 1);
      }
      stage.arms.push_back({n_arm, {event, none}});
    }
  }
  return law;
}

TEST(CountSampler, LooksAddIndependentStages) {
  for (const std::size_t arm : {0u, 1u}) {
    const double p = arm == 0 ? 0.58 : 0.32;
    std::map<Counts, double> exact;
    for (int x = 0; x <= 8; ++x)
      for (int y = 0; y <= 8; ++y)
        for (int z = 0; z <= 8; ++z)
          exact[{x, x + y, x + y + z}] = binomial(8, p, x) * binomial(8, p, y) * binomial(8, p, z);
    EXPECT_GT(p_value(drawn(three_looks(8), 1'000'000, {2 * arm, 4 + 2 * arm, 8 + 2 * arm}), exact),
              k_false_alarm_rate);
  }
  // The arms are independent of each other at the last look.
  std::map<Counts, double> exact;
  for (int x = 0; x <= 24; ++x)
    for (int y = 0; y <= 24; ++y) exact[{x, y}] = binomial(24, 0.58, x) * binomial(24, 0.32, y);
  EXPECT_GT(p_value(drawn(three_looks(8), 1'000'000, {8, 10}), exact), k_false_alarm_rate);
  EXPECT_EQ(drawn(three_looks(50), 1024, {1, 5, 9, 11}).begin()->first, (Counts{50, 100, 150, 150}));
}

// A trial's counts are a function of law, key and trial, whatever the cut and the scratch's past.
TEST(CountSampler, AnyCutGivesTheSameCounts) {
  const auto wide = *CountSampler::compile(three_looks(40));
  const auto narrow = *CountSampler::compile(responders({33, 34}, {0.58, 0.32}));
  CountSampler::Scratch scratch;
  base::Columns<std::int32_t> whole(1024, 12), part(1024, 12);
  const std::uint64_t first = (std::uint64_t{1} << 32) - 300;  // over the carry of the trial's number
  wide.draw(k_key, first, 1024, scratch, whole);
  std::uint64_t at = 0;
  for (const std::size_t n : {1u, 255u, 256u, 257u, 3u, 252u}) {
    narrow.draw(k_key, at, n, scratch, part);
    wide.draw(k_key, first + at, n, scratch, part);
    for (std::size_t column = 0; column < 12; ++column)
      for (std::size_t i = 0; i < n; ++i) ASSERT_EQ(part[column][i], whole[column][at + i]);
    at += n;
  }
  EXPECT_EQ(at, 1024u);
}

// More response never draws fewer responders from the same words.
TEST(CountSampler, SharedWordsStayCoupled) {
  const auto more = *CountSampler::compile(responders({150, 150}, {0.58, 0.32}));
  const auto less = *CountSampler::compile(responders({150, 150}, {0.57, 0.32}));
  CountSampler::Scratch scratch;
  base::Columns<std::int32_t> a(1024, 4), b(1024, 4);
  more.draw(k_key, 0, 1024, scratch, a);
  less.draw(k_key, 0, 1024, scratch, b);
  double difference = 0;
  for (std::size_t i = 0; i < 1024; ++i) {
    ASSERT_GE(a[0][i], b[0][i]);
    ASSERT_EQ(a[2][i], b[2][i]);
    difference += a[0][i] - b[0][i];
  }
  EXPECT_NEAR(difference / 1024, 1.5, 0.1);  // SD of the mean 0.016
}

TEST(CountSampler, RefusesTablesBeyondTheirShare) {
  CountLaw law;
  law.n_columns = 8;
  auto& stage = law.stages.emplace_back();
  for (std::size_t arm = 0; arm < 2; ++arm) {
    CountLaw::Arm cells{1'000'000, {}};
    for (std::size_t cell = 0; cell < 4; ++cell) cells.cells.push_back({0.25, {4 * arm + cell}});
    stage.arms.push_back(cells);
  }
  EXPECT_FALSE(CountSampler::compile(law).has_value());
  EXPECT_LT(CountSampler::compile(responders({5'000'000, 5'000'000}, {0.5, 0.3}))->table_bytes(),
            std::size_t{1} << 20);
}

}  // namespace
}  // namespace trialwright::trial
