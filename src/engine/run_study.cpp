#include "engine/run_study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "engine/block_pool.hpp"
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

namespace {

// Below so many points a copy of the study costs more than it saves.
constexpr std::size_t k_points_of_a_range = 16;

// The plans of a range of points, and what is wrong with them.
struct PlannedRange {
  std::vector<std::shared_ptr<const trial::TrialPlan>> plans;
  input::Diagnostics faults;
  void merge(const PlannedRange& later) {
    plans.insert(plans.end(), later.plans.begin(), later.plans.end());
    for (const auto& fault : later.faults.faults()) faults.add(fault.at, fault.problem, fault.hint);
  }
};

struct NoScratch {};

// One range of neighbouring points a thread, each planned by its own copy of the study.
std::vector<std::shared_ptr<const trial::TrialPlan>> plan_points(
    const scenario::Study& study, std::span<const scenario::PointSpec> points, int n_threads) {
  const std::size_t n_ranges = std::clamp<std::size_t>(points.size() / k_points_of_a_range, 1,
                                                       static_cast<std::size_t>(n_threads));
  std::vector<Job<PlannedRange>> jobs{{n_ranges, points.size(), {}}};
  run_blocks<NoScratch>(jobs, n_threads, nullptr, [&](std::size_t, std::uint64_t i, NoScratch&) {
    const std::size_t from = points.size() * i / n_ranges, to = points.size() * (i + 1) / n_ranges;
    scenario::Study copy = study;
    PlannedRange range;
    range.plans = copy.plans(points.subspan(from, to - from), range.faults);
    return range;
  });
  auto& all = jobs.front().sum;
  if (!all.faults.empty()) study.refuse(all.faults);
  return std::move(all.plans);
}

}  // namespace

StudyPlan plan_study(const scenario::Study& study, int n_threads) {
  StudyPlan plan;
  plan.points = study.points();
  plan.plans = plan_points(study, plan.points, n_threads);
  plan.engines = engines_of(study, plan.plans, n_threads);
  return plan;
}

Results run_study(const scenario::Study& study, int n_threads, Monitor* monitor) {
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
