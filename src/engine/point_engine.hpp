// Which engine makes a point's trials: their counts, drawn from the exact joint law, or their patients.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/block_pool.hpp"
#include "scenario/study.hpp"
#include "trial/count_plan.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::engine {

struct PointEngine {
  std::shared_ptr<const trial::CountPlan> counts;  // null: patients are simulated
  std::string why_patients;                        // empty where counts are drawn

  // "counts" or "patients".
  std::string name() const;
  // The engine used, and why, for whoever reads the results.
  std::string note() const;
};

// As the study's simulation.engine says: auto draws counts where their law is exact. Throws bad_input,
// at simulation.engine, where counts are asked for and have no exact law.
PointEngine engine_of(const scenario::Study& study, const trial::TrialPlan& plan);

// Of every plan, made on n_threads threads; all that have no exact law are told in one go, as are
// points drawn as counts whose patients the study's `outputs` asks for. Asked to stop it throws
// interrupted.
std::vector<PointEngine> engines_of(const scenario::Study& study,
                                    const std::vector<std::shared_ptr<const trial::TrialPlan>>& plans,
                                    int n_threads, Monitor* monitor = nullptr);

}  // namespace trialwright::engine
