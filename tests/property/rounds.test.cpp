// Precision in rounds: a point stops after the first round that makes it precise, with the bytes of a
// run of that many trials without a target; on any number of threads, however often it is interrupted.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <set>
#include <string>

#include <fmt/format.h>

#include "engine/precision.hpp"
#include "engine/run_study.hpp"
#include "property/whole_studies.hpp"
#include "report/json.hpp"

namespace trialwright::property {
namespace {

struct RoundsCase {
  std::string name;
  std::string extends;
  std::string sections;
  std::string precision;
  std::uint64_t n_trials = 0;
};

std::ostream& operator<<(std::ostream& out, const RoundsCase& one) {
  return out << one.name;
}

scenario::Study study_of(const RoundsCase& one, std::uint64_t n_trials, const std::string& precision) {
  return scenario::Study::parse(
      fmt::format("schema: 1\nextends: {}\n{}simulation: {{trials: {}, seed: 20261123, truth_patients: "
                  "16384, precision: {}}}\n",
                  one.extends, one.sections, n_trials, precision),
      one.name, TRIALWRIGHT_SOURCE_DIR "/configs", {});
}
scenario::Study study_of(const RoundsCase& one) {
  return study_of(one, one.n_trials, one.precision);
}

// Targets that some points reach in the first round, some later and some never.
std::vector<RoundsCase> cases() {
  const std::string hcmsc = "library/hcmsc.yaml", rescue = "library/hcmsc_rescue.yaml";
  const std::string sizes = "sweep: {designs.only.patients: [8, 24, 60, 150]}\n";
  const std::string easi50 = "primary: easi50_superiority";
  return {
      {"power_of_counts", hcmsc,
       one_design(60, easi50, "{null: {effect: 0}, reported: {effect: 1}}") +
           "sweep: {designs.only.patients: [20, 60, 134, 400]}\n",
       "{mcse: 0.0008}", 300'000},
      {"power_of_patients", rescue, one_design(60, easi50) + sizes, "{mcse: 0.009, round_trials: 400}",
       2300},
      {"coverage_of_a_secondary", rescue,
       one_design(60, easi50 + ", secondary: [easi75_superiority]") + sizes,
       "{metric: coverage, hypothesis: easi75_superiority, half_width: 0.016, round_trials: 300}",
       1500},
      {"rates_of_both_arms", rescue, one_design(60, easi50) + sizes,
       "{metric: event_rate, mcse: 0.0021, round_trials: 300}", 1500},
      {"mean_estimates", rescue, one_design(60, easi50) + sizes,
       "{metric: mean_estimate, mcse: 0.0035, round_trials: 300}", 1500},
      {"adverse_events", rescue, one_design(60, "primary: ae_noninferiority") + sizes,
       "{metric: ae_rate, half_width: 0.004, round_trials: 300}", 1500},
      {"assurance", hcmsc,
       one_design(67, easi50, "{drawn: {truth: {draw: calibration_posterior}}, odds: {odds_ratio: 9}}"),
       "{mcse: 0.01, round_trials: 1000}", 8000},
  };
}

class RoundsOf : public testing::TestWithParam<RoundsCase> {};

TEST_P(RoundsOf, EndAsOnOneThreadOnAny) {
  auto study = study_of(GetParam());
  const Results expected = engine::run_study(study, 1, nullptr);
  std::set<std::uint64_t> stops;
  for (const auto& point : expected.points) stops.insert(point.n_trials);
  EXPECT_FALSE(expected.interrupted);
  EXPECT_GE(stops.size(), 2u) << "all points stop at once";
  for (const int n_threads : {2, 3})
    EXPECT_EQ(report::write_json(engine::run_study(study, n_threads, nullptr)),
              report::write_json(expected));
}

// The same by another way: runs of whole rounds, each from the beginning and without a target, judged
// one after the other.
TEST_P(RoundsOf, EndWhereRunsWithoutATargetAreFirstPreciseEnough) {
  const auto target = *study_of(GetParam()).spec().simulation.precision;
  auto study = study_of(GetParam());
  const Results stopped = engine::run_study(study, 2, nullptr);
  const auto plan = engine::plan_study(study, 2);
  for (std::size_t i = 0; i < stopped.points.size(); ++i) {
    const auto shape = engine::track_shape(*plan.plans[i], plan.engines[i].counts.get(),
                                           engine::Track::trials, GetParam().n_trials);
    const std::uint64_t round =
        (target.round_trials + shape.block_trials - 1) / shape.block_trials * shape.block_trials;
    const std::size_t one[] = {i};
    std::optional<Point> expected;
    for (std::uint64_t n = round; !expected; n += round) {
      auto shorter = study_of(GetParam(), std::min(n, GetParam().n_trials), "null");
      auto points = engine::run_study(shorter, engine::plan_study(shorter, one, 1), 1, nullptr).points;
      ASSERT_EQ(points.size(), 1u);
      if (n >= GetParam().n_trials || engine::is_precise(points.front(), target))
        expected = std::move(points.front());
    }
    EXPECT_EQ(stopped.points[i].n_trials, expected->n_trials) << "point " << i;
    Results left = stopped, right = stopped;
    left.points = {stopped.points[i]};
    right.points = {*expected};
    EXPECT_EQ(report::write_json(left), report::write_json(right)) << "point " << i;
  }
}

// Stops after a number of blocks drawn at random, and keeps what it is given.
class Interrupter final : public engine::Monitor, public engine::Keeper {
 public:
  explicit Interrupter(int n_looks) : n_looks_(n_looks) {}
  void progress(std::uint64_t, std::uint64_t) override {}
  bool stop_requested() override { return --n_looks_ < 0; }
  void keep(std::vector<engine::Piece>, std::vector<engine::PointValues>) override {}
  std::optional<std::chrono::steady_clock::duration> interval() override {
    return std::chrono::milliseconds(1);
  }

 private:
  std::atomic<int> n_looks_;
};

TEST_P(RoundsOf, EndAlikeHoweverOftenInterrupted) {
  auto study = study_of(GetParam());
  const auto plan = engine::plan_study(study, 2);
  const std::string expected = report::write_json(engine::run_study(study, plan, 2, nullptr));
  std::mt19937 random(1);
  engine::Ledger ledger(study.points().size());
  int n_runs = 0;
  std::optional<Results> results;
  while (!results || results->interrupted) {
    ASSERT_LT(++n_runs, 2000);
    Interrupter interrupter(1 + static_cast<int>(random() % (4 + n_runs)));
    results = engine::run_study(study, plan, ledger, interrupter, 1 + n_runs % 2, &interrupter);
  }
  EXPECT_GT(n_runs, 2);
  EXPECT_EQ(report::write_json(*results), expected);
}

// A run of more trials at most, or by a stricter target, goes on from the rounds that are done.
TEST_P(RoundsOf, GoOnByAStricterTargetWithoutDoingAnythingAgain) {
  auto study = study_of(GetParam());
  engine::Ledger ledger(study.points().size());
  Interrupter keeper(1 << 30);
  const auto plan = engine::plan_study(study, 2);
  engine::run_study(study, plan, ledger, keeper, 2, nullptr);
  std::string stricter = GetParam().precision;
  const auto digits = stricter.find("0.0");
  stricter.insert(digits + 3, 1, '0');  // a tenth
  auto other = study_of(GetParam(), 2 * GetParam().n_trials, stricter);
  const auto other_plan = engine::plan_study(other, 2);
  EXPECT_EQ(report::write_json(engine::run_study(other, other_plan, ledger, keeper, 2, nullptr)),
            report::write_json(engine::run_study(other, other_plan, 2, nullptr)));
}

INSTANTIATE_TEST_SUITE_P(Studies, RoundsOf, testing::ValuesIn(cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace trialwright::property
