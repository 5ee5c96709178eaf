// Sums of trials with looks, and what they become as metrics.
#include "engine/staged_accumulator.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "engine/metrics.hpp"
#include "support/threshold_design.hpp"
#include "unit/engine/states.hpp"

namespace trialwright::engine {
namespace {

constexpr double k_never = -std::numeric_limits<double>::infinity();

std::shared_ptr<const trial::TrialPlan> two_looks(const char* scenario = "{effect: 1}") {
  return support::staged_plan(support::sections(200, scenario, ", secondary: [easi75_superiority]"),
                              std::make_shared<support::ThresholdDesign>(200, std::vector{2.8, 1.98},
                                                                         std::vector{0.0, k_never}),
                              {100});
}

trial::StagedOutcome ended(int n_looks, design::StopReason stop, int n_enrolled, int n_analysed,
                           double months) {
  trial::StagedOutcome outcome;
  outcome.n_looks = n_looks;
  outcome.stop = stop;
  outcome.rejected = stop == design::StopReason::efficacy ? 1 : 0;
  outcome.state.n_looks = n_looks;
  outcome.state.rejected = outcome.rejected;
  outcome.n_enrolled = n_enrolled;
  outcome.n_known = outcome.n_analysed = n_analysed;
  outcome.has_calendar = true;
  outcome.decision_months = months;
  for (int i = 0; i < n_looks; ++i) outcome.state.open_at[static_cast<std::size_t>(i)] = 1;
  return outcome;
}

const Metric& find(const std::vector<Metric>& metrics, const std::string& name, int look = 0,
                   const std::string& reason = "") {
  const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const Metric& metric) {
    return metric.metric == name && metric.look.value_or(0) == look && metric.reason == reason;
  });
  EXPECT_NE(found, metrics.end()) << name << ' ' << look << ' ' << reason;
  static const Metric k_none{};
  return found == metrics.end() ? k_none : *found;
}

// Four trials whose every number is known by hand.
TEST(StagedMetrics, SayWhatFourTrialsCameTo) {
  const auto plan = two_looks();
  const TrueValues truths(plan->analyses.size(), 0.2);
  PointAccumulator sum(*plan, truths);
  sum.n_trials = 4;
  using enum design::StopReason;
  auto& staged = sum.staged;
  for (const auto& outcome :
       {ended(1, efficacy, 130, 100, 10.0), ended(1, futility, 140, 100, 11.0),
        ended(2, efficacy, 200, 200, 20.0), ended(2, completed, 200, 199, 22.0)}) {
    staged.add(outcome);
    staged.add_calendar(outcome);
  }
  const auto metrics =
      metrics_of(*plan, {TrueValue{0.2, 0}, TrueValue{0.2, 0}}, {std::nullopt, std::nullopt}, sum);
  EXPECT_EQ(find(metrics, "power").estimate, 0.5);
  EXPECT_EQ(find(metrics, "naive_power").estimate, 0.0);
  EXPECT_EQ(find(metrics, "stop_probability", 1, "efficacy").estimate, 0.25);
  EXPECT_EQ(find(metrics, "stop_probability", 1, "futility").estimate, 0.25);
  EXPECT_EQ(find(metrics, "stop_probability", 2, "efficacy").estimate, 0.25);
  EXPECT_EQ(find(metrics, "stop_probability", 2, "completed").estimate, 0.25);
  EXPECT_EQ(find(metrics, "p_stop_harm").estimate, 0.0);
  EXPECT_EQ(find(metrics, "expected_patients").estimate, 167.5);
  EXPECT_NEAR(find(metrics, "expected_patients").mcse, std::sqrt(4275.0 / 3 / 4), 1e-12);
  EXPECT_EQ(find(metrics, "patients_quantile", 0, "0.9").estimate, 200);
  EXPECT_EQ(find(metrics, "expected_patients_analysed").estimate, 149.75);
  EXPECT_EQ(find(metrics, "overrun_patients").estimate, 17.75);
  EXPECT_EQ(find(metrics, "duration_months").estimate, 15.75);
  EXPECT_EQ(find(metrics, "duration_quantile", 0, "0.9").estimate, 22.0);
  EXPECT_EQ(std::count_if(metrics.begin(), metrics.end(),
                          [](const Metric& m) { return m.metric == "familywise_error"; }),
            0);
}

TEST(StagedMetrics, OverrunIsWhomTheDecisionDidNotKnowAnalysedOrNot) {
  const auto plan = two_looks();
  PointAccumulator sum(*plan, TrueValues(plan->analyses.size(), 0.2));
  sum.n_trials = 2;
  auto& staged = sum.staged;
  for (auto outcome : {ended(1, design::StopReason::efficacy, 130, 100, 10.0),
                       ended(2, design::StopReason::completed, 200, 200, 20.0)}) {
    outcome.n_analysed = outcome.n_enrolled;
    staged.add(outcome);
    staged.add_calendar(outcome);
  }
  const auto metrics =
      metrics_of(*plan, {TrueValue{0.2, 0}, TrueValue{0.2, 0}}, {std::nullopt, std::nullopt}, sum);
  EXPECT_EQ(find(metrics, "expected_patients").estimate, 165);
  EXPECT_EQ(find(metrics, "expected_patients_analysed").estimate, 165);
  EXPECT_EQ(find(metrics, "overrun_patients").estimate, 15);
}

TEST(StagedMetrics, CallARejectionUnderTheNullAnError) {
  const auto plan = two_looks("{effect: 0}");
  const TrueValues truths(plan->analyses.size(), 0.0);
  PointAccumulator sum(*plan, truths);
  sum.n_trials = 10;
  sum.staged.add(ended(1, design::StopReason::efficacy, 130, 100, 10.0));
  auto naive = ended(2, design::StopReason::completed, 200, 200, 20.0);
  naive.naive_rejected = 1;
  sum.staged.add(naive, 9);
  const auto metrics = metrics_of(*plan, {TrueValue{}, TrueValue{}}, {std::nullopt, std::nullopt}, sum);
  EXPECT_EQ(find(metrics, "familywise_error").estimate, 0.1);
  EXPECT_EQ(find(metrics, "naive_familywise_error").estimate, 0.9);
}

// Where few of the trials have a calendar, the sizes of the rest count in the mean.
TEST(StagedMetrics, ExpectedPatientsAreTheAnalysedAndTheOverrun) {
  const auto plan = two_looks();
  const TrueValues truths(plan->analyses.size(), 0.2);
  PointAccumulator sum(*plan, truths);
  std::mt19937_64 engine(7);
  double all = 0, some = 0;
  constexpr int k_trials = 20'000, k_calendars = 500;
  for (int i = 0; i < k_trials; ++i) {
    const bool is_early = engine() % 3 == 0;
    const int overrun = is_early ? 20 + static_cast<int>(engine() % 21) : 0;
    const auto outcome =
        ended(is_early ? 1 : 2, is_early ? design::StopReason::efficacy : design::StopReason::completed,
              (is_early ? 100 : 200) + overrun, is_early ? 100 : 200, 12);
    sum.staged.add(outcome);
    all += outcome.n_analysed;
    if (i >= k_calendars) continue;
    sum.staged.add_calendar(outcome);
    some += overrun;
  }
  sum.n_trials = k_trials;
  const auto metrics =
      metrics_of(*plan, {TrueValue{0.2, 0}, TrueValue{0.2, 0}}, {std::nullopt, std::nullopt}, sum);
  const auto& size = find(metrics, "expected_patients");
  EXPECT_NEAR(size.estimate, all / k_trials + some / k_calendars, 1e-9);
  // Of size: 100 B below 200, over-run 30 B with B early, of probability 1/3; all but 1% of the second.
  const double analysed = 1e4 * 2 / 9 / k_trials;
  const double overrun = (1.0 / 3 * 36.7 + 2.0 / 9 * 900) / k_calendars;
  const double both = -100 * 30 * 2.0 / 9 / k_trials;
  EXPECT_NEAR(size.mcse, std::sqrt(analysed + overrun + 2 * both), 0.06 * size.mcse);
  EXPECT_EQ(size.n_trials, static_cast<std::uint64_t>(k_trials));
  EXPECT_EQ(find(metrics, "overrun_patients").n_trials, static_cast<std::uint64_t>(k_calendars));
}

TEST(StagedMetrics, AdjustedInferenceStandsBesideTheUnadjusted) {
  const auto plan = two_looks();
  const TrueValues truths(plan->analyses.size(), 0.2);
  PointAccumulator sum(*plan, truths);
  auto outcome = ended(2, design::StopReason::completed, 200, 200, 20.0);
  for (const double estimate : {0.1, 0.25, 0.4}) {
    outcome.inference = {{0.02, estimate, estimate - 0.1, estimate + 0.1, true}};
    sum.staged.add(outcome);
    sum.staged.add_inference(*plan, truths, outcome);
  }
  outcome.inference = {{1, 0, 0, 0, false}};
  sum.staged.add(outcome);
  sum.staged.add_inference(*plan, truths, outcome);
  sum.n_trials = 4;
  const auto metrics =
      metrics_of(*plan, {TrueValue{0.2, 0}, TrueValue{0.2, 0}}, {std::nullopt, std::nullopt}, sum);
  EXPECT_NEAR(find(metrics, "adjusted_mean_estimate").estimate, 0.25, 1e-12);
  EXPECT_NEAR(find(metrics, "adjusted_bias").estimate, 0.05, 1e-12);
  EXPECT_NEAR(find(metrics, "adjusted_rmse").estimate, std::sqrt((0.01 + 0.0025 + 0.04) / 3), 1e-12);
  EXPECT_NEAR(find(metrics, "adjusted_coverage").estimate, 2.0 / 3, 1e-12);
  EXPECT_EQ(find(metrics, "adjusted_bias").n_trials, 3u);
  EXPECT_EQ(sum.staged.n_inference, 4u);
}

// Where the hypothesis was given up before the last look, the trial has no estimate of it.
TEST(StagedMetrics, NothingIsEstimatedOfWhatWasGivenUp) {
  const auto plan = two_looks();
  const TrueValues truths(plan->analyses.size(), 0.2);
  PointAccumulator sum(*plan, truths);
  auto outcome = ended(2, design::StopReason::completed, 200, 200, 20.0);
  outcome.inference = {{0.02, 0.3, 0.2, 0.4, true}};
  sum.staged.add_inference(*plan, truths, outcome);
  outcome.state.open_at[1] = 0;
  sum.staged.add_inference(*plan, truths, outcome);
  EXPECT_EQ(sum.staged.n_inference, 2u);
  EXPECT_EQ(sum.staged.adjusted[0].n_defined, 1u);
}

trial::StagedOutcome random_outcome(std::mt19937_64& engine) {
  using enum design::StopReason;
  const int n_looks = 1 + static_cast<int>(engine() % 2);
  auto outcome = ended(n_looks, std::array{efficacy, futility, harm}[engine() % 3],
                       150 + static_cast<int>(engine() % 50), 100 + static_cast<int>(engine() % 50),
                       static_cast<double>(engine() % 10'000) / 177);
  outcome.naive_rejected = engine() % 2;
  const double estimate = static_cast<double>(engine() % 1000) / 1300;
  outcome.inference = {{0.5, estimate, estimate - 0.2, estimate + 0.2, engine() % 8 != 0}};
  return outcome;
}

TEST(StagedAccumulator, MergesToTheSameBitsInAnyOrder) {
  const auto plan = two_looks();
  const TrueValues truths(plan->analyses.size(), 0.25);
  std::mt19937_64 engine(3);
  std::vector<PointAccumulator> parts;
  for (int i = 0; i < 7; ++i) {
    auto& part = parts.emplace_back(*plan, truths);
    for (int k = 0; k < 40; ++k) {
      const auto outcome = random_outcome(engine);
      part.staged.add(outcome, 1 + engine() % 3);
      part.staged.add_calendar(outcome);
      part.staged.add_inference(*plan, truths, outcome);
    }
  }
  PointAccumulator forward(*plan, truths), backward(*plan, truths);
  for (const auto& part : parts) forward.merge(part);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    PointAccumulator pair = *part;
    if (++part != parts.rend()) pair.merge(*part);
    backward.merge(pair);
    if (part == parts.rend()) break;
  }
  EXPECT_EQ(state_of(forward), state_of(backward));
  EXPECT_NE(state_of(forward), state_of(parts[0]));
}

}  // namespace
}  // namespace trialwright::engine
