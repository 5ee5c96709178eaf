// Rows of trials and patients: what writing them costs beside making the trials.
//
// Floor of a row: about 100 bytes copied and 8 bytes of number turned into digits; of a packed one,
// what deflate needs for 100 bytes.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/gzip.hpp"
#include "engine/table_counts.hpp"
#include "scenario/study.hpp"
#include "trial/count_plan.hpp"
#include "trial/patient_rows.hpp"
#include "trial/trial_rows.hpp"

namespace {

using namespace trialwright;

std::shared_ptr<const trial::TrialPlan> plan_of(std::int64_t n_patients) {
  auto study = scenario::Study::parse(
      "schema: 1\nextends: library/hcmsc.yaml\n"
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: " +
          std::to_string(n_patients) +
          ", primary: easi50_superiority}}\nscenarios: {reported: {effect: 1}}\n",
      "bench", TRIALWRIGHT_SOURCE_DIR "/configs", {});
  return study.plan({"fixed", "reported", {}});
}

void set_ns_a_row(benchmark::State& state, double n_rows, double n_bytes) {
  state.counters["ns_a_row"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * n_rows * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["bytes_a_row"] = n_bytes / n_rows;
}

// Trials drawn as counts, some thousand, as text.
struct Rows {
  explicit Rows(const trial::TrialPlan& plan) : counts(trial::CountPlan::make(plan).plan) {
    rows.turn_to(plan, "fixed,reported,");
    cells = engine::cells_of(plan, *counts, 0);
    for (std::uint64_t first = 0; first < k_trials; first += trial::CountPlan::k_most_trials) {
      counts->draw(plan.key, first, trial::CountPlan::k_most_trials, workspace);
      for (std::size_t i = 0; i < trial::CountPlan::k_most_trials; ++i) {
        std::vector<analysis::TwoByTwo> strata;
        engine::read_tables(cells, workspace.counts, i, strata);
        tables.push_back(strata.front());
      }
    }
  }
  void write() {
    text.clear();
    for (std::size_t i = 0; i < tables.size(); ++i) {
      rows.begin(1'000'000 + i, nullptr);
      rows.append(0, {&tables[i], 1}, text);
    }
  }

  static constexpr std::uint64_t k_trials = std::uint64_t{1} << 14;
  std::shared_ptr<const trial::CountPlan> counts;
  trial::TrialRows rows;
  engine::TableCells cells;
  trial::CountPlan::Workspace workspace;
  std::vector<analysis::TwoByTwo> tables;
  std::string text;
};

void rows_of_trials(benchmark::State& state) {
  const auto plan = plan_of(state.range(0));
  Rows rows(*plan);
  for (auto _ : state) {
    rows.write();
    benchmark::DoNotOptimize(rows.text.data());
  }
  set_ns_a_row(state, static_cast<double>(rows.tables.size()), static_cast<double>(rows.text.size()));
}

void packed_rows_of_trials(benchmark::State& state) {
  const auto plan = plan_of(state.range(0));
  Rows rows(*plan);
  rows.write();
  engine::Gzip gzip;
  std::size_t n_bytes = 0;
  for (auto _ : state) n_bytes = gzip.compress(rows.text).size();
  set_ns_a_row(state, static_cast<double>(rows.tables.size()), static_cast<double>(n_bytes));
}

void rows_of_patients(benchmark::State& state) {
  const auto plan = plan_of(300);
  const trial::PatientRows rows(*plan, trial::estimand_names(*plan));
  trial::Workspace workspace;
  workspace.prepare(*plan);
  trial::simulate_trial(*plan, 0, trial::every_need(*plan->model), workspace);
  std::string text;
  for (auto _ : state) {
    text.clear();
    for (std::size_t i = 0; i < 300; ++i) rows.append(workspace, i, text);
    benchmark::DoNotOptimize(text.data());
  }
  set_ns_a_row(state, 300, static_cast<double>(text.size()));
}

}  // namespace

BENCHMARK(rows_of_trials)->Arg(67)->Arg(300)->Arg(5000);
BENCHMARK(packed_rows_of_trials)->Arg(300);
BENCHMARK(rows_of_patients);
