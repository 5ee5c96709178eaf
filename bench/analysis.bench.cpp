// Decisions and estimates of one trial (items are trials), and what an exact
// region costs to build once.
#include <benchmark/benchmark.h>

#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/estimate.hpp"

namespace {

using namespace trialwright::analysis;

// Tables such as 75 + 75 patients give, in an order that no branch predictor learns by heart.
std::vector<TwoByTwo> tables() {
  std::vector<TwoByTwo> made;
  unsigned state = 1;
  const auto next = [&state](int n) {
    return static_cast<int>((state = state * 1664525u + 1013904223u) >> 16) % n;
  };
  for (int i = 0; i < 4096; ++i) made.push_back({30 + next(25), 75, 15 + next(20), 75});
  return made;
}

void reject(benchmark::State& state, Method method) {
  const BinaryTest test({method, Sides::two, 0.05, 0.0, Direction::higher_is_better});
  BinaryTest::Cache cache;
  const auto trials = tables();
  for (auto _ : state)
    for (const auto& table : trials) benchmark::DoNotOptimize(test.reject(table, cache));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(trials.size()));
}
BENCHMARK_CAPTURE(reject, chi_square, Method::chi_square);
BENCHMARK_CAPTURE(reject, z_unpooled, Method::z_unpooled);
BENCHMARK_CAPTURE(reject, fisher, Method::fisher);
BENCHMARK_CAPTURE(reject, boschloo, Method::boschloo);
BENCHMARK_CAPTURE(reject, cmh, Method::cmh);

void non_inferiority(benchmark::State& state) {
  const BinaryTest test(
      {Method::farrington_manning, Sides::one, 0.025, 0.1, Direction::higher_is_better});
  BinaryTest::Cache cache;
  const auto trials = tables();
  for (auto _ : state)
    for (const auto& table : trials) benchmark::DoNotOptimize(test.reject(table, cache));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(trials.size()));
}
BENCHMARK(non_inferiority);

void interval(benchmark::State& state, EffectMeasure measure, IntervalMethod method) {
  const Estimator estimator(measure, method, 0.95, Stratification::none);
  const auto trials = tables();
  for (auto _ : state)
    for (const auto& table : trials) benchmark::DoNotOptimize(estimator(table));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(trials.size()));
}
BENCHMARK_CAPTURE(interval, difference_newcombe, EffectMeasure::risk_difference,
                  IntervalMethod::newcombe);
BENCHMARK_CAPTURE(interval, difference_score, EffectMeasure::risk_difference,
                  IntervalMethod::miettinen_nurminen);
BENCHMARK_CAPTURE(interval, odds_ratio_wald, EffectMeasure::odds_ratio, IntervalMethod::wald);
BENCHMARK_CAPTURE(interval, odds_ratio_score, EffectMeasure::odds_ratio,
                  IntervalMethod::miettinen_nurminen);

void build_region(benchmark::State& state, Method method) {
  const BinaryTest test({method, Sides::one, 0.025, 0.0, Direction::higher_is_better});
  const int n = static_cast<int>(state.range(0));
  for (auto _ : state) {
    BinaryTest::Cache cache;
    benchmark::DoNotOptimize(test.reject({n / 2, n, n / 3, n}, cache));
  }
}
BENCHMARK_CAPTURE(build_region, fisher, Method::fisher)
    ->Arg(75)
    ->Arg(150)
    ->Arg(500)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(build_region, boschloo, Method::boschloo)
    ->Arg(75)
    ->Arg(150)
    ->Arg(500)
    ->Unit(benchmark::kMillisecond);

}  // namespace
