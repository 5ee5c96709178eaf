// The engine around its trials: what counting tables, a block and a point cost beside drawing or
// simulating.
//
// Floor of counting: one load a count that varies, and one counter raised; the counters that a trial is
// likely to raise stay in L1 (33 + 34 patients) or L2 (150 + 150).
#include <benchmark/benchmark.h>

#include <string>

#include "engine/point_engine.hpp"
#include "engine/simulate.hpp"
#include "engine/table_counts.hpp"
#include "scenario/study.hpp"
#include "trial/simulate_trial.hpp"

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

void set_ns_a_trial(benchmark::State& state, double n_trials) {
  state.counters["ns_a_trial"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * n_trials * 1e-9,
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

// Counting alone, of the same drawn trials again and again.
void count_tables(benchmark::State& state) {
  const auto plan = plan_of(state.range(0));
  const auto counts = trial::CountPlan::make(*plan).plan;
  const engine::TableLayout layout(*plan, counts.get());
  std::vector<std::uint32_t> cells(layout.n_cells());
  trial::CountPlan::Workspace workspace;
  counts->draw(plan->key, 0, trial::CountPlan::k_most_trials, workspace);
  for (auto _ : state) {
    layout.count(workspace.counts, trial::CountPlan::k_most_trials, cells);
    benchmark::DoNotOptimize(cells.data());
    benchmark::ClobberMemory();
  }
  set_ns_a_trial(state, trial::CountPlan::k_most_trials);
}

// Testing and estimating every distinct table once: the cost of a point's end.
void evaluate_tables(benchmark::State& state) {
  const auto plan = plan_of(state.range(0));
  const engine::TableLayout layout(*plan, nullptr);
  const engine::TrueValues true_values(1, 0.25);
  const std::vector<std::uint64_t> cells(layout.n_cells(), 1);
  for (auto _ : state) {
    engine::PointAccumulator sum(*plan, true_values);
    engine::add_tables(*plan, layout, true_values, cells, {}, sum);
    benchmark::DoNotOptimize(sum);
  }
  state.counters["tables"] = static_cast<double>(layout.n_cells());
}

// Whole points, one block and more: small ones show what a point and a block cost by themselves.
void points(benchmark::State& state, const std::string& engine) {
  const auto plan = plan_of(300);
  const auto counts = engine == "counts" ? trial::CountPlan::make(*plan).plan : nullptr;
  const auto n_trials = static_cast<std::uint64_t>(state.range(0));
  const engine::Work one{plan.get(), engine::TrueValues(1, 0.25), n_trials, trial::k_calendar_trials,
                         counts};
  const std::vector<engine::Work> work(10, one);
  for (auto _ : state) benchmark::DoNotOptimize(engine::simulate(work, 1, nullptr));
  set_ns_a_trial(state, static_cast<double>(n_trials) * 10);
}

}  // namespace

BENCHMARK(count_tables)->Arg(67)->Arg(300)->Arg(1000);
BENCHMARK(evaluate_tables)->Arg(67)->Arg(300)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(points, counts, std::string("counts"))
    ->Arg(1 << 10)
    ->Arg(1 << 14)
    ->Arg(1 << 18)
    ->Arg(1 << 20);
BENCHMARK_CAPTURE(points, patients, std::string("patients"))->Arg(1 << 6)->Arg(1 << 9)->Arg(1 << 12);
