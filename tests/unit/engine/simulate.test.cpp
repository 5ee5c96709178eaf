#include "engine/simulate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include <fmt/format.h>

#include "engine/run_study.hpp"
#include "engine/table_counts.hpp"
#include "report/json.hpp"
#include "stats/binomial_interval.hpp"
#include "support/studies.hpp"
#include "trial/simulate_trial.hpp"
#include "trialwright/error.hpp"
#include "unit/engine/states.hpp"

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
    "calibration_posterior}}}\n";

// One point drawn as counts, all of its analyses tabulated, or simulated patient by patient.
Work work_of_counts(const trial::TrialPlan& plan, std::uint64_t n_trials) {
  return {&plan, TrueValues(plan.analyses.size(), 0.25), n_trials, 0,
          trial::CountPlan::make(plan).plan};
}
Work work_of_patients(const trial::TrialPlan& plan, std::uint64_t n_trials) {
  return {&plan, TrueValues(plan.analyses.size(), 0.25), n_trials, 0, nullptr};
}

TEST(Simulate, GivesTheSameResultsOnOneAndMoreThreads) {
  for (const char* engine : {"patients", "auto"}) {
    std::vector<std::string> texts;
    for (int n_threads : {1, 2, 3}) {
      auto study = support::study(
          fmt::format("{}simulation: {{trials: 1500, seed: 11, engine: {}, truth_patients: 20000}}\n",
                      k_study, engine),
          "library/hcmsc_rescue.yaml");
      texts.push_back(report::write_json(run_study(study, n_threads, nullptr)));
    }
    EXPECT_EQ(texts[0], texts[1]);
    EXPECT_EQ(texts[0], texts[2]);
  }
}

TEST(Simulate, CountsGiveTheSameSumsOnOneAndMoreThreads) {
  const auto plan =
      support::plan(support::sections(67, "{effect: 1}", ", secondary: [easi75_superiority]"));
  const std::vector<Work> work{work_of_counts(*plan, 700'000), work_of_counts(*plan, 300'000)};
  ASSERT_NE(work[0].counts, nullptr);
  const auto one = simulate(work, 1, nullptr);
  for (int n_threads : {2, 3}) {
    const auto more = simulate(work, n_threads, nullptr);
    EXPECT_EQ(state_of(one[0]), state_of(more[0]));
    EXPECT_EQ(state_of(one[1]), state_of(more[1]));
  }
}

// Of an analysis whose tables are counted nothing depends on how its trials are cut.
TEST(Simulate, TheFirstTrialsOfALongerRunAreThoseOfTheShorter) {
  const auto plan = support::plan(support::sections(60));
  for (const bool draws_counts : {true, false}) {
    const std::uint64_t n = draws_counts ? 600'000 : 6'000;
    const std::uint64_t cut = draws_counts ? 271'828 : 2'718;
    const Work whole = draws_counts ? work_of_counts(*plan, n) : work_of_patients(*plan, n);
    ASSERT_EQ(whole.counts != nullptr, draws_counts);
    Work first = whole, later = whole;
    first.n_trials = later.first_trial = cut;
    later.n_trials = n - cut;
    auto sum = simulate({&first, 1}, 2, nullptr).front();
    sum.merge(simulate({&later, 1}, 2, nullptr).front());
    const auto all = simulate({&whole, 1}, 2, nullptr).front();
    EXPECT_EQ(sum.n_trials, all.n_trials);
    EXPECT_EQ(sum.analyses[0].n_rejected, all.analyses[0].n_rejected);
    EXPECT_EQ(sum.analyses[0].n_covered, all.analyses[0].n_covered);
    EXPECT_EQ(sum.arms[0].events, all.arms[0].events);
    EXPECT_EQ(sum.arms[1].events_squared, all.arms[1].events_squared);
    EXPECT_EQ(sum.analyses[0].distribution.quantile(0.01), all.analyses[0].distribution.quantile(0.01));
    EXPECT_NEAR(sum.analyses[0].estimate.mean(), all.analyses[0].estimate.mean(), 1e-12);
    EXPECT_EQ(sum.n_screened.count(), all.n_screened.count());
    EXPECT_NEAR(sum.n_screened.mean(), all.n_screened.mean(), 1e-9);
  }
}

// Blocks begin at multiples of their size, wherever the work begins.
TEST(Simulate, WorkThatBeginsWithinABlockSharesTheLaterBlocks) {
  const auto plan = support::plan(support::sections(60));
  const std::uint64_t block = block_trials(*plan, nullptr), from = block - 700, to = 2 * block;
  Work whole = work_of_patients(*plan, to - from), first = whole, later = whole;
  whole.first_trial = first.first_trial = from;
  first.n_trials = block - from;
  later.first_trial = block;
  later.n_trials = to - block;
  auto sum = simulate({&first, 1}, 1, nullptr).front();
  sum.merge(simulate({&later, 1}, 1, nullptr).front());
  const auto all = simulate({&whole, 1}, 2, nullptr).front();
  EXPECT_EQ(sum.enrolment_months.sums(), all.enrolment_months.sums());
  EXPECT_EQ(sum.duration_months.sums(), all.duration_months.sums());
}

// The sums that tables give are those of the trials one by one.
TEST(Simulate, TablesSumAsTheirTrialsDo) {
  const auto plan =
      support::plan(support::sections(67, "{effect: 1}", ", secondary: [easi75_superiority]"));
  const Work work = work_of_patients(*plan, 3000);
  const auto sum = simulate({&work, 1}, 1, nullptr).front();
  PointAccumulator apart(*plan, work.true_values);
  trial::Workspace workspace;
  workspace.prepare(*plan);
  for (std::uint64_t i = 0; i < work.n_trials; ++i) {
    trial::simulate_trial(*plan, i, workspace);
    for (std::size_t k = 0; k < plan->analyses.size(); ++k)
      apart.analyses[k].add(plan->analyses[k], work.true_values[k], workspace.outcome.analyses[k]);
  }
  for (std::size_t k = 0; k < plan->analyses.size(); ++k) {
    EXPECT_EQ(sum.analyses[k].n_rejected, apart.analyses[k].n_rejected);
    EXPECT_EQ(sum.analyses[k].n_defined, apart.analyses[k].n_defined);
    EXPECT_EQ(sum.analyses[k].n_covered, apart.analyses[k].n_covered);
    EXPECT_NEAR(sum.analyses[k].estimate.mean(), apart.analyses[k].estimate.mean(), 1e-12);
    EXPECT_NEAR(sum.analyses[k].estimate.variance(), apart.analyses[k].estimate.variance(), 1e-12);
  }
}

// Exact power within the simulated one's 99.9% interval at 10^7 trials, of one point at false-alarm
// rate 0.001; a bias of 0.0005 in a power near 0.9 is found with probability 0.98 at least.
TEST(Simulate, ExactPowerLiesInTheIntervalOfTenMillionTrialsDrawnAsCounts) {
  for (const int patients : {67, 300}) {
    const auto plan = support::plan(support::sections(patients));
    const Work work = work_of_counts(*plan, 10'000'000);
    ASSERT_NE(work.counts, nullptr);
    const auto sum = simulate({&work, 1}, 2, nullptr).front();
    const auto interval = stats::wilson_interval(sum.analyses[0].n_rejected, sum.n_trials, 0.999);
    const double power = plan->exact_power(plan->analyses[0]).power.value();
    EXPECT_LT(interval.lower, power) << patients;
    EXPECT_GT(interval.upper, power) << patients;
  }
}

TEST(Simulate, CalendarsAreThoseOfThePatients) {
  const auto plan = support::plan(support::sections(60));
  const Work counts = work_of_counts(*plan, 5000), patients = work_of_patients(*plan, 5000);
  const auto drawn = simulate({&counts, 1}, 2, nullptr).front();
  const auto simulated = simulate({&patients, 1}, 2, nullptr).front();
  EXPECT_EQ(drawn.duration_months.count(), trial::k_calendar_trials);
  EXPECT_EQ(simulated.duration_months.count(), trial::k_calendar_trials);
  EXPECT_NEAR(drawn.duration_months.mean(), simulated.duration_months.mean(), 1e-10);
  EXPECT_EQ(drawn.n_screened.mean(), simulated.n_screened.mean());
}

TEST(TableLayout, FindsEveryTableAgain) {
  const auto plan =
      support::plan(support::sections(67, "{effect: 1}", ", secondary: [easi75_superiority]"));
  const auto counts = trial::CountPlan::make(*plan).plan;
  ASSERT_NE(counts, nullptr);
  for (const auto* law : {counts.get(), static_cast<const trial::CountPlan*>(nullptr)}) {
    const TableLayout layout(*plan, law);
    ASSERT_TRUE(layout.tabulates_all());
    std::size_t n_cells = 0;
    for (std::size_t k = 0; k < 2; ++k)
      for (std::size_t i = 0; i < layout.n_cells(k); ++i)
        ASSERT_EQ(layout.cell(k, layout.table(k, i)), n_cells++);
    EXPECT_EQ(n_cells, layout.n_cells());
    EXPECT_EQ(layout.cell(0, {1, 5, 1, 5}), std::nullopt);
  }
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
  const Work work = work_of_patients(*plan, 100'000);
  StopAfter monitor(3);
  const auto stopped = simulate({&work, 1}, 2, &monitor).front();
  ASSERT_GT(stopped.n_trials, 0u);
  ASSERT_LT(stopped.n_trials, work.n_trials);
  ASSERT_EQ(stopped.n_trials % block_trials(*plan, nullptr), 0u);
  const Work shorter = work_of_patients(*plan, stopped.n_trials);
  EXPECT_EQ(state_of(simulate({&shorter, 1}, 1, nullptr).front()), state_of(stopped));
}

TEST(RunStudy, AStopBeforeTheTrialsLeavesNoPoint) {
  auto study = support::study(k_study);
  StopAfter monitor(1);
  const auto results = run_study(study, 1, &monitor);
  EXPECT_TRUE(results.interrupted);
  EXPECT_TRUE(results.points.empty());
}

const char* k_two_designs =
    "designs:\n"
    "  plain: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: easi50_superiority}\n"
    "  linked: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: nrs4_superiority}\n"
    "scenarios: {reported: {effect: 1}}\n";

TEST(RunStudy, TellsTheEngineOfEveryPoint) {
  auto study = support::study(std::string(k_two_designs) + "simulation: {trials: 100}\n");
  const auto results = run_study(study, 1, nullptr);
  ASSERT_EQ(results.points.size(), 2u);
  EXPECT_EQ(results.points[0].engine, "counts");
  EXPECT_EQ(results.points[0].notes.back(), "counts drawn from their exact joint law");
  EXPECT_EQ(results.points[1].engine, "patients");
  EXPECT_EQ(results.points[1].notes.back().find("patients simulated: "), 0u);
  auto patients =
      support::study(std::string(k_two_designs) + "simulation: {trials: 100, engine: patients}\n");
  const auto simulated = run_study(patients, 1, nullptr);
  EXPECT_EQ(simulated.points[0].engine, "patients");
  EXPECT_NE(simulated.study_hash, results.study_hash);
}

TEST(RunStudy, RefusesCountsWithoutAnExactLaw) {
  auto study =
      support::study(std::string(k_two_designs) + "simulation: {trials: 100, engine: counts}\n");
  try {
    run_study(study, 1, nullptr);
    FAIL() << "counts were drawn";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::bad_input);
    const std::string text = error.what();
    EXPECT_NE(
        text.find("study:7:35: error: design \"linked\" under scenario \"reported\" cannot be drawn"),
        std::string::npos)
        << text;
    EXPECT_EQ(text.find("\"plain\""), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace trialwright::engine
