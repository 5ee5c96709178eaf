// One trial from enrolment to its analyses: where patients, design and analysis meet.
#pragma once

#include <cstdint>
#include <vector>

#include "analysis/two_by_two.hpp"
#include "estimand/count.hpp"
#include "patient/cohort.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// What one analysis of one trial came to.
struct AnalysisOutcome {
  bool rejected = false;
  bool failed =
      false;  // no test was possible (an arm without evaluable patients): counts as not rejected
  analysis::Estimate estimate;
  analysis::TwoByTwo table;  // over all strata
};

// Events and evaluable patients of one estimand in one arm.
struct ArmCount {
  int events = 0;
  int patients = 0;
};

struct TrialOutcome {
  std::vector<AnalysisOutcome> analyses;  // as TrialPlan::analyses
  std::vector<ArmCount> counts;           // [i_estimand * n_arms + i_arm], arms as TrialPlan::arms
  int n_screened = 0;
  double enrolment_months = 0;  // until the last patient is randomised
  double duration_months = 0;   // until the last patient's last planned visit
};

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

 private:
  const TrialPlan* plan_ = nullptr;
};

// Simulates trial number `trial` of the plan into workspace.outcome and workspace.cohort: a pure
// function of (plan, trial). The workspace must have been prepared for the plan.
void simulate_trial(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace);

// The same trial with more of its patients filled in: `needs` holds at least what plan.needs does.
// Draws are addressed, so the outcome is the same to the bit.
void simulate_trial(const TrialPlan& plan, std::uint64_t trial, const patient::Needs& needs,
                    Workspace& workspace);

// Everything the model can tell of its patients.
patient::Needs every_need(const patient::PatientModel& model);

}  // namespace trialwright::trial
