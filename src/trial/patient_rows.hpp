// Rows of patients.csv: each patient of a trial, as text.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "trial/simulate_trial.hpp"
#include "trial/trial_plan.hpp"
#include "trial/trial_rows.hpp"

namespace trialwright::trial {

// One row a patient: where and when, arm, baseline, strata, intercurrent events (weeks since
// randomisation, empty where none), analysis values (1, 0, empty where missing; a number of the
// estimand whose means choose arms); in a study that has designs that look before the end, at last
// known_at_look: the look, from 1, that first saw the primary outcome, empty where none did. Of a
// design that looks before the end only those who were randomised have rows, numbered in the order of
// randomisation. Immutable.
class PatientRows {
 public:
  // `estimands`: the names of the last columns; those that the plan does not have stay empty. The plan
  // must outlive this.
  PatientRows(const TrialPlan& plan, const std::vector<std::string>& estimands,
              RowColumns columns = RowColumns::of_fixed_designs);

  // "patient,site,…", without a line's end.
  static std::string columns(const patient::PatientModel& model,
                             const std::vector<std::string>& estimands,
                             RowColumns columns = RowColumns::of_fixed_designs);
  // Appends patient i's row (from 0, below n_randomised(); told from 1) of the trial that
  // simulate_trial or simulate_staged has made in the workspace with every_need().
  void append(const Workspace& workspace, std::size_t i_patient, std::string& out) const;

 private:
  const TrialPlan& plan_;
  RowColumns columns_;
  std::vector<std::string> arms_;     // [i_arm]: ",NAME,DOSE"
  std::vector<std::string> regions_;  // as fields, as all below
  std::vector<std::string> tiers_;
  struct Factor {
    std::size_t column = 0;  // of Cohort::strata
    std::vector<std::string> levels;
  };
  std::vector<Factor> factors_;  // but site and region
  std::vector<int> estimands_;   // into TrialPlan::estimands; below 0: merit_mean, or not in this plan
};

// The patients randomised in the trial in the workspace, and their places in its columns.
std::size_t n_randomised(const TrialPlan& plan, const Workspace& workspace);
std::size_t candidate_of(const TrialPlan& plan, const Workspace& workspace, std::size_t i_patient);

// The names of a plan's estimands, that of merit_mean last.
std::vector<std::string> estimand_names(const TrialPlan& plan);

}  // namespace trialwright::trial
