// What a point costs, estimated from its plan: the same number on every machine.
#pragma once

#include <cstdint>
#include <optional>

#include "scenario/study_spec.hpp"
#include "trial/count_plan.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::shard {

// Nanoseconds on one core, by either engine: planning, exact powers, true values and trials.
struct PointCost {
  double by_patients = 0;
  std::optional<double> by_counts;  // where the point is drawn as counts
};

// For n_trials trials. The coefficients are rough fits to the engine's benchmarks.
PointCost cost_of(const trial::TrialPlan& plan, const trial::CountPlan* counts,
                  const scenario::SimulationSpec& simulation, std::uint64_t n_trials);

}  // namespace trialwright::shard
