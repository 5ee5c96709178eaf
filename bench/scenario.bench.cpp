#include <benchmark/benchmark.h>

#include <filesystem>

#include "scenario/study.hpp"

namespace {

namespace scenario = trialwright::scenario;

const std::filesystem::path k_grid =
    std::filesystem::path(TRIALWRIGHT_SOURCE_DIR) / "configs" / "cluster_grid.yaml";

void load_grid(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(scenario::Study::load(k_grid, {}));
}
BENCHMARK(load_grid)->Unit(benchmark::kMillisecond);

// Items are points: all of the grid, planned one after the other, as `merge` does. Tables are made
// when a trial first reads them, and not here.
void plan_grid(benchmark::State& state) {
  const auto study = scenario::Study::load(k_grid, {});
  const auto points = study.points();
  for (auto _ : state) {
    scenario::Study planner = study;
    benchmark::DoNotOptimize(planner.plans(points));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(points.size()));
}
BENCHMARK(plan_grid)->Unit(benchmark::kMillisecond);

}  // namespace
