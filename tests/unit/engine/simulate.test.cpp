#include "engine/simulate.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "engine/exact_powers.hpp"
#include "engine/run_study.hpp"
#include "report/json.hpp"
#include "support/studies.hpp"

namespace trialwright::engine {
namespace {

constexpr const char* k_study =
    "analyses: {cmh: {estimand: easi50, method: cmh, strata: [severity, region]}}\n"
    "designs:\n"
    "  small: {kind: fixed, arms: {placebo: 1, hcmsc: 2}, patients: 90, primary: cmh, secondary: "
    "[easi50_superiority, ae_noninferiority], randomisation: {method: permuted_block, strata: "
    "[severity]}}\n"
    "  large: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 300, primary: easi50_superiority}\n"
    "scenarios: {null: {effect: 0}, reported: {effect: 1}, drawn: {truth: {draw: "
    "calibration_posterior}}}\n"
    "simulation: {trials: 1500, seed: 11}\n";

TEST(Simulate, GivesTheSameResultsOnOneAndMoreThreads) {
  std::vector<std::string> texts;
  for (int n_threads : {1, 2, 3}) {
    auto study = support::study(k_study, "library/hcmsc_rescue.yaml");
    texts.push_back(report::write_json(run_study(study, n_threads, nullptr)));
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0], texts[2]);
}

TEST(Simulate, BlocksComputedApartAndMergedInOrderAreTheRun) {
  auto study = support::study(k_study);
  const auto points = study.points();
  const auto plan = study.plan(points.front());
  const Work work{plan.get(), TrueValues(plan->analyses.size()), 10000, 0};
  ASSERT_GT(n_blocks(work), 2u);
  const auto whole = simulate({&work, 1}, 2, nullptr).front();

  PointAccumulator merged(*plan, work.true_values);
  std::vector<PointAccumulator> blocks(n_blocks(work));
  for (std::uint64_t i = blocks.size(); i-- > 0;) {
    trial::Workspace workspace;
    blocks[i] = simulate_block(work, i, workspace);
  }
  for (const auto& block : blocks) merged.merge(block);

  const std::vector<std::optional<TrueValue>> truths(plan->analyses.size());
  Results apart;
  const auto powers = exact_powers({&work, 1}, 2, nullptr);
  ASSERT_EQ(powers.size(), 1u);
  for (std::size_t i = 0; i < plan->analyses.size(); ++i)
    EXPECT_EQ(powers[0][i].power, plan->exact_power(plan->analyses[i]).power);
  apart.points.push_back(point_of(points.front(), *plan, truths, powers[0], merged));
  Results together;
  together.points.push_back(point_of(points.front(), *plan, truths, powers[0], whole));
  EXPECT_EQ(report::write_json(apart), report::write_json(together));
}

TEST(Simulate, TheFirstTrialsOfALongerRunAreThoseOfTheShorter) {
  const auto plan = support::plan(support::sections(60));
  trial::Workspace workspace;
  workspace.prepare(*plan);
  trial::simulate_trial(*plan, 5, workspace);
  const auto table = workspace.outcome.analyses[0].table;
  const Work one{plan.get(), TrueValues(1), 1, 5};
  const auto sum = simulate({&one, 1}, 1, nullptr).front();
  EXPECT_EQ(sum.arms[0].events + sum.arms[1].events,
            static_cast<std::uint64_t>(table.responders_0 + table.responders_1));
}

class StopAfter final : public Monitor {
 public:
  explicit StopAfter(int n_blocks) : left_(n_blocks) {}
  void progress(std::uint64_t done, std::uint64_t total) override {
    EXPECT_LE(done, total);
    --left_;
  }
  bool stop_requested() override { return left_ <= 0; }

 private:
  int left_;
};

TEST(Simulate, AStopLeavesLeadingBlocksThatEqualAShorterRun) {
  const auto plan = support::plan(support::sections(300));
  const Work work{plan.get(), TrueValues(1), 100000, 0};
  StopAfter monitor(3);
  const auto stopped = simulate({&work, 1}, 2, &monitor).front();
  ASSERT_GT(stopped.n_trials, 0u);
  ASSERT_LT(stopped.n_trials, work.n_trials);
  ASSERT_EQ(stopped.n_trials % block_trials(*plan), 0u);
  const Work shorter{plan.get(), TrueValues(1), stopped.n_trials, 0};
  const auto run = simulate({&shorter, 1}, 1, nullptr).front();
  EXPECT_EQ(run.analyses[0].n_rejected, stopped.analyses[0].n_rejected);
  EXPECT_EQ(run.analyses[0].estimate.state(), stopped.analyses[0].estimate.state());
}

TEST(RunStudy, AStopAmongTheExactPowersLeavesNoPoint) {
  auto study = support::study(k_study);
  StopAfter monitor(1);
  const auto results = run_study(study, 1, &monitor);
  EXPECT_TRUE(results.interrupted);
  EXPECT_TRUE(results.points.empty());
}

TEST(AvailableThreads, IsAtLeastOne) {
  EXPECT_GE(available_threads(), 1);
}

}  // namespace
}  // namespace trialwright::engine
