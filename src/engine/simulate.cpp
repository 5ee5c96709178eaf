#include "engine/simulate.hpp"

#include <algorithm>
#include <bit>

#include "engine/table_counts.hpp"
#include "engine/trial_stage.hpp"

namespace trialwright::engine {
namespace {

// About a millisecond each: by measurement (bench/engine.bench.cpp) blocks 16 times as large are no
// faster, and the smaller they are the less a core waits at the end.
constexpr std::uint64_t k_block_patients = 1 << 16;
constexpr std::uint64_t k_most_patient_trials = 1 << 12;
constexpr std::uint64_t k_tabulated_trials = 1 << 17;
constexpr std::uint64_t k_analysed_trials = 1 << 14;

}  // namespace

std::uint64_t block_trials(const trial::TrialPlan& plan, const trial::CountPlan* counts) {
  if (counts) return TableLayout(plan, counts).tabulates_all() ? k_tabulated_trials : k_analysed_trials;
  const auto patients = static_cast<std::uint64_t>(plan.n_patients);
  return std::min(k_most_patient_trials,
                  std::bit_ceil(std::max<std::uint64_t>(1, k_block_patients / patients)));
}

std::vector<PointAccumulator> simulate(std::span<const Work> work, int n_threads, Monitor* monitor) {
  TrialStage trials(work, n_threads);
  Stage* const stages[] = {&trials};
  run_stages(stages, n_threads, monitor);
  return trials.sums();
}

}  // namespace trialwright::engine
