// A whole study: every point's plan, exact powers, true values and trials, as results to be reported.
#pragma once

#include "engine/exact_powers.hpp"
#include "engine/point_engine.hpp"
#include "engine/simulate.hpp"
#include "engine/true_values.hpp"
#include "scenario/study.hpp"
#include "trialwright/results.hpp"

namespace trialwright::engine {

// Every point of a study, with its plan and its engine.
struct StudyPlan {
  std::vector<scenario::PointSpec> points;
  std::vector<std::shared_ptr<const trial::TrialPlan>> plans;
  std::vector<PointEngine> engines;
};
// Plans on n_threads threads. Throws bad_input where a setting makes the study faulty, or
// simulation.engine asks for counts that have no exact law.
StudyPlan plan_study(const scenario::Study& study, int n_threads);

// True values first, then exact powers, then every point's trials, all in one pool. Results depend on
// the study alone. A stop asked by the monitor leaves `interrupted` set, each point with the trials
// finished by then, points without any left out.
Results run_study(const scenario::Study& study, const StudyPlan& plan, int n_threads, Monitor* monitor);
Results run_study(const scenario::Study& study, int n_threads, Monitor* monitor);

// One point's results from its plan, its engine, what is calculated of it and its work's sum; the
// pieces of run_study, for shards and tests.
Point point_of(const scenario::PointSpec& spec, const trial::TrialPlan& plan, const PointEngine& engine,
               const std::vector<std::optional<TrueValue>>& true_values,
               const std::vector<Calculated>& calculated, const PointAccumulator& sum);

// The plans' work, `n_trials` each, by these engines; without true values.
std::vector<Work> work_of(const std::vector<std::shared_ptr<const trial::TrialPlan>>& plans,
                          const std::vector<PointEngine>& engines, std::uint64_t n_trials);

}  // namespace trialwright::engine
