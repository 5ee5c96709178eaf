// Rows of patients.csv: each patient of a trial, as text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "trial/simulate_trial.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// One row a patient: where and when, arm, baseline, strata, intercurrent events (weeks since
// randomisation, empty where none), analysis values (1, 0, empty where missing). Immutable.
class PatientRows {
 public:
  // `estimands`: the names of the last columns; those that the plan does not have stay empty. The plan
  // must outlive this.
  PatientRows(const TrialPlan& plan, const std::vector<std::string>& estimands);

  // "patient,site,…", without a line's end.
  static std::string columns(const patient::PatientModel& model,
                             const std::vector<std::string>& estimands);
  // Appends patient i's row (from 0; told from 1) of the trial that simulate_trial has made in the
  // workspace with every_need().
  void append(const Workspace& workspace, std::size_t i_patient, std::string& out) const;

 private:
  const TrialPlan& plan_;
  std::vector<std::string> arms_;     // [i_arm]: ",NAME,DOSE"
  std::vector<std::string> regions_;  // as fields, as all below
  std::vector<std::string> tiers_;
  struct Factor {
    std::size_t column = 0;  // of Cohort::strata
    std::vector<std::string> levels;
  };
  std::vector<Factor> factors_;  // but site and region
  std::vector<int> estimands_;   // into TrialPlan::estimands; -1: not in this plan
};

// The names of a plan's estimands.
std::vector<std::string> estimand_names(const TrialPlan& plan);

}  // namespace trialwright::trial
