#include "engine/point_engine.hpp"

#include <fmt/format.h>

#include "trialwright/error.hpp"

namespace trialwright::engine {
namespace {

using scenario::EngineChoice;

PointEngine attempt(EngineChoice choice, const trial::TrialPlan& plan) {
  if (choice == EngineChoice::patients) return {nullptr, "simulation.engine says so"};
  auto made = trial::CountPlan::make(plan);
  return {std::move(made.plan), std::move(made.why_not)};
}

// A point that must be drawn as counts, and cannot be.
void add_fault(const scenario::Study& study, const trial::TrialPlan& plan, const PointEngine& engine,
               input::Diagnostics& faults) {
  const auto& simulation = study.spec().simulation;
  if (simulation.engine != EngineChoice::counts || engine.counts) return;
  faults.add(simulation.engine_at,
             fmt::format("design \"{}\" under scenario \"{}\" cannot be drawn as counts ({})",
                         plan.design, plan.scenario, engine.why_patients),
             "engine: auto draws counts wherever their law is exact, and patients elsewhere");
}

// A point whose patients are asked for, and that has none.
void add_fault_of_outputs(const scenario::Study& study, const trial::TrialPlan& plan,
                          const PointEngine& engine, input::Diagnostics& faults) {
  const auto& outputs = study.spec().outputs;
  if (outputs.patients_of_trials == 0 || !engine.counts) return;
  faults.add(outputs.patients_at,
             fmt::format("design \"{}\" under scenario \"{}\" has no patients to write (its counts are "
                         "drawn from their exact joint law)",
                         plan.design, plan.scenario),
             "simulation.engine: patients makes them; without them, patients: 0");
}

struct Engines {
  std::vector<PointEngine> values;
  void merge(const Engines& later) {
    values.insert(values.end(), later.values.begin(), later.values.end());
  }
};

struct NoScratch {};

}  // namespace

std::string PointEngine::name() const {
  return counts ? "counts" : "patients";
}

std::string PointEngine::note() const {
  return counts ? "counts drawn from their exact joint law" : "patients simulated: " + why_patients;
}

PointEngine engine_of(const scenario::Study& study, const trial::TrialPlan& plan) {
  auto engine = attempt(study.spec().simulation.engine, plan);
  input::Diagnostics faults;
  add_fault(study, plan, engine, faults);
  if (!faults.empty()) study.refuse(faults);
  return engine;
}

std::vector<PointEngine> engines_of(const scenario::Study& study,
                                    const std::vector<std::shared_ptr<const trial::TrialPlan>>& plans,
                                    int n_threads, Monitor* monitor) {
  const EngineChoice choice = study.spec().simulation.engine;
  std::vector<Job<Engines>> jobs{{plans.size(), plans.size(), {}}};
  run_blocks<NoScratch>(
      jobs, n_threads, monitor,
      [&](std::size_t, std::uint64_t i, NoScratch&) { return Engines{{attempt(choice, *plans[i])}}; },
      Monitor::Phase::planning);
  if (jobs.front().sum.values.size() < plans.size())
    throw Error(ExitStatus::interrupted, "interrupted: the points were not planned yet");
  input::Diagnostics faults;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    add_fault(study, *plans[i], jobs.front().sum.values[i], faults);
    add_fault_of_outputs(study, *plans[i], jobs.front().sum.values[i], faults);
  }
  if (!faults.empty()) study.refuse(faults);
  return std::move(jobs.front().sum.values);
}

}  // namespace trialwright::engine
