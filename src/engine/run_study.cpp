#include "engine/run_study.hpp"

#include <fmt/format.h>

#include "engine/exact_powers.hpp"
#include "engine/metrics.hpp"
#include "engine/trial_stage.hpp"
#include "trialwright/version.hpp"

namespace trialwright::engine {

std::vector<Work> work_of(const std::vector<std::shared_ptr<const trial::TrialPlan>>& plans,
                          const std::vector<PointEngine>& engines, std::uint64_t n_trials) {
  std::vector<Work> work;
  for (std::size_t i = 0; i < plans.size(); ++i)
    work.push_back({plans[i].get(), {}, n_trials, 0, engines[i].counts});
  return work;
}

Point point_of(const scenario::PointSpec& spec, const trial::TrialPlan& plan, const PointEngine& engine,
               const std::vector<std::optional<TrueValue>>& true_values,
               const std::vector<Calculated>& calculated, const PointAccumulator& sum) {
  Point point;
  point.design = spec.design;
  point.scenario = spec.scenario;
  for (const auto& [path, value] : spec.sweep) point.sweep.push_back({path, value.text});
  point.n_trials = sum.n_trials;
  point.engine = engine.name();
  std::vector<std::optional<double>> powers;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    if (calculated[i].is_null) point.null_hypotheses.push_back(plan.analyses[i].name);
    const auto& exact = calculated[i].power;
    powers.push_back(exact.power);
    if (!exact.power)
      point.notes.push_back(
          fmt::format("{}: no exact power ({})", plan.analyses[i].name, exact.why_not));
    point.n_failed_analyses += sum.analyses[i].n_failed;
  }
  point.notes.push_back(engine.note());
  point.metrics = metrics_of(plan, true_values, powers, sum);
  return point;
}

StudyPlan plan_study(scenario::Study& study, int n_threads) {
  StudyPlan plan;
  plan.points = study.points();
  plan.plans = study.plans(plan.points);
  plan.engines = engines_of(study, plan.plans, n_threads);
  return plan;
}

Results run_study(scenario::Study& study, int n_threads, Monitor* monitor) {
  return run_study(study, plan_study(study, n_threads), n_threads, monitor);
}

Results run_study(const scenario::Study& study, const StudyPlan& plan, int n_threads,
                  Monitor* monitor) {
  const auto& [specs, plans, engines] = plan;
  auto work = work_of(plans, engines, study.spec().simulation.trials);
  Results results;
  results.study = study.name();
  results.study_hash = fmt::format("{:016x}", study.hash());
  results.seed = study.spec().simulation.seed;
  results.version = k_version;

  TruthStage truths(work, n_threads);
  ExactPowerStage powers(work);
  TrialStage trials(work, n_threads, [&] { truths.wait(); });
  Stage* const stages[] = {&truths, &powers, &trials};
  run_stages(stages, n_threads, monitor);
  const auto sums = trials.sums();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    results.interrupted = results.interrupted || sums[i].n_trials < work[i].n_trials;
    if (sums[i].n_trials > 0)
      results.points.push_back(point_of(specs[i], *plans[i], engines[i], truths.truths()[i],
                                        powers.calculated()[i], sums[i]));
  }
  return results;
}

}  // namespace trialwright::engine
