#include "shard/point_cost.hpp"

#include <algorithm>

#include "engine/table_counts.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::shard {
namespace {

constexpr double k_planning = 2e6;

double count_of(const std::vector<bool>& flags) {
  return static_cast<double>(std::count(flags.begin(), flags.end(), true));
}

// One patient's, of the columns that are filled.
double of_patient(const trial::TrialPlan& plan) {
  double cost = 14;
  for (std::size_t i = 0; i < plan.needs.measure_visits.size(); ++i) {
    const double n_visits = count_of(plan.needs.measure_visits[i]);
    // Measures that follow the first are read beside it.
    if (n_visits > 0) cost += (i == 0 ? 0 : 20) + 12 * n_visits;
  }
  // Which hang on the course at every visit before.
  if (plan.needs.intercurrent_events) cost += 45;
  if (plan.needs.adverse_events) cost += 70;
  if (plan.needs.sites || plan.model->makes_calendar(plan.needs)) cost += 12;
  return cost + 2 * static_cast<double>(plan.estimands.size());
}

// One trial's analyses that are not tabulated.
double of_analyses(const trial::TrialPlan& plan, const engine::TableLayout& layout) {
  double cost = 0;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i)
    if (!layout.tabulates(i)) cost += plan.analyses[i].strata.empty() ? 150 : 600;
  return cost;
}

double of_patients_trial(const trial::TrialPlan& plan) {
  return 300 + of_patient(plan) * plan.n_patients + of_analyses(plan, {plan, nullptr});
}

// One trial with looks: decided by tables, or by the design.
double of_staged_trial(const trial::TrialPlan& plan, const trial::StagedCountPlan& counts) {
  return counts.decides_by_tables() ? 7.0 * plan.staged->n_looks()
                                    : 60.0 * plan.n_hypotheses * plan.staged->n_looks();
}

// What the first trials with looks cost beside: estimates, and inference that allows for the looks.
double of_inference(const trial::TrialPlan& plan, std::uint64_t n_trials) {
  if (!plan.staged) return 0;
  return 8e3 * plan.n_hypotheses * static_cast<double>(std::min(n_trials, trial::k_inference_trials));
}

double of_counts_trial(const trial::TrialPlan& plan, const trial::CountPlan& counts) {
  if (counts.staged()) return of_staged_trial(plan, *counts.staged());
  return static_cast<double>(counts.n_columns()) + 6 * static_cast<double>(plan.analyses.size()) +
         of_analyses(plan, {plan, &counts});
}

double of_exact_power(const trial::TrialPlan& plan, const trial::PlannedAnalysis& analysis) {
  constexpr int k_most_enumerated = 4000;
  const bool is_known = analysis.exact_rates && analysis.strata.empty() && plan.arms.size() == 2 &&
                        plan.n_patients <= k_most_enumerated && !plan.model->truth_is_drawn();
  if (!is_known) return 0;
  const auto method = analysis.test.spec().method;
  const bool is_unconditional =
      method == analysis::Method::boschloo || method == analysis::Method::z_pooled_exact;
  return (is_unconditional ? 200.0 : 2.0) * plan.n_patients * plan.n_patients;
}

// Is any true value simulated?
bool simulates_truth(const trial::TrialPlan& plan) {
  if (plan.model->truth_is_drawn()) return false;
  return std::any_of(plan.analyses.begin(), plan.analyses.end(), [&](const auto& analysis) {
    return !plan.has_common_rate(analysis) && (!analysis.strata.empty() || !analysis.exact_rates);
  });
}

}  // namespace

PointCost cost_of(const trial::TrialPlan& plan, const trial::CountPlan* counts,
                  const scenario::SimulationSpec& simulation, std::uint64_t n_trials) {
  double once = k_planning;
  for (const auto& analysis : plan.analyses) once += of_exact_power(plan, analysis);
  once += of_inference(plan, n_trials);
  double all_trials = static_cast<double>(n_trials);
  if (simulates_truth(plan))
    all_trials += static_cast<double>(simulation.truth_patients) / plan.n_patients;

  PointCost cost{once + all_trials * of_patients_trial(plan), std::nullopt};
  if (!counts) return cost;
  const auto n_calendars = static_cast<double>(std::min(n_trials, trial::k_calendar_trials));
  cost.by_counts =
      once + all_trials * of_counts_trial(plan, *counts) + n_calendars * (900 + 1.5 * plan.n_patients);
  return cost;
}

}  // namespace trialwright::shard
