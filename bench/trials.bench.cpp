// Whole trials: trials/s and patients/s of the shipped designs, by number of patients and by threads.
#include <benchmark/benchmark.h>

#include <string>

#include "engine/simulate.hpp"
#include "scenario/study.hpp"
#include "trial/simulate_trial.hpp"

namespace {

using namespace trialwright;

std::shared_ptr<const trial::TrialPlan> plan_of(const std::string& library, int n_patients) {
  auto study = scenario::Study::parse(
      "schema: 1\nextends: library/" + library +
          "\ndesigns: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: " +
          std::to_string(n_patients) +
          ", primary: easi50_superiority}}\nscenarios: {reported: {effect: 1}}\n",
      "bench", TRIALWRIGHT_SOURCE_DIR "/configs", {});
  return study.plan({"fixed", "reported", {}});
}

void one_trial(benchmark::State& state, const std::string& library) {
  const auto plan = plan_of(library, static_cast<int>(state.range(0)));
  trial::Workspace workspace;
  workspace.prepare(*plan);
  std::uint64_t i_trial = 0;
  for (auto _ : state) {
    trial::simulate_trial(*plan, i_trial++, workspace);
    benchmark::DoNotOptimize(workspace.outcome);
  }
  state.counters["trials/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["patients/s"] = benchmark::Counter(
      static_cast<double>(state.iterations() * state.range(0)), benchmark::Counter::kIsRate);
}

void whole_run(benchmark::State& state) {
  const auto plan = plan_of("hcmsc.yaml", 300);
  const std::vector<engine::Work> work{{plan.get(), {std::nullopt}, 20000, 0}};
  for (auto _ : state)
    benchmark::DoNotOptimize(engine::simulate(work, static_cast<int>(state.range(0)), nullptr));
  state.counters["trials/s"] =
      benchmark::Counter(static_cast<double>(state.iterations() * 20000), benchmark::Counter::kIsRate);
}

}  // namespace

BENCHMARK_CAPTURE(one_trial, course_alone, std::string("hcmsc.yaml"))
    ->RangeMultiplier(10)
    ->Range(30, 30000);
BENCHMARK_CAPTURE(one_trial, rescue_and_dropout, std::string("hcmsc_rescue.yaml"))
    ->RangeMultiplier(10)
    ->Range(30, 30000);
BENCHMARK(whole_run)->Arg(1)->Arg(2)->Arg(4)->Arg(8)->Arg(16)->UseRealTime()->Unit(
    benchmark::kMillisecond);
