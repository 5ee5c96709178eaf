#include "engine/run_study.hpp"

#include <fmt/format.h>

#include "engine/exact_powers.hpp"
#include "engine/metrics.hpp"
#include "trialwright/version.hpp"

namespace trialwright::engine {

std::vector<Work> work_of(const std::vector<std::shared_ptr<const trial::TrialPlan>>& plans,
                          std::uint64_t n_trials) {
  std::vector<Work> work;
  for (const auto& plan : plans) work.push_back({plan.get(), {}, n_trials, 0});
  return work;
}

Point point_of(const scenario::PointSpec& spec, const trial::TrialPlan& plan,
               const std::vector<std::optional<TrueValue>>& true_values,
               const std::vector<trial::TrialPlan::ExactPower>& exact_powers,
               const PointAccumulator& sum) {
  Point point;
  point.design = spec.design;
  point.scenario = spec.scenario;
  for (const auto& [path, value] : spec.sweep) point.sweep.push_back({path, value.text});
  point.n_trials = sum.n_trials;
  std::vector<std::optional<double>> powers;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    if (plan.is_null(plan.analyses[i])) point.null_hypotheses.push_back(plan.analyses[i].name);
    powers.push_back(exact_powers[i].power);
    if (!exact_powers[i].power)
      point.notes.push_back(
          fmt::format("{}: no exact power ({})", plan.analyses[i].name, exact_powers[i].why_not));
    point.n_failed_analyses += sum.analyses[i].n_failed;
  }
  point.metrics = metrics_of(plan, true_values, powers, sum);
  return point;
}

Results run_study(scenario::Study& study, int n_threads, Monitor* monitor) {
  const auto specs = study.points();
  const auto plans = study.plans(specs);
  auto work = work_of(plans, study.spec().simulation.trials);
  Results results;
  results.study = study.name();
  results.study_hash = fmt::format("{:016x}", study.hash());
  results.seed = study.spec().simulation.seed;
  results.version = k_version;

  const auto begin = [&](Monitor::Phase phase) {
    if (monitor) monitor->begin(phase);
  };
  begin(Monitor::Phase::exact_powers);
  const auto powers = exact_powers(work, n_threads, monitor);
  results.interrupted = powers.empty();
  if (results.interrupted) return results;
  begin(Monitor::Phase::true_values);
  const auto truths = true_values(work, n_threads, monitor);
  for (std::size_t i = 0; i < work.size(); ++i)
    for (const auto& truth : truths[i])
      work[i].true_values.push_back(truth ? std::optional{truth->value} : std::nullopt);
  begin(Monitor::Phase::trials);
  const auto sums = simulate(work, n_threads, monitor);
  for (std::size_t i = 0; i < specs.size(); ++i) {
    results.interrupted = results.interrupted || sums[i].n_trials < work[i].n_trials;
    if (sums[i].n_trials > 0)
      results.points.push_back(point_of(specs[i], *plans[i], truths[i], powers[i], sums[i]));
  }
  return results;
}

}  // namespace trialwright::engine
