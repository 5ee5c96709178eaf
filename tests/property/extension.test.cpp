// The first trials of a longer run are those of the shorter: a trial is a function of the study and its
// number alone, whatever the number of trials asked for, the trials before it, and how they are cut.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "engine/run_study.hpp"
#include "property/outcome_text.hpp"
#include "property/whole_studies.hpp"

namespace trialwright::property {
namespace {

constexpr std::uint64_t k_many = 10000;

std::vector<std::shared_ptr<const trial::TrialPlan>> plans_of(const WholeStudy& one, int n_trials) {
  auto study = read(one, n_trials);
  return study.plans(study.points());
}

std::string trial_text(const trial::TrialPlan& plan, std::uint64_t i_trial,
                       trial::Workspace& workspace) {
  trial::simulate_trial(plan, i_trial, workspace);
  return decisions_of(workspace) + calendar_of(workspace);
}

class Extension : public testing::TestWithParam<WholeStudy> {};

// The longer run's trials are made from its last one to its first, in one memory for all points; those
// about the 4,096th, after which the calendar may be left out, among them.
TEST_P(Extension, LeavesTheFirstPatientsTrialsAsTheyAre) {
  const auto shorter = plans_of(GetParam(), 10), longer = plans_of(GetParam(), 1'000'000);
  ASSERT_EQ(shorter.size(), longer.size());
  trial::Workspace shared;
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    trial::Workspace workspace;
    workspace.prepare(*shorter[i]);
    const std::vector<std::uint64_t> trials{0, 1, 2, 3, 4, 5, 6, 7, 63, 64, 4095, 4096, 9999};
    std::vector<std::string> texts;
    for (const auto trial : trials) texts.push_back(trial_text(*shorter[i], trial, workspace));
    EXPECT_GT(std::set(texts.begin(), texts.end()).size(), 6u);
    shared.prepare(*longer[i]);
    for (std::size_t t = trials.size(); t-- > 0;)
      ASSERT_EQ(trial_text(*longer[i], trials[t], shared), texts[t]) << "trial " << trials[t];
  }
}

// [trial]: every count of trials 0 to k_many - 1, drawn `step` at a time.
std::vector<std::vector<std::int32_t>> draw(const trial::TrialPlan& plan, std::size_t step,
                                            trial::CountPlan::Workspace& workspace) {
  const auto made = trial::CountPlan::make(plan);
  EXPECT_NE(made.plan, nullptr) << made.why_not;
  std::vector<std::vector<std::int32_t>> rows;
  for (std::uint64_t first = 0; first < k_many; first += step) {
    const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(step, k_many - first));
    made.plan->draw(plan.key, first, n, workspace);
    for (std::size_t i = 0; i < n; ++i) {
      auto& row = rows.emplace_back();
      for (std::size_t c = 0; c < made.plan->n_columns(); ++c) row.push_back(workspace.counts[c][i]);
    }
  }
  return rows;
}

class ExtensionOfCounts : public testing::TestWithParam<WholeStudy> {};

TEST_P(ExtensionOfCounts, LeavesTheFirstDrawsAsTheyAre) {
  const auto shorter = plans_of(GetParam(), 10), longer = plans_of(GetParam(), 1'000'000);
  trial::CountPlan::Workspace workspace;
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    const auto whole = draw(*shorter[i], trial::CountPlan::k_most_trials, workspace);
    for (const std::size_t step : {1, 7, 257, 1000})
      EXPECT_EQ(draw(*longer[i], step, workspace), whole) << step << " at a time";
  }
}

// Two runs one after the other, the later going on where the first ended, sum to the whole run.
TEST_P(Extension, SumsToTheLongerRun) {
  const bool draws = GetParam().engine == "counts";
  const std::uint64_t n = draws ? 12'345 : 140, cut = draws ? k_many : 53;
  auto study = read(GetParam(), 10);
  const auto plan = engine::plan_study(study, 2);
  auto whole = engine::work_of(plan.plans, plan.engines, n);
  for (auto& work : whole) work.true_values.resize(work.plan->analyses.size());
  auto first = whole, later = whole;
  for (auto& work : first) work.n_trials = cut;
  for (auto& work : later) {
    work.first_trial = cut;
    work.n_trials = n - cut;
  }
  auto sums = engine::simulate(first, 2, nullptr);
  const auto more = engine::simulate(later, 2, nullptr), all = engine::simulate(whole, 1, nullptr);
  for (std::size_t i = 0; i < sums.size(); ++i) {
    sums[i].merge(more[i]);
    ASSERT_EQ(sums[i].n_trials, n);
    ASSERT_EQ(all[i].n_trials, n);
    for (std::size_t k = 0; k < all[i].analyses.size(); ++k) {
      const auto &a = sums[i].analyses[k], &b = all[i].analyses[k];
      EXPECT_EQ(a.n_rejected, b.n_rejected);
      EXPECT_EQ(a.n_failed, b.n_failed);
      EXPECT_EQ(a.n_defined, b.n_defined);
      EXPECT_EQ(a.distribution.quantile(0.1), b.distribution.quantile(0.1));
      if (b.n_defined > 0) {
        EXPECT_NEAR(a.estimate.mean(), b.estimate.mean(), 1e-12);
      }
    }
    for (std::size_t k = 0; k < all[i].arms.size(); ++k) {
      const auto &a = sums[i].arms[k], &b = all[i].arms[k];
      EXPECT_EQ(a.events, b.events);
      EXPECT_EQ(a.patients, b.patients);
      EXPECT_EQ(a.events_squared, b.events_squared);
      EXPECT_EQ(a.events_patients, b.events_patients);
    }
    EXPECT_EQ(sums[i].n_screened.count(), all[i].n_screened.count());
  }
}

INSTANTIATE_TEST_SUITE_P(Studies, Extension, testing::ValuesIn(whole_studies()), name_of);
INSTANTIATE_TEST_SUITE_P(Studies, ExtensionOfCounts, testing::ValuesIn(studies_of("counts")), name_of);

// The first 10,000 trials of 30,000 asked for, one by one, are those of a study that asks for 10,000;
// and their sum is what its run tells.
TEST(TenThousandTrials, AreTheFirstOfALongerRun) {
  for (const char* engine : {"patients", "counts"}) {
    const WholeStudy one{"long", "library/hcmsc.yaml",
                         one_design(40, "primary: easi50_superiority, secondary: [easi75_superiority]"),
                         10000, engine};
    auto study = read(one, 10000), longer_study = read(one, 30000);
    const auto run = engine::run_study(study, 2, nullptr);
    const auto longer = longer_study.plan(longer_study.points().front());
    const auto counts = trial::CountPlan::make(*longer).plan;
    trial::CountPlan::Workspace drawn;
    trial::Workspace workspace;
    workspace.prepare(*longer);
    double rejected[2] = {};
    for (std::uint64_t trial = 0; trial < k_many; ++trial) {
      if (engine == std::string("patients")) {
        trial::simulate_trial(*longer, trial, workspace);
        for (std::size_t k = 0; k < 2; ++k) rejected[k] += workspace.outcome.analyses[k].rejected;
        continue;
      }
      counts->draw(longer->key, trial, 1, drawn);
      for (std::size_t k = 0; k < 2; ++k) {
        const auto& analysis = longer->analyses[k];
        const auto &control = counts->arms()[2 * static_cast<std::size_t>(analysis.i_estimand)],
                   &active = counts->arms()[2 * static_cast<std::size_t>(analysis.i_estimand) + 1];
        const analysis::TwoByTwo table{drawn.counts[active.events][0], drawn.counts[active.patients][0],
                                       drawn.counts[control.events][0],
                                       drawn.counts[control.patients][0]};
        rejected[k] += trial::analyse_counts(analysis, {&table, 1}, workspace.test_caches[k]).rejected;
      }
    }
    std::map<std::string, double> power;
    for (const auto& metric : run.points[0].metrics)
      if (metric.metric == "power") power[metric.hypothesis] = metric.estimate;
    for (std::size_t k = 0; k < 2; ++k)
      EXPECT_EQ(rejected[k] / k_many, power.at(longer->analyses[k].name)) << engine;
  }
}

}  // namespace
}  // namespace trialwright::property
