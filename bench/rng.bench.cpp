#include "rng/vector_targets.hpp"

#include <benchmark/benchmark.h>
#include <hwy/highway.h>

#include <array>
#include <cstdint>
#include <ctime>

#include "base/columns.hpp"
#include "rng/batch.hpp"
#include "rng/draws.hpp"
#include "rng/stream.hpp"

namespace {

namespace rng = trialwright::rng;

constexpr rng::Address k_address{rng::key_from_seed(1), rng::Purpose::course, 1, 0};

// One trial of 300 patients, its columns in the first-level cache.
constexpr std::size_t n_units = 300;

// Nanoseconds that the same work takes at best, measured on a kernel written for the purpose (the
// figures that the project set out with); none is known for SSE4 and plain code.
struct Floor {
  double avx512;
  double avx2;
};
constexpr Floor k_word_floor{0.9, 1.6};
constexpr Floor k_normal_floor{1.55, 2.2};

double floor_of(const Floor& floor, std::int64_t target) {
  if (target == HWY_AVX3) return floor.avx512;
  return target == HWY_AVX2 ? floor.avx2 : 0.0;
}

// Confines run-time dispatch to one instruction set for as long as it lives.
class Confined {
 public:
  explicit Confined(std::int64_t target) { hwy::GetChosenTarget().Update(target); }
  ~Confined() { hwy::GetChosenTarget().DeInit(); }
  Confined(const Confined&) = delete;
  Confined& operator=(const Confined&) = delete;
};

// Runs work(), which makes n_items, on the instruction set that the benchmark's argument is; counters
// are nanoseconds of CPU time an item: the floor, what was measured, and their ratio.
template <class Work>
void measure(benchmark::State& state, std::size_t n_items, const Floor* floor, Work work) {
  const auto target = static_cast<std::int64_t>(state.range(0));
  const Confined confined(target);
  const std::clock_t start = std::clock();
  for (auto _ : state) {
    work();
    benchmark::ClobberMemory();
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  const double ns =
      1e9 * seconds / (static_cast<double>(state.iterations()) * static_cast<double>(n_items));
  state.SetLabel(hwy::TargetName(target));
  state.counters["ns"] = ns;
  const double floor_ns = floor == nullptr ? 0.0 : floor_of(*floor, target);
  if (floor_ns == 0.0) return;
  state.counters["floor_ns"] = floor_ns;
  state.counters["ratio"] = ns / floor_ns;
}

struct Columns {
  std::array<trialwright::base::AlignedVector<std::uint32_t>, 4> word;
  trialwright::base::AlignedVector<float> value;

  Columns() : value(n_units) { word.fill(trialwright::base::AlignedVector<std::uint32_t>(n_units)); }
  rng::WordColumns pointers() {
    return {word[0].data(), word[1].data(), word[2].data(), word[3].data()};
  }
};

// Items are 64-bit words, two 32-bit words, as the floor counts.
void words_over_units(benchmark::State& state) {
  Columns columns;
  measure(state, 2 * n_units, &k_word_floor,
          [&] { rng::fill_words(k_address, 0, n_units, columns.pointers()); });
}

void words_over_trials(benchmark::State& state) {
  Columns columns;
  measure(state, 2 * n_units, &k_word_floor,
          [&] { rng::fill_words_of_trials(k_address, 0, n_units, columns.pointers()); });
}

void uniforms_alone(benchmark::State& state) {
  Columns columns;
  rng::fill_words(k_address, 0, n_units, columns.pointers());
  measure(state, n_units, nullptr, [&] { rng::uniforms_of_words(columns.word[0], columns.value); });
}

void normals_alone(benchmark::State& state) {
  Columns columns;
  rng::fill_words(k_address, 0, n_units, columns.pointers());
  measure(state, n_units, nullptr, [&] { rng::normals_of_words(columns.word[0], columns.value); });
}

// Normals with the words they are made of, four columns a Philox block.
void normals_with_their_words(benchmark::State& state) {
  Columns columns;
  measure(state, 4 * n_units, &k_normal_floor, [&] {
    rng::fill_words(k_address, 0, n_units, columns.pointers());
    for (const auto& words : columns.word) rng::normals_of_words(words, columns.value);
  });
}

void every_target(benchmark::internal::Benchmark* benchmark) {
  const std::int64_t usable = HWY_TARGETS & (hwy::SupportedTargets() | HWY_STATIC_TARGET);
  for (std::int64_t rest = usable; rest != 0; rest &= rest - 1) benchmark->Arg(rest & -rest);
  benchmark->ArgName("target");
}
BENCHMARK(words_over_units)->Apply(every_target);
BENCHMARK(words_over_trials)->Apply(every_target);
BENCHMARK(uniforms_alone)->Apply(every_target);
BENCHMARK(normals_alone)->Apply(every_target);
BENCHMARK(normals_with_their_words)->Apply(every_target);

// Draws made one by one: items are draws.
void stream_words(benchmark::State& state) {
  rng::Stream stream(k_address);
  for (auto _ : state) benchmark::DoNotOptimize(stream());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(stream_words);

void stream_normals(benchmark::State& state) {
  rng::Stream stream(k_address);
  std::uint32_t draw = 0;
  for (auto _ : state) benchmark::DoNotOptimize(stream.normal(draw++));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(stream_normals);

void gamma_draws(benchmark::State& state) {
  rng::Stream stream(k_address);
  for (auto _ : state) benchmark::DoNotOptimize(rng::gamma(stream, 2.5));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(gamma_draws);

}  // namespace
