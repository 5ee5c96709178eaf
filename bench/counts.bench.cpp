// Counts drawn instead of patients: trials per second of the draws alone, on one core.
//
// Floor of a fixed two-arm trial: one Philox4x32-10 block (16 bytes of random words, of which 8 are
// used; one_block_of_words_a_trial, 1.5 ns with AVX-512), two loads from tables of 4 KB each, which
// stay in L1, and 16 bytes of counts written. Three looks: three blocks, six loads, 48 bytes. What is
// measured beyond the blocks is about nine instructions a draw.
#include <benchmark/benchmark.h>

#include "rng/batch.hpp"
#include "trial/count_sampler.hpp"

namespace {

using trialwright::trial::CountLaw;
using trialwright::trial::CountSampler;

// Responders of two arms, cumulative over looks of n_arm patients an arm each: events and patients.
CountLaw two_arms(int n_arm, std::size_t n_looks) {
  CountLaw law;
  law.n_columns = 4 * n_looks;
  for (std::size_t look = 0; look < n_looks; ++look) {
    CountLaw::Stage stage;
    for (std::size_t arm = 0; arm < 2; ++arm) {
      CountLaw::Cell event{arm == 0 ? 0.58 : 0.32, {}}, none{arm == 0 ? 0.42 : 0.68, {}};
      for (std::size_t later = look; later < n_looks; ++later) {
        event.columns.push_back(4 * later + 2 * arm);
        event.columns.push_back(4 * later + 2 * arm + 1);
        none.columns.push_back(4 * later + 2 * arm + 1);
      }
      stage.arms.push_back({n_arm, {event, none}});
    }
    law.stages.push_back(stage);
  }
  return law;
}

// Nested responders (two levels) in two strata.
CountLaw nested_in_strata(int n_arm) {
  CountLaw law;
  law.n_columns = 12;
  CountLaw::Stage stage;
  for (std::size_t arm = 0; arm < 2; ++arm) {
    CountLaw::Arm out{n_arm, {}};
    const std::size_t at = 6 * arm;
    for (std::size_t stratum = 0; stratum < 2; ++stratum) {
      const std::size_t events = at + 2 + 2 * stratum, patients = events + 1;
      out.cells.push_back({0.1, {at, at + 1, events, patients}});
      out.cells.push_back({0.15, {at, events, patients}});
      out.cells.push_back({0.25, {patients}});
    }
    stage.arms.push_back(out);
  }
  law.stages.push_back(stage);
  return law;
}

void draw(benchmark::State& state, const CountLaw& law) {
  const auto sampler = CountSampler::compile(law);
  CountSampler::Scratch scratch;
  trialwright::base::Columns<std::int32_t> counts(1024, law.n_columns);
  std::uint64_t trial = 0;
  for (auto _ : state) {
    sampler->draw({1, 2}, trial, 1024, scratch, counts);
    benchmark::DoNotOptimize(counts.data());
    benchmark::ClobberMemory();
    trial += 1024;
  }
  state.SetItemsProcessed(state.iterations() * 1024);
  state.counters["table_kb"] = static_cast<double>(sampler->table_bytes()) / 1024;
}

void fixed_two_arms(benchmark::State& state) {
  draw(state, two_arms(static_cast<int>(state.range(0)), 1));
}
BENCHMARK(fixed_two_arms)->Arg(33)->Arg(150)->Arg(1000)->Arg(10000)->Arg(1000000);

void three_looks(benchmark::State& state) {
  draw(state, two_arms(static_cast<int>(state.range(0)), 3));
}
BENCHMARK(three_looks)->Arg(50)->Arg(500);

void nested_responders_in_two_strata(benchmark::State& state) {
  draw(state, nested_in_strata(static_cast<int>(state.range(0))));
}
BENCHMARK(nested_responders_in_two_strata)->Arg(150)->Arg(1000);

// The part of it that no law can do without.
void one_block_of_words_a_trial(benchmark::State& state) {
  trialwright::base::Columns<std::uint32_t> words(256, 2);
  std::uint64_t trial = 0;
  for (auto _ : state) {
    trialwright::rng::fill_words_of_trials({{1, 2}, trialwright::rng::Purpose::counts, trial, 0}, 0,
                                           256, {words[0].data(), words[1].data(), nullptr, nullptr});
    benchmark::ClobberMemory();
    trial += 256;
  }
  state.SetItemsProcessed(state.iterations() * 256);
}
BENCHMARK(one_block_of_words_a_trial);

}  // namespace
