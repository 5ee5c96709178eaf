#include "engine/precision.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/metrics.hpp"
#include "stats/binomial_interval.hpp"

namespace trialwright::engine {
namespace {

using scenario::PrecisionTarget;
using scenario::SimulationSpec;

constexpr double k_z = 1.959963984540054;

PrecisionTarget target(std::string metric, std::optional<double> mcse,
                       std::optional<double> half_width = {}, std::string hypothesis = {}) {
  return {std::move(metric), std::move(hypothesis), mcse, half_width, 10000};
}

Metric proportion(std::string name, std::string hypothesis, std::uint64_t n_events, std::uint64_t n) {
  const auto interval = stats::wilson_interval(n_events, n, k_level);
  const double p = static_cast<double>(n_events) / static_cast<double>(n);
  return {std::move(name), std::move(hypothesis), {}, {}, {}, p, stats::mcse_of_proportion(n_events, n),
          interval.lower,  interval.upper,        n};
}

Metric mean(std::string name, std::string hypothesis, double value, double mcse, std::uint64_t n,
            std::string arm = {}) {
  return {std::move(name),    std::move(hypothesis), {}, {}, std::move(arm), value, mcse,
          value - k_z * mcse, value + k_z * mcse,    n};
}

Point point(std::vector<Metric> metrics) {
  Point made;
  made.metrics = std::move(metrics);
  return made;
}

TEST(Rounds, AreOfWholeBlocksAndEndWithTheTrials) {
  SimulationSpec simulation;
  simulation.precision = target("power", 0.01);
  simulation.precision->round_trials = 1000;
  const Rounds rounds(simulation, {10'000, 256});
  EXPECT_EQ(rounds.round_trials(), 1024u);
  ASSERT_EQ(rounds.n_rounds(), 10u);
  EXPECT_EQ(rounds.round(0), (TrialRange{0, 1024}));
  EXPECT_EQ(rounds.round(8), (TrialRange{8192, 9216}));
  EXPECT_EQ(rounds.round(9), (TrialRange{9216, 10'000}));
}

TEST(Rounds, AreOneWithoutATargetAndWhereABlockHoldsAllTrials) {
  SimulationSpec simulation;
  const Rounds without(simulation, {10'000, 256});
  EXPECT_EQ(without.n_rounds(), 1u);
  EXPECT_EQ(without.round(0), (TrialRange{0, 10'000}));
  simulation.precision = target("power", 0.01);
  const Rounds one(simulation, {10'000, 65536});
  EXPECT_EQ(one.n_rounds(), 1u);
  EXPECT_EQ(one.round(0), (TrialRange{0, 10'000}));
}

// A round never depends on how many trials there may be at most: more of them go on from it.
TEST(Rounds, AreTheSameWhateverTheMost) {
  SimulationSpec simulation;
  simulation.precision = target("power", 0.01);
  const Rounds few(simulation, {25'000, 4096}), many(simulation, {1'000'000'000, 4096});
  for (std::uint64_t i = 0; i + 1 < few.n_rounds(); ++i) EXPECT_EQ(few.round(i), many.round(i));
}

TEST(IsPrecise, AProportionIsJudgedByItsWilsonInterval) {
  // Half of 10,000: sqrt(0.25 / 10000) = 0.005 by Wald, z / (2 sqrt(n + z^2)) / z by Wilson.
  const double mcse = 0.5 / std::sqrt(10'000 + k_z * k_z);
  const Point half = point({proportion("power", "primary", 5000, 10'000)});
  EXPECT_TRUE(is_precise(half, target("power", mcse * (1 + 1e-12))));
  EXPECT_FALSE(is_precise(half, target("power", mcse * (1 - 1e-12))));
  EXPECT_TRUE(is_precise(half, target("power", {}, k_z * mcse * (1 + 1e-12))));
  EXPECT_FALSE(is_precise(half, target("power", {}, k_z * mcse * (1 - 1e-12))));
}

// None of n: Wilson's interval is [0, z^2 / (n + z^2)] (Wilson 1927), so that an MCSE of 0 is believed
// at no number of trials.
TEST(IsPrecise, NoneSeenIsNoCertainty) {
  for (const std::uint64_t n_events : {0, 1000}) {
    const Point seen = point({proportion("power", "primary", n_events, 1000)});
    ASSERT_EQ(seen.metrics.front().mcse, 0);
    const double half_width = 0.5 * k_z * k_z / (1000 + k_z * k_z);
    EXPECT_TRUE(is_precise(seen, target("power", {}, half_width * (1 + 1e-9))));
    EXPECT_FALSE(is_precise(seen, target("power", {}, half_width * (1 - 1e-9))));
    EXPECT_FALSE(is_precise(seen, target("power", 0.0009)));
    EXPECT_TRUE(is_precise(seen, target("power", 0.001)));
  }
  const Point rare =
      point({proportion("power", "primary", 0, 1000), mean("ae_rate", "primary", 0, 0, 1000, "placebo"),
             mean("ae_rate", "primary", 0.01, 1e-9, 1000, "active")});
  EXPECT_FALSE(is_precise(rare, target("ae_rate", 0.0009)));
  EXPECT_TRUE(is_precise(rare, target("ae_rate", 0.001)));
}

TEST(IsPrecise, OnlyWhenEveryArmIs) {
  const Point two = point({proportion("power", "primary", 500, 1000),
                           mean("event_rate", "primary", 0.3, 0.001, 1000, "placebo"),
                           mean("event_rate", "primary", 0.5, 0.002, 1000, "active"),
                           mean("event_rate", "secondary", 0.5, 0.9, 1000, "active")});
  EXPECT_FALSE(is_precise(two, target("event_rate", 0.0015)));
  EXPECT_TRUE(is_precise(two, target("event_rate", 0.002)));
  EXPECT_TRUE(is_precise(two, target("event_rate", {}, 0.00393)));
  EXPECT_FALSE(is_precise(two, target("event_rate", {}, 0.00391)));
}

TEST(IsPrecise, JudgesTheHypothesisAskedForOrThePrimary) {
  const Point two = point(
      {proportion("power", "primary", 9990, 10'000), proportion("power", "secondary", 5000, 10'000)});
  EXPECT_TRUE(is_precise(two, target("power", 0.001)));
  EXPECT_TRUE(is_precise(two, target("power", 0.001, {}, "primary")));
  EXPECT_FALSE(is_precise(two, target("power", 0.001, {}, "secondary")));
}

TEST(IsPrecise, PowerIsAssuranceWhereTheTruthIsDrawn) {
  const Point drawn = point({proportion("assurance", "primary", 5000, 10'000)});
  EXPECT_TRUE(is_precise(drawn, target("power", 0.005)));
  EXPECT_FALSE(is_precise(drawn, target("power", 0.004)));
}

TEST(IsPrecise, WhatIsUndefinedIsNotAndWhatIsCalculatedIs) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const auto bias = [](double value, double mcse, std::uint64_t n) {
    return point({proportion("power", "primary", 500, 1000), mean("bias", "primary", value, mcse, n)});
  };
  EXPECT_TRUE(is_precise(bias(0.01, 0.001, 1000), target("bias", 0.4)));
  EXPECT_FALSE(is_precise(bias(nan, 0.001, 1000), target("bias", 0.4)));
  EXPECT_FALSE(is_precise(bias(0.01, nan, 1000), target("bias", 0.4)));
  EXPECT_FALSE(is_precise(bias(0.01, infinity, 1000), target("bias", 0.4)));
  EXPECT_FALSE(is_precise(bias(0.01, 0, 1000), target("bias", 0.4))) << "no spread between trials";
  EXPECT_TRUE(is_precise(bias(0.01, 0, 0), target("bias", 0.4))) << "calculated";
  EXPECT_FALSE(is_precise(bias(0.01, 0.001, 1000), target("rmse", 0.4))) << "absent";
  EXPECT_FALSE(is_precise(point({}), target("power", 0.4))) << "no trial yet";
}

// The number of trials that a proportion needs at worst is the first at which no count of events leaves
// the interval too wide.
TEST(TrialsAtWorst, AreEnoughWhateverIsSeenAndFewerAreNot) {
  for (const double mcse : {0.1, 0.03, 0.01, 0.004}) {
    const auto wanted = target("power", mcse);
    const auto n = static_cast<std::uint64_t>(*trials_at_worst(wanted));
    for (std::uint64_t n_events = 0; n_events <= n; ++n_events)
      ASSERT_TRUE(is_precise(point({proportion("power", "primary", n_events, n)}), wanted))
          << n_events << " of " << n;
    // An odd number has no half.
    const std::uint64_t fewer = (n - 1) / 2 * 2;
    EXPECT_FALSE(is_precise(point({proportion("power", "primary", fewer / 2, fewer)}), wanted))
        << fewer << " of " << n;
  }
  EXPECT_EQ(trials_at_worst(target("power", 0.005)), 9997);  // 10,000 less z^2 = 3.84
  EXPECT_EQ(trials_at_worst(target("coverage", {}, 0.005)), 38411);
  EXPECT_EQ(trials_at_worst(target("bias", 0.005)), std::nullopt);
}

}  // namespace
}  // namespace trialwright::engine
