#include <benchmark/benchmark.h>

#include <vector>

#include "sequential/boundary.hpp"

namespace {

namespace sequential = trialwright::sequential;
using sequential::Binding;
using sequential::BoundarySpec;
using sequential::Family;

const BoundarySpec k_lan_demets{Family::lan_demets_obrien_fleming, {}, {}, {}, {}};
const BoundarySpec k_hwang_shih_decani{Family::hwang_shih_decani, -4, {}, {}, {}};
const BoundarySpec k_obrien_fleming{Family::obrien_fleming, {}, {}, {}, {}};
const BoundarySpec k_pocock{Family::pocock, {}, {}, {}, {}};
const sequential::FutilitySpec k_futility{{Family::hwang_shih_decani, -2, {}, {}, {}}, 0.1};

std::vector<double> equal_looks(std::int64_t n) {
  std::vector<double> information;
  for (std::int64_t k = 1; k <= n; ++k)
    information.push_back(static_cast<double>(k) / static_cast<double>(n));
  return information;
}

void performance(const sequential::Boundary& boundary, double drift) {
  for (const double at : {0.0, drift / 2, drift})
    benchmark::DoNotOptimize(sequential::crossing_probabilities(boundary, at));
}

// A whole design: boundaries, the drift of power 0.9, and its operating characteristics.
void efficacy_design(benchmark::State& state, const BoundarySpec& spec) {
  const auto information = equal_looks(state.range(0));
  for (auto _ : state) {
    const auto boundary = sequential::efficacy_boundary(spec, 0.025, information);
    performance(boundary, sequential::drift_for_power(boundary, 0.9));
  }
}

void futility_design(benchmark::State& state, const BoundarySpec& spec, Binding binding) {
  const auto information = equal_looks(state.range(0));
  for (auto _ : state) {
    const auto boundary =
        sequential::boundary_with_futility(spec, 0.025, k_futility, binding, information);
    performance(boundary, boundary.drift);
  }
}

// One trial's boundaries at information that was not planned.
void running(benchmark::State& state) {
  const auto n = state.range(0);
  const sequential::RunningBoundary boundary(k_lan_demets, 0.025, equal_looks(n));
  sequential::RunningBoundary::Path path;
  for (auto _ : state) {
    boundary.start(path);
    for (std::int64_t k = 1; k <= n; ++k)
      benchmark::DoNotOptimize(boundary.next(path,
                                             (static_cast<double>(k) - 0.03) / static_cast<double>(n),
                                             k == n ? sequential::RunningBoundary::Look::final
                                                    : sequential::RunningBoundary::Look::interim));
  }
  state.SetItemsProcessed(state.iterations() * n);
}

BENCHMARK_CAPTURE(efficacy_design, lan_demets, k_lan_demets)
    ->Arg(3)
    ->Arg(20)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(efficacy_design, obrien_fleming, k_obrien_fleming)
    ->Arg(3)
    ->Arg(20)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(efficacy_design, pocock, k_pocock)->Arg(3)->Arg(20)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(futility_design, hwang_shih_decani, k_hwang_shih_decani, Binding::non_binding)
    ->Arg(3)
    ->Arg(20)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(futility_design, hwang_shih_decani_binding, k_hwang_shih_decani, Binding::binding)
    ->Arg(20)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(futility_design, pocock_binding, k_pocock, Binding::binding)
    ->Arg(20)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(running)->Arg(2)->Arg(3)->Arg(5)->Arg(20)->Unit(benchmark::kMicrosecond);

}  // namespace
