#include <benchmark/benchmark.h>

#include <vector>

#include "design/allocation.hpp"

namespace {

namespace base = trialwright::base;
namespace rng = trialwright::rng;
using namespace trialwright::design;

// Items are patients.
void allocate(benchmark::State& state, const Randomisation& how) {
  const auto n = static_cast<std::size_t>(state.range(0));
  base::Columns<int> strata(n, 2);
  for (std::size_t i = 0; i < n; ++i) {
    strata[0][i] = static_cast<int>(i * 7 % 2);
    strata[1][i] = static_cast<int>(i * 11 % 15);
  }
  const Allocation allocation(how, {{0, 1}, {1, 1}}, static_cast<int>(n), {2, 15});
  Allocation::Workspace workspace;
  std::vector<int> arms(n);
  std::uint64_t trial = 0;
  for (auto _ : state) {
    allocation.allocate(rng::key_from_seed(1), ++trial, strata, arms, workspace);
    benchmark::DoNotOptimize(arms.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n));
}
BENCHMARK_CAPTURE(allocate, random_allocation, RandomAllocation{})->Arg(67)->Arg(300)->Arg(3000);
BENCHMARK_CAPTURE(allocate, simple, SimpleRandomisation{})->Arg(300);
BENCHMARK_CAPTURE(allocate, permuted_block, PermutedBlock{4, {}})->Arg(300);
BENCHMARK_CAPTURE(allocate, permuted_block_by_stratum, PermutedBlock{4, {0, 1}})->Arg(300);
BENCHMARK_CAPTURE(allocate, minimisation, Minimisation{{0, 1}, 0.8, Imbalance::range})->Arg(300);

void arm_size_law(benchmark::State& state) {
  const Allocation allocation(SimpleRandomisation{}, {{0, 1}, {1, 1}}, static_cast<int>(state.range(0)),
                              {});
  for (auto _ : state) benchmark::DoNotOptimize(allocation.arm_size_law(0));
}
BENCHMARK(arm_size_law)->Arg(300)->Arg(100'000);

}  // namespace
