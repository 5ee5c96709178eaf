// Adds the maintenance phase of a randomised withdrawal design to a plan.
#pragma once

#include "design/withdrawal.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// Sets plan.maintenance and appends an analysis for each of the phase's analyses and each of its arms
// but the control, named "kept[continue]". `i_responders`, into plan.estimands, says who is randomised
// again, at its endpoint's week.
void plan_maintenance(const design::WithdrawalSpec& spec, int i_responders, TrialPlan& plan);

}  // namespace trialwright::trial
