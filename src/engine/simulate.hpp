// The engine in its simplest form: the sums of given trials of given plans, on several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/accumulator.hpp"
#include "engine/block_pool.hpp"
#include "engine/portion.hpp"
#include "trial/count_plan.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::engine {

// One point's work: trials first_trial … first_trial + n_trials - 1 of a plan.
struct Work {
  const trial::TrialPlan* plan = nullptr;
  TrueValues true_values;  // [i_analysis]
  std::uint64_t n_trials = 0;
  std::uint64_t first_trial = 0;
  std::shared_ptr<const trial::CountPlan> counts = nullptr;  // null: patients are simulated
};

// Every point's sum over its finished trials. Points and blocks share one pool of `n_threads` threads.
// Result = f(work) alone; after a stop, each sum holds its leading blocks up to the first unfinished
// one.
std::vector<PointAccumulator> simulate(std::span<const Work> work, int n_threads, Monitor* monitor);

// Threads this process may use: affinity mask and cgroup CPU quota respected; at least 1.
int available_threads();

}  // namespace trialwright::engine
