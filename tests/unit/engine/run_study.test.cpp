// Whole studies: gone on with from a ledger, planned in part, stopped by precision after rounds.
#include "engine/run_study.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "report/json.hpp"
#include "support/studies.hpp"
#include "trialwright/error.hpp"

namespace trialwright::engine {
namespace {

using namespace std::chrono_literals;

scenario::Study study_of(const std::string& simulation) {
  return support::study(
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: "
      "easi50_superiority}}\n"
      "scenarios: {null: {effect: 0}, reported: {effect: 1}}\n"
      "sweep: {designs.fixed.patients: [40, 60]}\n"
      "simulation: {engine: patients, seed: 5, truth_patients: 20000, " +
          simulation + "}\n",
      "library/hcmsc_rescue.yaml");
}

// Keeps what comes, and asks to stop when so many blocks of trials are done.
class Saver final : public Keeper, public Monitor {
 public:
  explicit Saver(int n_blocks) : left_(n_blocks) {}
  void keep(std::vector<Piece> some, std::vector<PointValues> some_values) override {
    for (auto& piece : some) pieces.push_back(std::move(piece));
    for (auto& one : some_values) values.push_back(std::move(one));
  }
  std::optional<std::chrono::steady_clock::duration> interval() override { return 1ms; }
  void begin(Phase phase) override { is_at_trials_ = phase == Phase::trials; }
  void progress(std::uint64_t, std::uint64_t) override { left_ -= is_at_trials_ ? 1 : 0; }
  bool stop_requested() override { return left_ <= 0; }

  std::vector<Piece> pieces;
  std::vector<PointValues> values;

 private:
  int left_;
  bool is_at_trials_ = false;
};

std::string json(const Results& results) {
  return report::write_json(results);
}

TEST(RunStudy, GoesOnFromItsLedgerToTheSameBytes) {
  for (const char* simulation :
       {"trials: 6000", "trials: 9000, precision: {mcse: 0.0065, round_trials: 2048}"}) {
    const auto study = study_of(simulation);
    const auto plan = plan_study(study, 2);
    const auto expected = json(run_study(study, plan, 1, nullptr));
    EXPECT_EQ(json(run_study(study, plan, 3, nullptr)), expected);

    std::vector<Piece> pieces;
    std::vector<PointValues> values;
    int n_runs = 0;
    for (bool is_done = false; !is_done; ++n_runs) {
      Ledger ledger(study.points().size());
      for (const auto& one : values) ledger.add(one);
      for (const auto& piece : pieces) ASSERT_TRUE(ledger.add(piece));
      Saver saver(3);
      const auto results = run_study(study, plan, ledger, saver, 1 + n_runs % 3, &saver);
      is_done = !results.interrupted;
      pieces.insert(pieces.end(), saver.pieces.begin(), saver.pieces.end());
      values.insert(values.end(), saver.values.begin(), saver.values.end());
      if (is_done) {
        EXPECT_EQ(json(results), expected);
      }
    }
    EXPECT_GT(n_runs, 1);
  }
}

// Points that are precise early stop early; what else is in the ledger does not move them.
TEST(RunStudy, StopsEachPointAfterTheRoundThatIsPreciseEnough) {
  const auto study = study_of("trials: 40000, precision: {mcse: 0.0065, round_trials: 2000}");
  const auto plan = plan_study(study, 2);
  const auto results = run_study(study, plan, 2, nullptr);
  ASSERT_EQ(results.points.size(), 4u);
  EXPECT_FALSE(results.interrupted);
  std::uint64_t fewest = 40000, most = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& point = results.points[i];
    const std::uint64_t block = block_trials(*plan.plans[i], nullptr);
    const std::uint64_t round = (2000 + block - 1) / block * block;
    EXPECT_EQ(point.n_trials % round, 0u);
    EXPECT_LE(point.metrics[0].mcse, 0.0065);
    // One round before, it was not there: the MCSE of a proportion is at least this.
    if (point.n_trials > round) {
      const double before =
          point.metrics[0].mcse *
          std::sqrt(static_cast<double>(point.n_trials) / static_cast<double>(point.n_trials - round));
      EXPECT_GT(before, 0.0065 * 0.97);
    }
    fewest = std::min(fewest, point.n_trials);
    most = std::max(most, point.n_trials);
  }
  EXPECT_LT(fewest, most);

  const auto whole_study = study_of("trials: 40000");
  const auto whole_plan = plan_study(whole_study, 2);
  Ledger ledger(4);
  Saver saver(1 << 30);
  run_study(whole_study, whole_plan, ledger, saver, 2, nullptr);
  EXPECT_EQ(json(run_study(study, plan, ledger, saver, 2, nullptr)), json(results));
}

TEST(RunStudy, GivesThePointsThatHaveTrialsWhenStopped) {
  const auto study = study_of("trials: 20000");
  const auto plan = plan_study(study, 2);
  Ledger ledger(4);
  Saver saver(30);
  const auto results = run_study(study, plan, ledger, saver, 2, &saver);
  EXPECT_TRUE(results.interrupted);
  ASSERT_FALSE(results.points.empty());
  std::uint64_t n_trials = 0, n_in_ledger = 0;
  for (const auto& point : results.points) n_trials += point.n_trials;
  for (std::size_t i = 0; i < 4; ++i) n_in_ledger += ledger.n_trials(i);
  EXPECT_EQ(n_trials, n_in_ledger);
  EXPECT_LT(n_trials, 80000u);
}

TEST(PlanStudy, PlansThePointsAskedForAlone) {
  const auto study = study_of("trials: 3000");
  const std::vector<std::size_t> some{1, 3};
  const auto plan = plan_study(study, some, 2), all = plan_study(study, 2);
  ASSERT_EQ(plan.points.size(), 2u);
  EXPECT_EQ(plan.i_points, some);
  EXPECT_EQ(plan.plans[0]->n_patients, 60);
  EXPECT_EQ(plan.plans[1]->scenario, "reported");
  Ledger part(4), whole(4);
  Saver saver(1 << 30);
  const auto results = run_study(study, plan, part, saver, 2, nullptr);
  const auto of_all = run_study(study, all, whole, saver, 2, nullptr);
  ASSERT_EQ(results.points.size(), 2u);
  Results expected = results;
  expected.points = {of_all.points[1], of_all.points[3]};
  EXPECT_EQ(json(results), json(expected));
}

TEST(PlanStudy, StopsWhenAsked) {
  const auto study = study_of("trials: 3000");
  Saver stop(0);
  try {
    plan_study(study, 2, &stop);
    FAIL() << "planned to the end";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::interrupted);
  }
}

}  // namespace
}  // namespace trialwright::engine
