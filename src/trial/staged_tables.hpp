// Tables of a part of a trial's patients, told by their places in the order of randomisation.
#pragma once

#include <span>

#include "trial/simulate_trial.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// Patients at places first .. end - 1 of StagedWorkspace::patients.
struct Places {
  int first = 0;
  int end = 0;
};

// Combinations of the levels of an analysis's strata; 1 where it has none.
int n_strata(const PlannedAnalysis& analysis, const Workspace& workspace);

// Writes an analysis's tables of these patients, one a stratum: tables holds n_strata() of them.
void tabulate(const PlannedAnalysis& analysis, const Workspace& workspace, Places places,
              std::span<analysis::TwoByTwo> tables);

// Events and patients with a value of one estimand in one of the study's arms.
design::Rate rate(const Workspace& workspace, int i_estimand, int arm, Places places);

// The mean of the estimand of numbers by which arms are chosen, in one of the study's arms.
ArmMean merit_mean(const Workspace& workspace, int arm, Places places);

}  // namespace trialwright::trial
