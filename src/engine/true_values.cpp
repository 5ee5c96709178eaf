#include "engine/true_values.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "analysis/estimate.hpp"

namespace trialwright::engine {
namespace {

constexpr std::uint64_t k_first_truth_trial = std::uint64_t{1} << 47;
constexpr std::uint64_t k_min_patients = 1 << 18;
constexpr std::uint64_t k_max_patients = 1 << 23;
constexpr int k_n_batches = 16;

double value_of(analysis::EffectMeasure effect, double rate_1, double rate_0) {
  switch (effect) {
    case analysis::EffectMeasure::risk_difference:
      return rate_1 - rate_0;
    case analysis::EffectMeasure::risk_ratio:
      return rate_1 / rate_0;
    case analysis::EffectMeasure::odds_ratio:
      return rate_1 / (1 - rate_1) / (rate_0 / (1 - rate_0));
  }
  return 0;
}

std::optional<TrueValue> exact_value(const trial::TrialPlan& plan,
                                     const trial::PlannedAnalysis& analysis) {
  // A common rate, whatever it is: no difference, and ratios of 1.
  if (plan.has_common_rate(analysis))
    return TrueValue{analysis.effect == analysis::EffectMeasure::risk_difference ? 0.0 : 1.0, 0};
  if (!analysis.strata.empty()) return std::nullopt;
  const auto rates = plan.exact_rates(analysis);
  if (!rates) return std::nullopt;
  return TrueValue{value_of(analysis.effect, rates->rate_1, rates->rate_0), 0};
}

bool needs_simulation(const trial::TrialPlan& plan) {
  return !plan.model->truth_is_drawn() &&
         std::any_of(plan.analyses.begin(), plan.analyses.end(),
                     [&](const auto& analysis) { return !exact_value(plan, analysis); });
}

std::uint64_t truth_trials(const Work& work) {
  const auto patients = static_cast<std::uint64_t>(work.plan->n_patients);
  const std::uint64_t wanted =
      std::clamp(work.n_trials * patients / 10, k_min_patients, k_max_patients) / patients;
  return std::max<std::uint64_t>(1, wanted / k_n_batches) * k_n_batches;
}

// An analysis's tables, summed over trials, one a stratum.
using Tables = std::vector<analysis::TwoByTwo>;

void add(const Tables& tables, Tables& sum) {
  if (sum.empty()) sum.resize(tables.size());
  for (std::size_t i = 0; i < tables.size(); ++i) {
    sum[i].responders_1 += tables[i].responders_1;
    sum[i].n_1 += tables[i].n_1;
    sum[i].responders_0 += tables[i].responders_0;
    sum[i].n_0 += tables[i].n_0;
  }
}

// One batch after the other; [i_batch][i_analysis].
struct Batches {
  std::vector<std::vector<Tables>> tables;
  void merge(const Batches& later) {
    tables.insert(tables.end(), later.tables.begin(), later.tables.end());
  }
};

Batches simulate_batch(const Work& work, std::uint64_t batch, trial::Workspace& workspace) {
  const auto& plan = *work.plan;
  workspace.prepare(plan);
  std::vector<Tables> sums(plan.analyses.size());
  const std::uint64_t n_trials = truth_trials(work) / k_n_batches;
  for (std::uint64_t i = 0; i < n_trials; ++i) {
    trial::simulate_trial(plan, k_first_truth_trial + batch * n_trials + i, workspace);
    for (std::size_t i_analysis = 0; i_analysis < sums.size(); ++i_analysis) {
      const auto& strata = workspace.strata[i_analysis];
      add(strata.empty() ? Tables{workspace.outcome.analyses[i_analysis].table} : strata,
          sums[i_analysis]);
    }
  }
  return {{std::move(sums)}};
}

std::optional<TrueValue> pooled_value(const trial::PlannedAnalysis& analysis, const Batches& batches,
                                      std::size_t i_analysis) {
  Tables pooled;
  double sum = 0;
  double sum_of_squares = 0;
  for (const auto& batch : batches.tables) {
    add(batch[i_analysis], pooled);
    const double value = analysis.estimator(batch[i_analysis]).value;
    sum += value;
    sum_of_squares += value * value;
  }
  const double value = analysis.estimator(pooled).value;
  const double variance = (sum_of_squares - sum * sum / k_n_batches) / (k_n_batches - 1) / k_n_batches;
  if (!std::isfinite(value) || !std::isfinite(variance)) return std::nullopt;
  return TrueValue{value, std::sqrt(std::max(0.0, variance))};
}

}  // namespace

std::vector<std::vector<std::optional<TrueValue>>> true_values(std::span<const Work> work,
                                                               int n_threads, Monitor* monitor) {
  std::map<std::uint64_t, std::size_t> job_of;
  std::vector<const Work*> simulated;
  for (const auto& point : work)
    if (needs_simulation(*point.plan) && job_of.emplace(point.plan->truth_key, simulated.size()).second)
      simulated.push_back(&point);

  std::vector<Job<Batches>> jobs;
  for (const Work* point : simulated) jobs.push_back({k_n_batches, truth_trials(*point), {}});
  run_blocks<trial::Workspace>(
      jobs, n_threads, monitor,
      [&](std::size_t i_job, std::uint64_t batch, trial::Workspace& workspace) {
        return simulate_batch(*simulated[i_job], batch, workspace);
      });

  std::vector<std::vector<std::optional<TrueValue>>> values;
  for (const auto& point : work) {
    auto& of_point = values.emplace_back(point.plan->analyses.size());
    if (point.plan->model->truth_is_drawn()) continue;
    for (std::size_t i = 0; i < of_point.size(); ++i) {
      of_point[i] = exact_value(*point.plan, point.plan->analyses[i]);
      const auto job = job_of.find(point.plan->truth_key);
      if (!of_point[i] && job != job_of.end() && jobs[job->second].sum.tables.size() == k_n_batches)
        of_point[i] = pooled_value(point.plan->analyses[i], jobs[job->second].sum, i);
    }
  }
  return values;
}

}  // namespace trialwright::engine
