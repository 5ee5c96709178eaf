#include "trial/simulate_trial.hpp"

#include <algorithm>
#include <span>

#include "base/calendar.hpp"
#include "base/contract.hpp"

namespace trialwright::trial {
namespace {

std::size_t arm_place(const TrialPlan& plan, int arm) {
  return static_cast<std::size_t>(std::find(plan.arms.begin(), plan.arms.end(), arm) -
                                  plan.arms.begin());
}

// Events and evaluable patients of one estimand, by arm of the design.
void count_arms(const TrialPlan& plan, const Workspace& workspace, std::span<const std::int8_t> values,
                std::span<ArmCount> counts) {
  for (std::size_t i = 0; i < plan.arms.size(); ++i) {
    if (plan.arms[i] == plan.control_arm) continue;
    const auto pair = estimand::count(values, workspace.cohort.arm, {plan.arms[i], plan.control_arm});
    counts[i] = {pair.responders[1], pair.n[1]};
    counts[arm_place(plan, plan.control_arm)] = {pair.responders[0], pair.n[0]};
  }
}

// Patients outside a subgroup are at a level of their own, which is a table of an analysis that borrows
// from them, and of no other.
constexpr std::size_t k_outside = 1;

// The tables of every combination of an analysis's strata, of its subgroup's patients alone.
void count_strata(const PlannedAnalysis& analysis, Workspace& workspace,
                  std::vector<analysis::TwoByTwo>& tables) {
  const auto& cohort = workspace.cohort;
  std::size_t n_strata = 1;
  std::fill(workspace.levels.begin(), workspace.levels.end(), 0);
  for (int factor : analysis.strata) {
    const auto i_factor = static_cast<std::size_t>(factor);
    const int n_levels = workspace.n_levels[i_factor];
    const std::span<const int> level = cohort.strata[i_factor];
    for (std::size_t i = 0; i < level.size(); ++i)
      workspace.levels[i] = workspace.levels[i] * n_levels + level[i];
    n_strata *= static_cast<std::size_t>(n_levels);
  }
  if (analysis.subgroup) {
    const std::span<const int> level =
        cohort.strata[static_cast<std::size_t>(analysis.subgroup->factor)];
    for (std::size_t i = 0; i < level.size(); ++i)
      if (level[i] != analysis.subgroup->level) workspace.levels[i] = static_cast<int>(n_strata);
  }
  workspace.level_counts.resize(n_strata + (analysis.subgroup ? k_outside : 0));
  estimand::count(workspace.values[static_cast<std::size_t>(analysis.i_estimand)], cohort.arm,
                  {analysis.arm_1, analysis.arm_0}, workspace.levels, workspace.level_counts);
  tables.clear();
  const std::size_t n_tables = analysis.borrowing ? n_strata + k_outside : n_strata;
  for (const auto& level : std::span{workspace.level_counts}.first(n_tables))
    tables.push_back({level.responders[1], level.n[1], level.responders[0], level.n[0]});
}

// The tables of the analyses, from the counts of the arms or stratum by stratum.
void tabulate(const TrialPlan& plan, Workspace& workspace) {
  auto& outcome = workspace.outcome;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const PlannedAnalysis& analysis = plan.analyses[i];
    if (analysis.maintenance) continue;
    const std::size_t row = static_cast<std::size_t>(analysis.i_estimand) * plan.arms.size();
    const ArmCount& count_1 = outcome.counts[row + arm_place(plan, analysis.arm_1)];
    const ArmCount& count_0 = outcome.counts[row + arm_place(plan, analysis.arm_0)];
    outcome.analyses[i].table = {count_1.events, count_1.patients, count_0.events, count_0.patients};
    if (analysis.strata.empty() && !analysis.subgroup) continue;
    count_strata(analysis, workspace, workspace.strata[i]);
    outcome.analyses[i].table = own_table(analysis, workspace.strata[i]);
  }
}

// Responders randomised again: the analyses of what became of them.
void maintain(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace) {
  auto& outcomes = workspace.outcome.analyses;
  bool is_simulated = false;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const auto& analysis = plan.analyses[i];
    if (!analysis.maintenance) continue;
    if (!is_simulated)
      plan.maintenance->simulate(plan.key, trial, workspace.cohort.arm,
                                 workspace.values[static_cast<std::size_t>(analysis.i_estimand)],
                                 workspace.maintenance);
    is_simulated = true;
    outcomes[i] = plan.maintenance->analyse(*analysis.maintenance, workspace.maintenance);
  }
}

// Weeks from a patient's randomisation to the last planned visit.
double follow_up_weeks(const TrialPlan& plan) {
  const double weeks = plan.model->follow_up_weeks();
  return plan.maintenance ? std::max(weeks, plan.maintenance->spec().until_week) : weeks;
}

void clear_calendar(TrialOutcome& outcome) {
  outcome.has_calendar = false;
  outcome.n_screened = 0;
  outcome.enrolment_months = outcome.duration_months = 0;
}

void note_calendar(const TrialPlan& plan, const patient::Cohort& cohort, TrialOutcome& outcome) {
  outcome.has_calendar = true;
  outcome.n_screened = cohort.n_screened;
  outcome.enrolment_months = cohort.randomised_months.back();
  outcome.duration_months = outcome.enrolment_months + follow_up_weeks(plan) / base::k_weeks_per_month;
}

void simulate_counts(const TrialPlan& plan, std::uint64_t trial, const patient::Needs& needs,
                     Workspace& workspace) {
  auto& cohort = workspace.cohort;
  cohort.n_patients = plan.n_patients;  // a trial that looked before the end may have followed fewer
  auto& outcome = workspace.outcome;
  plan.model->enrol(plan.key, trial, needs, cohort);
  plan.allocation->allocate(plan.key, trial, cohort.strata, cohort.arm, workspace.allocation);
  plan.model->follow(plan.key, trial, needs, cohort);

  for (std::size_t i = 0; i < plan.estimands.size(); ++i) {
    plan.estimands[i].observe(cohort, workspace.values[i]);
    count_arms(plan, workspace, workspace.values[i],
               std::span{outcome.counts}.subspan(i * plan.arms.size(), plan.arms.size()));
  }
  tabulate(plan, workspace);
  maintain(plan, trial, workspace);
  if (plan.model->makes_calendar(needs))
    note_calendar(plan, cohort, outcome);
  else
    clear_calendar(outcome);
}

void analyse(const TrialPlan& plan, Workspace& workspace) {
  auto& outcomes = workspace.outcome.analyses;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (plan.analyses[i].maintenance) continue;
    const std::span<const analysis::TwoByTwo> strata = workspace.strata[i];
    outcomes[i] =
        analyse_counts(plan.analyses[i], strata.empty() ? std::span{&outcomes[i].table, 1} : strata,
                       workspace.test_caches[i]);
  }
}

const patient::Needs& needs_of(const TrialPlan& plan, std::uint64_t trial, const Workspace& workspace) {
  return trial < k_calendar_trials ? workspace.needs_with_calendar : plan.needs;
}

}  // namespace

void Workspace::prepare(const TrialPlan& plan) {
  if (plan_ == &plan) return;
  plan_ = &plan;
  cohort.n_patients = plan.n_patients;
  plan.model->prepare(plan.n_patients, cohort, std::min(plan.n_planned, plan.n_patients));
  values.resize(plan.estimands.size());
  for (auto& column : values) column.resize(static_cast<std::size_t>(plan.n_patients));
  levels.resize(static_cast<std::size_t>(plan.n_patients));
  strata.assign(plan.analyses.size(), {});
  test_caches.clear();
  test_caches.resize(plan.analyses.size());
  outcome.analyses.assign(plan.analyses.size(), {});
  outcome.counts.assign(plan.estimands.size() * plan.arms.size(), {});
  needs_with_calendar = plan.needs;
  needs_with_calendar.calendar = true;
  n_levels.clear();
  for (const auto& factor : plan.model->factors())
    n_levels.push_back(static_cast<int>(factor.levels.size()));
  staged.prepare(plan);
}

patient::Needs every_need(const patient::PatientModel& model) {
  patient::Needs needs;
  needs.measure_visits.assign(model.measures().size(),
                              std::vector<bool>(model.visit_weeks().size(), true));
  return needs;
}

void simulate_trial(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace) {
  simulate_trial(plan, trial, needs_of(plan, trial, workspace), workspace);
}

void simulate_trial(const TrialPlan& plan, std::uint64_t trial, const patient::Needs& needs,
                    Workspace& workspace) {
  simulate_counts(plan, trial, needs, workspace);
  analyse(plan, workspace);
}

void simulate_counts(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace) {
  simulate_counts(plan, trial, needs_of(plan, trial, workspace), workspace);
}

void simulate_calendar(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace) {
  workspace.cohort.n_patients = plan.n_patients;
  plan.model->enrol_sites(plan.key, trial, workspace.cohort);
  note_calendar(plan, workspace.cohort, workspace.outcome);
}

}  // namespace trialwright::trial
