// The calendar of a trial with looks whose decisions are known: recruitment, cuts and decisions in
// time.
#pragma once

#include <array>
#include <cstdint>

#include "trial/staged_trial.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// What the decisions of a trial drawn as counts made of its sizes, look by look.
struct CountedLooks {
  int n_looks = 0;
  // [i_look] patients known at it, and patients planned once it was decided.
  std::array<int, design::k_most_looks> n_known{};
  std::array<int, design::k_most_looks> n_planned{};
  int n_planned_at_start = 0;
  bool is_final = false;  // the last of them was the trial's last analysis
};

// Completes `outcome` (n_enrolled, has_calendar, decision_months) and `trial`'s calendar by the trial's
// own recruitment, as simulate_staged has it. Without recruitment there is no calendar, and nothing
// changes.
void add_calendar(const TrialPlan& plan, std::uint64_t i_trial, const CountedLooks& looks,
                  Workspace& workspace, StagedOutcome& outcome);

}  // namespace trialwright::trial
