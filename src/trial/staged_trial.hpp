// One trial of a design that looks before the end: enrolment, looks and decisions in calendar time.
#pragma once

#include <cstdint>
#include <vector>

#include "design/staged_design.hpp"
#include "trial/look_record.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

struct StagedOutcome {
  int n_looks = 0;  // decided
  design::StopReason stop = design::StopReason::none;
  // The last of them was the planned last analysis, looks before it skipped or not.
  bool is_final = false;
  design::Bits rejected = 0;  // hypotheses
  design::Bits naive_rejected = 0;
  design::Bits arms = 0;  // that were still recruiting at the end (bit i_arm)
  int population =
      -1;              // that was recruited at the end: -1 all, else the level of the subgroup's factor
  int n_enrolled = 0;  // randomised in all, the pipeline included
  int n_known = 0;     // whose outcome was known at the decision that ended the trial
  // On whom the estimates rest: those known, or all randomised where the design analyses its over-run.
  int n_analysed = 0;
  // Of the calendar; zeros where the trial has none.
  bool has_calendar = false;
  double decision_months = 0;  // until the decision that ended the trial
  design::TrialState state;    // after the last look
  // [i_arm], at the first look, of a plan that chooses arms by means and came to a look; else empty.
  std::vector<ArmMean> first_means;
  // [i_hypothesis], of the first k_inference_trials trials; else empty.
  std::vector<design::Inference> inference;
};

// The first trials of a point whose estimates and adjusted inference are made (stated as their
// n_trials).
inline constexpr std::uint64_t k_inference_trials = 65'536;

// Simulates trial number `trial` patient by patient: a pure function of (plan, trial). Of
// workspace.outcome the analyses hold the tables and unadjusted estimates of the hypotheses and the
// secondary analyses at the end (of what was known at the look that ended the trial, each outcome from
// its own week on, or of all patients randomised where the trial was completed or the design analyses
// its over-run), the counts those of the arms; workspace.staged holds who was randomised, and when.
// Records are made where `records` is not null. Nothing is allocated after a workspace's and an
// outcome's first use, records aside.
//
// In time: patients arrive as recruitment brings them (in a study without `recruitment` each outcome is
// known at once, in order, and there is no calendar). Recruitment closes when as many are randomised as
// the state plans. A look comes when its trigger is met, fractions being of the patients planned by
// then, but not before the look before it; one that the patients planned never bring about by their
// last primary outcome is left out, with those after it. A patient is known when the primary endpoint's
// week has passed since randomisation, those who left before included. The decision comes
// cleaning_weeks after the data cut, not before the one before it. Patients randomised until then are
// enrolled; those who came to be known since, or were randomised since (StagedDesign::stages_by), are
// the next stage. What the decision changes holds for later patients: a new list of the randomisation's
// method among the arms that stay; candidates outside the population that stays are passed over; after
// a pause, or where recruitment had closed, it goes on from the decision as it would have from where it
// stopped. The last analysis is made at the last patient's last planned visit, as a fixed design's,
// with no cleaning after it.
void simulate_staged(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace,
                     StagedOutcome& outcome, std::vector<LookRecord>* records);

// The same trial with more of its patients filled in: `needs` holds at least what plan.needs does.
void simulate_staged(const TrialPlan& plan, std::uint64_t trial, const patient::Needs& needs,
                     Workspace& workspace, StagedOutcome& outcome, std::vector<LookRecord>* records);

}  // namespace trialwright::trial
