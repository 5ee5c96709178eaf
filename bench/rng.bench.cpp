#include <benchmark/benchmark.h>

#include <vector>

#include "rng/draws.hpp"
#include "rng/stream.hpp"

namespace {

namespace rng = trialwright::rng;

constexpr rng::Address k_address{rng::key_from_seed(1), rng::Purpose::course, 1, 0};

// Items are draws: the rate is draws a second, its inverse the time a draw.
void count_draws(benchmark::State& state, std::size_t n_draws_each) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(n_draws_each));
}

void stream_words(benchmark::State& state) {
  rng::Stream stream(k_address);
  for (auto _ : state) benchmark::DoNotOptimize(stream());
  count_draws(state, 1);
}
BENCHMARK(stream_words);

void stream_normals(benchmark::State& state) {
  rng::Stream stream(k_address);
  std::uint32_t draw = 0;
  for (auto _ : state) benchmark::DoNotOptimize(stream.normal(draw++));
  count_draws(state, 1);
}
BENCHMARK(stream_normals);

void fill_uniform_of_units(benchmark::State& state) {
  std::vector<double> out(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    rng::fill_uniform(k_address, 0, out);
    benchmark::ClobberMemory();
  }
  count_draws(state, out.size());
}
BENCHMARK(fill_uniform_of_units)->Arg(300)->Arg(4096);

void fill_normal_of_units(benchmark::State& state) {
  std::vector<double> out(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    rng::fill_normal(k_address, 0, out);
    benchmark::ClobberMemory();
  }
  count_draws(state, out.size());
}
BENCHMARK(fill_normal_of_units)->Arg(300)->Arg(4096);

void fill_uniform_columns(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<double> out(8 * n);
  for (auto _ : state) {
    rng::fill_uniforms(k_address, 0, 8, {out.data(), n, n});
    benchmark::ClobberMemory();
  }
  count_draws(state, out.size());
}
BENCHMARK(fill_uniform_columns)->Arg(300)->Arg(4096);

void fill_normal_columns(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  std::vector<double> out(8 * n);
  for (auto _ : state) {
    rng::fill_normals(k_address, 0, 8, {out.data(), n, n});
    benchmark::ClobberMemory();
  }
  count_draws(state, out.size());
}
BENCHMARK(fill_normal_columns)->Arg(300)->Arg(4096);

void gamma_draws(benchmark::State& state) {
  rng::Stream stream(k_address);
  for (auto _ : state) benchmark::DoNotOptimize(rng::gamma(stream, 2.5));
  count_draws(state, 1);
}
BENCHMARK(gamma_draws);

}  // namespace
