#include "shard/cut.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <numeric>
#include <random>

#include "engine/point_engine.hpp"
#include "shard/point_cost.hpp"
#include "support/studies.hpp"

namespace trialwright::shard {
namespace {

using engine::Track;
using engine::TrackShape;
using engine::TrialRange;

constexpr std::uint64_t k_whole = PointShare::k_whole;

// ---- Shares ----

std::vector<std::uint64_t> random_costs(std::mt19937_64& random) {
  std::vector<std::uint64_t> costs(1 + random() % 30);
  for (auto& cost : costs) cost = 1 + (random() >> (1 + random() % 63));
  return costs;
}

TEST(Cut, every_shard_of_one_is_everything) {
  const auto shares = share_of(std::vector<std::uint64_t>{5, 1, 7}, {1, 1});
  ASSERT_EQ(shares.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(shares[i].i_point, i);
    EXPECT_EQ(shares[i].from, 0u);
    EXPECT_EQ(shares[i].to, k_whole);
  }
}

TEST(Cut, points_that_cost_nothing_are_nobodys) {
  for (std::uint32_t i = 1; i <= 3; ++i)
    for (const auto& share : share_of(std::vector<std::uint64_t>{0, 5, 0, 7, 0}, {i, 3}))
      EXPECT_EQ(share.i_point % 2, 1u);
  EXPECT_TRUE(share_of(std::vector<std::uint64_t>{0, 0}, {1, 1}).empty());
}

TEST(Cut, slices_are_equal_and_contiguous) {
  const std::vector<std::uint64_t> costs{30, 10};
  const auto first = share_of(costs, {1, 2}), second = share_of(costs, {2, 2});
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].to, k_whole * 2 / 3);
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[0].from, k_whole * 2 / 3);
  EXPECT_EQ(second[1].i_point, 1u);
  EXPECT_EQ(second[1].to, k_whole);
}

TEST(Cut, all_shares_together_are_everything_once) {
  std::mt19937_64 random(20261123);
  for (int repeat = 0; repeat < 300; ++repeat) {
    const auto costs = random_costs(random);
    const auto n = static_cast<std::uint32_t>(1 + random() % 100);
    std::vector<std::uint64_t> reached(costs.size(), 0);
    for (std::uint32_t i = 1; i <= n; ++i)
      for (const auto& share : share_of(costs, {i, n})) {
        ASSERT_EQ(share.from, reached[share.i_point]);
        ASSERT_LT(share.from, share.to);
        reached[share.i_point] = share.to;
      }
    for (const auto to : reached) ASSERT_EQ(to, k_whole);
  }
}

TEST(Cut, shares_of_an_n_that_divides_another_nest) {
  std::mt19937_64 random(4);
  for (int repeat = 0; repeat < 300; ++repeat) {
    const auto costs = random_costs(random);
    const auto n = static_cast<std::uint32_t>(1 + random() % 20);
    const auto times = static_cast<std::uint32_t>(1 + random() % 5);
    const auto i = static_cast<std::uint32_t>(1 + random() % n);
    std::vector<PointShare> parts;
    for (std::uint32_t k = (i - 1) * times + 1; k <= i * times; ++k)
      for (const auto& share : share_of(costs, {k, n * times}))
        if (!parts.empty() && parts.back().i_point == share.i_point) {
          ASSERT_EQ(parts.back().to, share.from);
          parts.back().to = share.to;
        } else {
          parts.push_back(share);
        }
    const auto one = share_of(costs, {i, n});
    ASSERT_EQ(parts.size(), one.size());
    for (std::size_t k = 0; k < one.size(); ++k) {
      ASSERT_EQ(parts[k].i_point, one[k].i_point);
      ASSERT_EQ(parts[k].from, one[k].from);
      ASSERT_EQ(parts[k].to, one[k].to);
    }
  }
}

TEST(Cut, shares_cost_the_same) {
  std::mt19937_64 random(5);
  std::vector<std::uint64_t> costs(500);
  for (auto& cost : costs) cost = 1'000'000 + random() % 1'000'000'000'000;
  const double whole =
      static_cast<double>(std::accumulate(costs.begin(), costs.end(), std::uint64_t{}));
  for (std::uint32_t i = 1; i <= 40; ++i) {
    double sum = 0;
    for (const auto& share : share_of(costs, {i, 40}))
      sum += static_cast<double>(costs[share.i_point]) * static_cast<double>(share.to - share.from) /
             static_cast<double>(k_whole);
    EXPECT_NEAR(sum / (whole / 40), 1, 1e-6);
  }
}

TEST(Cut, the_largest_costs_and_shards_do_not_overflow) {
  const std::vector<std::uint64_t> costs(1000, ~std::uint64_t{0});
  constexpr std::uint32_t n = 4'000'000'000;
  const auto shares = share_of(costs, {n / 2, n});
  ASSERT_FALSE(shares.empty());
  EXPECT_EQ(shares.back().i_point, 499u);
  EXPECT_EQ(shares.back().to, k_whole);
}

// ---- Ranges ----

TEST(Cut, ranges_of_all_shares_are_every_block_once_in_every_round) {
  std::mt19937_64 random(6);
  for (int repeat = 0; repeat < 300; ++repeat) {
    const auto costs = random_costs(random);
    const auto n = static_cast<std::uint32_t>(1 + random() % 60);
    const TrackShape shape{1 + random() % 5000, std::uint64_t{1} << random() % 8};
    const std::uint64_t round = shape.block_trials * (1 + random() % 20);
    const std::uint64_t from = random() % (shape.n_trials / round + 1) * round;
    const TrialRange wanted{from, std::min(shape.n_trials, from + round)};
    std::vector<std::uint64_t> reached(costs.size(), from);
    std::vector<int> n_calendars(costs.size(), 0);
    for (std::uint32_t i = 1; i <= n; ++i)
      for (const auto& share : share_of(costs, {i, n})) {
        const auto range = range_of(share, Track::trials, shape, wanted);
        ASSERT_EQ(range.from, reached[share.i_point]);
        ASSERT_LE(range.from, range.to);
        ASSERT_TRUE(range.to == wanted.to || (range.to - from) % shape.block_trials == 0);
        reached[share.i_point] = range.to;
        const auto calendars = range_of(share, Track::calendars, {384, 128}, {0, 384});
        if (!calendars.empty()) {
          ASSERT_EQ(calendars, (TrialRange{0, 384}));
          ++n_calendars[share.i_point];
        }
      }
    for (std::size_t i = 0; i < costs.size(); ++i) {
      ASSERT_EQ(reached[i], wanted.to);
      ASSERT_EQ(n_calendars[i], 1);
    }
  }
}

TEST(Cut, more_shards_than_blocks_leave_some_without_any) {
  int n_with_work = 0;
  for (std::uint32_t i = 1; i <= 10; ++i)
    for (const auto& share : share_of(std::vector<std::uint64_t>{1}, {i, 10}))
      n_with_work += !range_of(share, Track::trials, {250, 100}, {0, 250}).empty();
  EXPECT_EQ(n_with_work, 3);
}

// ---- Estimated costs ----

// 2,400 points: a design, two truths, five axes.
scenario::Study grid() {
  return support::study(
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 300, primary: "
      "easi50_superiority}}\n"
      "scenarios: {null: {effect: 0}, reported: {effect: 1}}\n"
      "sweep:\n"
      "  designs.fixed.patients: [100, 150, 200, 300, 400]\n"
      "  intercurrent_events.rescue.log_odds_per_2_weeks: [-4, -3.5, -3, -2.73, -2.5, -2]\n"
      "  intercurrent_events.dropout.rate_per_week: [0, 0.003, 0.0058, 0.01]\n"
      "  recruitment.screen_failure: [0.1, 0.15, 0.22, 0.3, 0.4]\n"
      "  estimands.easi50.rescue: [treatment_policy, composite]\n"
      "simulation: {trials: 100000}\n",
      "library/hcmsc_rescue.yaml");
}

double planned(scenario::Study& study, const scenario::PointSpec& point) {
  const auto plan = study.plan(point);
  const auto engine = engine::engine_of(study, *plan);
  const auto& simulation = study.spec().simulation;
  const auto cost = cost_of(*plan, engine.counts.get(), simulation, simulation.trials);
  return cost.by_counts.value_or(cost.by_patients);
}

// The largest factor that an estimate is off by, in a sample of points.
double largest_error(scenario::Study study, std::size_t every) {
  const auto points = study.points();
  const auto costs = estimated_costs(study, points, study.spec().simulation.trials);
  double largest = 0;
  for (std::size_t i = 0; i < points.size(); i += every)
    largest = std::max(largest,
                       std::abs(std::log(static_cast<double>(costs[i]) / planned(study, points[i]))));
  return std::exp(largest);
}

TEST(Cut, costs_of_a_grid_are_those_of_its_plans) {
  EXPECT_LT(largest_error(grid(), 67), 1.1);
}

TEST(Cut, costs_of_a_grid_take_a_fraction_of_its_planning) {
  const auto study = grid();
  const auto points = study.points();
  ASSERT_EQ(points.size(), 2400u);
  const auto start = std::chrono::steady_clock::now();
  const auto costs = estimated_costs(study, points, 100000);
  // Planning all of them takes some 5 s.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(1500));
  EXPECT_EQ(estimated_costs(study, points, 100000), costs);
}

TEST(Cut, costs_follow_the_engine_that_settings_bring_together) {
  // Counts are drawn where both site effects are off.
  const auto study = support::study(support::sections(200) +
                                    "measures: {easi: {site_effects: {intercept_sd: 0}}}\n"
                                    "sweep:\n"
                                    "  designs.fixed.patients: [100, 400]\n"
                                    "  measures.easi.site_effects.intercept_sd: [0, 0.1, 0.3]\n"
                                    "  measures.easi.site_effects.effect_sd: [0, 0.1]\n"
                                    "simulation: {trials: 1000000}\n");
  EXPECT_LT(largest_error(study, 1), 1.1);
}

TEST(Cut, costs_of_a_long_axis_are_interpolated) {
  const auto study = support::study(support::sections(200) +
                                    "sweep: {designs.fixed.patients: {from: 20, to: 2000, step: 20}}\n"
                                    "simulation: {trials: 10000, engine: patients}\n");
  EXPECT_LT(largest_error(study, 1), 1.1);
}

TEST(Cut, costs_grow_with_trials_patients_and_unconditional_tests) {
  const auto cost = [](const std::string& sections, std::uint64_t n_trials) {
    const auto study = support::study(sections);
    return static_cast<double>(estimated_costs(study, study.points(), n_trials).front());
  };
  const auto patients = [](int n) { return support::sections(n) + "simulation: {engine: patients}\n"; };
  EXPECT_NEAR(cost(patients(300), 2'000'000) / cost(patients(300), 1'000'000), 2, 0.01);
  EXPECT_NEAR(cost(patients(600), 1'000'000) / cost(patients(300), 1'000'000), 2, 0.05);
  EXPECT_GT(cost(patients(300), 1'000'000), 100 * cost(support::sections(300), 1'000'000));
  EXPECT_GT(cost(support::sections(300) + "analyses: {easi50_superiority: {method: boschloo}}\n", 1000),
            3 * cost(support::sections(300), 1000));
}

}  // namespace
}  // namespace trialwright::shard
