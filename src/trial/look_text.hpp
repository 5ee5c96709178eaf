// What was decided at a trial's looks, in words.
#pragma once

#include <span>
#include <string>

#include "trial/staged_trial.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// What tells a hypothesis from the design's others: the active arm or population that its name ends
// with in brackets, else the name.
std::string_view short_name(const PlannedAnalysis& hypothesis);

// The names of a set of the design's arms, in its order, joined by "+".
std::string arm_names(const TrialPlan& plan, design::Bits arms);

// The level that recruitment is restricted to; empty where it is not.
std::string_view population_name(const TrialPlan& plan, int population);

// "efficacy", "enlarge to 412", "drop_arm to placebo+high": a stop's reason, else the action and what
// it changed from the look before (null: before the first).
std::string action_text(const TrialPlan& plan, const LookRecord& look, const LookRecord* before);

// "z 2.31, efficacy_z 1.98"; of a hypothesis among several with its short name: "z[high] 2.31".
std::string statistics_text(const TrialPlan& plan, const design::Statistics& statistics);

// "1: enlarge to 412 (conditional_power 0.52); 2: efficacy (z 2.31, efficacy_z 1.98)".
std::string decisions_text(const TrialPlan& plan, std::span<const LookRecord> looks);

}  // namespace trialwright::trial
