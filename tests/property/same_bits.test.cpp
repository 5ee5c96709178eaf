// The text of results.json is the same on every instruction set that kernels are compiled for, and on
// one, two and three threads, and so is every patient: whole studies, read and compiled anew each time.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <set>

#include "engine/run_study.hpp"
#include "property/whole_studies.hpp"
#include "report/json.hpp"
#include "support/vector_targets.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::property {
namespace {

class SameBits : public testing::TestWithParam<WholeStudy> {};

Results results_of(const WholeStudy& one, int n_threads) {
  auto study = read(one, one.n_trials);
  return engine::run_study(study, n_threads, nullptr);
}

TEST_P(SameBits, OnEveryInstructionSet) {
  const Results expected = results_of(GetParam(), 1);
  const std::string text = report::write_json(expected);
  ASSERT_FALSE(expected.points.empty());
  for (const auto& point : expected.points) {
    EXPECT_EQ(point.n_trials, static_cast<std::uint64_t>(GetParam().n_trials));
    if (GetParam().engine != "auto") {
      EXPECT_EQ(point.engine, GetParam().engine);
    }
  }
  int n_targets = 0;
  test::for_each_target([&] {
    EXPECT_EQ(report::write_json(results_of(GetParam(), 1 + n_targets % 3)), text);
    ++n_targets;
  });
  EXPECT_GE(n_targets, 2);
}

// Of several blocks of trials, so that threads take them in turn.
TEST_P(SameBits, OnMoreThreads) {
  auto study = read(GetParam(), 1);
  const auto plan = engine::plan_study(study, 1);
  auto longer = GetParam();
  longer.n_trials = static_cast<int>(
      5 * engine::block_trials(*plan.plans.front(), plan.engines.front().counts.get()) / 2);
  const std::string text = report::write_json(results_of(longer, 1));
  for (int n_threads : {2, 3})
    EXPECT_EQ(report::write_json(results_of(longer, n_threads)), text) << n_threads << " threads";
}

// Sums to the bit over columns and events: FNV-1a of the bytes.
class Bytes {
 public:
  template <class Column>
  void add(const Column& column) {
    for (const auto value : column) {
      unsigned char bytes[sizeof value];
      std::memcpy(bytes, &value, sizeof value);
      for (const auto byte : bytes) hash_ = (hash_ ^ byte) * 0x100000001b3u;
    }
  }
  template <class T>
  void add(const base::Columns<T>& columns) {
    for (std::size_t i = 0; i < columns.n_columns(); ++i) add(columns[i]);
  }
  std::uint64_t hash() const { return hash_; }

 private:
  std::uint64_t hash_ = 0xcbf29ce484222325u;
};

std::uint64_t hash_of(const patient::Cohort& cohort) {
  Bytes bytes;
  bytes.add(cohort.site);
  bytes.add(cohort.region);
  bytes.add(cohort.randomised_months);
  bytes.add(cohort.covariates);
  bytes.add(cohort.strata);
  bytes.add(cohort.arm);
  bytes.add(cohort.unrescued_ratio);
  bytes.add(cohort.values);
  bytes.add(cohort.rescue_weeks);
  bytes.add(cohort.rescue_tier);
  bytes.add(cohort.discontinuation_weeks);
  bytes.add(cohort.dropout_weeks);
  for (const auto& event : cohort.adverse_events) {
    bytes.add(std::array{event.patient, int{event.category}, int{event.grade}, int{event.serious}});
    bytes.add(std::array{event.week, event.recovered_week});
  }
  return bytes.hash();
}

// Everything of every patient, whether or not the study reads it.
TEST_P(SameBits, OfEveryPatientOnEveryInstructionSet) {
  std::vector<std::uint64_t> expected;
  test::for_each_target([&] {
    auto study = read(GetParam(), GetParam().n_trials);
    std::vector<std::uint64_t> hashes;
    for (const auto& plan : study.plans(study.points())) {
      trial::Workspace workspace;
      workspace.prepare(*plan);
      for (std::uint64_t trial = 0; trial < 10; ++trial) {
        trial::simulate_trial(*plan, trial, trial::every_need(*plan->model), workspace);
        hashes.push_back(hash_of(workspace.cohort));
      }
    }
    if (expected.empty()) expected = hashes;
    EXPECT_EQ(hashes, expected);
  });
  EXPECT_EQ(std::set(expected.begin(), expected.end()).size(), expected.size());
}

INSTANTIATE_TEST_SUITE_P(Studies, SameBits, testing::ValuesIn(whole_studies()), name_of);

}  // namespace
}  // namespace trialwright::property
