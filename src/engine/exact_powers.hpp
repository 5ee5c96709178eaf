// The exact powers that stand beside the simulated ones.
#pragma once

#include <span>
#include <vector>

#include "engine/simulate.hpp"

namespace trialwright::engine {

// [i_work][i_analysis]: TrialPlan::exact_power of every analysis of every point, each enumerated as one
// job of a pool of `n_threads` threads; the monitor hears how many of all are done. Empty after a stop
// that left any of them out.
std::vector<std::vector<trial::TrialPlan::ExactPower>> exact_powers(std::span<const Work> work,
                                                                    int n_threads, Monitor* monitor);

}  // namespace trialwright::engine
