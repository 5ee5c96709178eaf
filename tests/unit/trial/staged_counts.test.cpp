// Trials with looks as counts: decided by tables as one by one, whatever the cut, with the
// probabilities that are exact.
#include "trial/staged_counts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include "support/threshold_design.hpp"
#include "trial/count_plan.hpp"

namespace trialwright::trial {
namespace {

using ::testing::HasSubstr;
constexpr double k_never = -std::numeric_limits<double>::infinity();
constexpr const char* k_blocks = ", randomisation: {method: permuted_block, block_size: 4}";

std::string sections(const std::string& of_design = "") {
  return support::sections(300, "{effect: 0.6}", k_blocks + of_design);
}

std::shared_ptr<const TrialPlan> three_looks(
    std::shared_ptr<const design::StagedDesign> design = nullptr) {
  if (!design)
    design = std::make_shared<support::ThresholdDesign>(300, std::vector{3.5, 2.5, 2.0},
                                                        std::vector{0.0, 0.5, k_never});
  return support::staged_plan(sections(), std::move(design), {100, 200});
}

// The same rules, with nothing said of totals.
class Unspoken final : public support::ThresholdDesign {
 public:
  using ThresholdDesign::ThresholdDesign;
  bool decides_by_totals() const override { return false; }
};

// Doubles the trial where the first look is promising.
class Doubling final : public support::ThresholdDesign {
 public:
  Doubling() : ThresholdDesign(200, {2.8, 2.0}, {-0.5, k_never}) {}
  bool decides_by_totals() const override { return false; }
  int most_patients() const override { return 402; }
  design::Decision decide(const design::LookData& data, design::TrialState& state,
                          design::Statistics* told) const override {
    auto decision = ThresholdDesign::decide(data, state, told);
    const double z = support::pooled_z(total(data));
    if (decision.stop == design::StopReason::none && z > 1) state.n_planned = z > 2 ? 302 : 402;
    return decision;
  }
};

std::shared_ptr<const StagedCountPlan> counts_of(const TrialPlan& plan,
                                                 std::shared_ptr<const CountPlan>& owner) {
  auto attempt = CountPlan::make(plan);
  EXPECT_EQ(attempt.why_not, "");
  owner = attempt.plan;
  return {owner, owner->staged()};
}

std::string why_not(const TrialPlan& plan) {
  return CountPlan::make(plan).why_not;
}

using Key = std::tuple<int, int, int, int, int>;
std::map<Key, std::uint64_t> sorted(const EndCounts& ends) {
  std::map<Key, std::uint64_t> result;
  ends.for_each([&](const TrialEnd& end, std::uint64_t n) {
    result[{end.n_looks, static_cast<int>(end.stop), end.rejected, end.naive_rejected,
            end.n_analysed}] += n;
  });
  return result;
}

std::map<Key, std::uint64_t> run_in(const TrialPlan& plan, const StagedCountPlan& counts,
                                    std::uint64_t first, std::uint64_t n, std::size_t at_once) {
  StagedCountPlan::Workspace workspace;
  EndCounts ends;
  for (std::uint64_t from = first; from < first + n; from += at_once)
    counts.run(plan.key, from, std::min<std::uint64_t>(at_once, first + n - from), workspace, ends);
  return sorted(ends);
}

TEST(StagedCounts, AreDecidedByTablesWhereTotalsDecide) {
  std::shared_ptr<const CountPlan> owner;
  EXPECT_TRUE(counts_of(*three_looks(), owner)->decides_by_tables());
  const auto unspoken = three_looks(
      std::make_shared<Unspoken>(300, std::vector{3.5, 2.5, 2.0}, std::vector{0.0, 0.5, k_never}));
  EXPECT_THAT(why_not(*unspoken), HasSubstr("pipeline"));
  const auto doubling = support::staged_plan(sections(), std::make_shared<Doubling>(), {100});
  EXPECT_FALSE(counts_of(*doubling, owner)->decides_by_tables());
}

// Every trial told again, one by one by the design itself, ends as the tables say; so do other cuts.
TEST(StagedCounts, EndAsTheDesignDecidesThemOneByOne) {
  for (const bool doubles : {false, true}) {
    const auto plan =
        doubles ? support::staged_plan(sections(), std::make_shared<Doubling>(), {100}) : three_looks();
    const_cast<TrialPlan&>(*plan).n_patients = plan->staged->most_patients();
    std::shared_ptr<const CountPlan> owner;
    const auto counts = counts_of(*plan, owner);
    StagedCountPlan::Workspace workspace;
    EndCounts all, told;
    StagedOutcome outcome;
    TrialOutcome trial;
    for (std::uint64_t first = 0; first < 6000; first += 1000) {
      counts->run(plan->key, first, 1000, workspace, all);
      for (std::size_t row = 0; row < 1000; ++row) {
        counts->tell(*plan, row, workspace, outcome, trial);
        told.add(end_of(outcome.state, outcome.stop, outcome.naive_rejected, outcome.n_analysed));
        EXPECT_EQ(trial.counts[0].patients + trial.counts[1].patients, outcome.n_analysed);
        EXPECT_EQ(trial.analyses[0].table.n_1 + trial.analyses[0].table.n_0, outcome.n_analysed);
        ASSERT_EQ(outcome.inference.size(), 1u);
        EXPECT_NEAR(outcome.inference[0].estimate, trial.analyses[0].estimate.value, 1e-12);
      }
    }
    EXPECT_EQ(sorted(all), sorted(told));
    EXPECT_GE(sorted(all).size(), 6u);
    for (const std::size_t at_once : {1u, 77u, 1024u})
      EXPECT_EQ(run_in(*plan, *counts, 0, 6000, at_once), sorted(all)) << at_once;
  }
}

// Block of 4, 402 patients after 100: the last block is cut, and half of the trials have a patient more
// in one arm.
TEST(StagedCounts, AnIncompleteBlockLeavesTheArmsToChance) {
  const auto plan = support::staged_plan(sections(), std::make_shared<Doubling>(), {100});
  const_cast<TrialPlan&>(*plan).n_patients = 402;
  std::shared_ptr<const CountPlan> owner;
  const auto counts = counts_of(*plan, owner);
  StagedCountPlan::Workspace workspace;
  EndCounts ends;
  StagedOutcome outcome;
  TrialOutcome trial;
  std::map<int, int> n_1;
  int n = 0;
  for (std::uint64_t first = 0; first < 20'000; first += 1000) {
    counts->run(plan->key, first, 1000, workspace, ends);
    for (std::size_t row = 0; row < 1000; ++row) {
      counts->tell(*plan, row, workspace, outcome, trial);
      if (outcome.n_analysed != 402) continue;
      ++n;
      ++n_1[trial.analyses[0].table.n_1];
    }
  }
  ASSERT_GT(n, 3000);
  // Two patients of {a, a, b, b}: one of each with probability 2/3. Four standard errors: false alarm
  // 2e-4 in all.
  for (const auto& [size, probability] : {std::pair{200, 1.0 / 6}, {201, 2.0 / 3}, {202, 1.0 / 6}})
    EXPECT_NEAR(n_1[size] / double(n), probability, 4 * std::sqrt(probability * (1 - probability) / n));
}

// Blocks of 4 that looks at 102 and 202 cut: half of the trials have arms of one size there.
TEST(StagedCounts, LooksMayCutBlocks) {
  const auto design = std::make_shared<support::ThresholdDesign>(300, std::vector{3.5, 2.5, 2.0},
                                                                 std::vector{0.0, 0.5, k_never});
  const auto plan = support::staged_plan(sections(), design, {102, 202});
  std::shared_ptr<const CountPlan> owner;
  const auto counts = counts_of(*plan, owner);
  EXPECT_FALSE(counts->decides_by_tables());
  StagedCountPlan::Workspace workspace;
  EndCounts all, told;
  StagedOutcome outcome;
  std::vector<LookRecord> looks;
  int n_even = 0;
  constexpr int k_trials = 6000;
  for (std::uint64_t first = 0; first < k_trials; first += 1000) {
    counts->run(plan->key, first, 1000, workspace, all);
    for (std::size_t row = 0; row < 1000; ++row) {
      counts->looks_of(row, workspace, outcome, &looks);
      told.add(end_of(outcome.state, outcome.stop, outcome.naive_rejected, outcome.n_analysed));
      const auto& table = looks[0].tables[0];
      EXPECT_EQ(table.n_1 + table.n_0, 102);
      n_even += table.n_1 == 51 ? 1 : 0;
      // What is left of the block comes first.
      if (looks.size() > 1) {
        EXPECT_LE(std::abs(looks[1].tables[0].n_1 - 101), 1);
      }
      if (looks.size() > 2) {
        EXPECT_EQ(looks[2].tables[0].n_1, 150);
      }
    }
  }
  EXPECT_EQ(sorted(all), sorted(told));
  EXPECT_NEAR(n_even / double(k_trials), 2.0 / 3, 4 * std::sqrt(2.0 / 9 / k_trials));
}

// At a million trials, within 4.5 standard errors (false alarm below 1e-4 in all); they sum to 1.
TEST(StagedCounts, ExactProbabilitiesAreTheFrequencies) {
  const auto plan = three_looks();
  std::shared_ptr<const CountPlan> owner;
  const auto counts = counts_of(*plan, owner);
  constexpr std::uint64_t k_trials = 1'000'000;
  std::map<std::pair<int, int>, double> exact, drawn;
  double total = 0;
  for (const auto& [end, probability] : counts->end_probabilities()) {
    exact[{end.n_looks, static_cast<int>(end.stop)}] += probability;
    total += probability;
  }
  EXPECT_NEAR(total, 1, 1e-12);
  for (const auto& [end, n] : run_in(*plan, *counts, 0, k_trials, 1024))
    drawn[{std::get<0>(end), std::get<1>(end)}] += static_cast<double>(n) / k_trials;
  ASSERT_EQ(exact.size(), drawn.size());
  for (const auto& [end, p] : exact)
    EXPECT_NEAR(drawn[end], p, 4.5 * std::sqrt(p * (1 - p) / k_trials))
        << end.first << ' ' << end.second;
}

TEST(StagedCounts, SayWhyNot) {
  const auto with = [](auto&& change) {
    auto plan = std::const_pointer_cast<TrialPlan>(three_looks());
    change(*plan);
    return why_not(*plan);
  };
  EXPECT_THAT(with([](TrialPlan& plan) { plan.looks.overrun = design::Overrun::analysed; }),
              HasSubstr("pipeline"));
  EXPECT_THAT(with([](TrialPlan& plan) { plan.looks.interim[0] = {design::CalendarDate{12}}; }),
              HasSubstr("something else"));
  EXPECT_THAT(with([](TrialPlan& plan) { plan.n_patients = 299; }),
              HasSubstr("enrol only 299 of the 300 patients that a look may ask for"));
  const auto design =
      std::make_shared<support::ThresholdDesign>(300, std::vector{3.5, 2.0}, std::vector{0.0, k_never});
  EXPECT_THAT(why_not(*support::staged_plan(support::sections(300), design, {100})),
              HasSubstr("permuted blocks"));
  EXPECT_THAT(why_not(*support::staged_plan(
                  support::sections(300, "{effect: 1}",
                                    ", randomisation: {method: permuted_block, strata: [severity]}"),
                  design, {100})),
              HasSubstr("permuted blocks"));
}

TEST(EndCounts, CountsEqualEndsTogether) {
  EndCounts ends;
  TrialEnd end;
  for (int i = 0; i < 3000; ++i) {
    end.n_analysed = i % 1000;
    ends.add(end, 2);
  }
  std::uint64_t n_ends = 0;
  ends.for_each([&](const TrialEnd&, std::uint64_t n) {
    ++n_ends;
    EXPECT_EQ(n, 6u);
  });
  EXPECT_EQ(n_ends, 1000u);
  ends.clear();
  ends.for_each([](const TrialEnd&, std::uint64_t) { ADD_FAILURE(); });
}

}  // namespace
}  // namespace trialwright::trial
