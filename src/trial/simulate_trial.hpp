// One trial from enrolment to its analyses: where patients, design and analysis meet.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/two_by_two.hpp"
#include "estimand/count.hpp"
#include "patient/cohort.hpp"
#include "trial/analyse_counts.hpp"
#include "trial/maintenance.hpp"
#include "trial/staged_workspace.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// Events and evaluable patients of one estimand in one arm.
struct ArmCount {
  int events = 0;
  int patients = 0;
};

struct TrialOutcome {
  std::vector<AnalysisOutcome> analyses;  // as TrialPlan::analyses
  std::vector<ArmCount> counts;           // [i_estimand * n_arms + i_arm], arms as TrialPlan::arms
  // Of the calendar, where this trial has one; else zeros.
  bool has_calendar = false;
  int n_screened = 0;
  double enrolment_months = 0;  // until the last patient is randomised
  double duration_months = 0;   // until the last patient's last planned visit
};

// Where neither patients nor decisions hang on sites and times, only a point's first trials enrol over
// the calendar: their mean times and numbers screened are told of the point.
inline constexpr std::uint64_t k_calendar_trials = 4096;

// Everything a worker thread reuses from trial to trial. Make one a thread; prepare() for each plan.
class Workspace {
 public:
  // Sizes every buffer for the plan, so that simulate_trial allocates nothing more.
  void prepare(const TrialPlan& plan);

  patient::Cohort cohort;
  TrialOutcome outcome;

  design::Allocation::Workspace allocation;
  std::vector<base::AlignedVector<std::int8_t>> values;  // [i_estimand][patient]: 1, 0, -1 missing
  std::vector<analysis::BinaryTest::Cache> test_caches;  // [i_analysis]
  base::AlignedVector<int> levels;                       // [patient]: stratum in the analysis at hand
  std::vector<estimand::ArmPairCounts> level_counts;     // [stratum]
  std::vector<std::vector<analysis::TwoByTwo>> strata;   // [i_analysis][stratum]; empty: not stratified
  std::vector<int> n_levels;                             // [i_factor]
  patient::Needs needs_with_calendar;                    // the plan's, and the calendar
  StagedWorkspace staged;
  Maintenance::Workspace maintenance;

 private:
  const TrialPlan* plan_ = nullptr;
};

// Simulates trial number `trial` of the plan into workspace.outcome and workspace.cohort: a pure
// function of (plan, trial). The workspace must have been prepared for the plan.
void simulate_trial(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace);

// The same as far as the counts: of workspace.outcome the arms' counts, the analyses' tables and the
// calendar, and workspace.strata. No test, no estimate: analyse_counts() makes these. (Analyses of a
// maintenance phase hang on times: they are whole.)
void simulate_counts(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace);

// The calendar of the same trial alone, into workspace.outcome.
void simulate_calendar(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace);

// The same trial with more of its patients filled in: `needs` holds at least what plan.needs does.
// Draws are addressed, so counts and decisions are the same to the bit, and the calendar is there.
void simulate_trial(const TrialPlan& plan, std::uint64_t trial, const patient::Needs& needs,
                    Workspace& workspace);

// Everything the model can tell of its patients.
patient::Needs every_need(const patient::PatientModel& model);

}  // namespace trialwright::trial
