// What a worker thread keeps, from trial to trial, of designs that look before the end.
#pragma once

#include <vector>

#include "analysis/two_by_two.hpp"
#include "design/staged_design.hpp"

namespace trialwright::trial {

struct TrialPlan;

// The mean of TrialPlan::merit_mean in an arm.
struct ArmMean {
  double value = 0;
  int patients = 0;  // with a value
};

// Candidates are the patients of the cohort, in the order of their arrival; those who are randomised
// stand in `patients`. After simulate_staged: `patients` and `months` are those who were really
// randomised.
struct StagedWorkspace {
  // Sizes every buffer for the plan; nothing for a fixed one.
  void prepare(const TrialPlan& plan);

  std::vector<int> patients;     // candidates, in the order of randomisation
  std::vector<double> months;    // [place in `patients`] of randomisation, pauses included
  std::vector<double> arrivals;  // [candidate] months, as if recruitment never paused
  std::vector<int>
      known_at;  // [place in `patients`] the look, from 0, that first saw their primary outcome;
                 // k_never_known: none did
  std::vector<int> enrolled_by;  // [i_look] patients randomised by the decision
  std::vector<int> sites;        // what counting who was screened writes over
  std::vector<int> regions;
  std::vector<analysis::TwoByTwo> stages;  // LookData::stages
  std::vector<double> merit_values;        // [candidate] of TrialPlan::merit_mean; NaN missing
  std::vector<ArmMean> merit_means;        // [i_arm of the design], of all known at the look
  std::vector<double> merits;              // LookData::merits
  std::vector<design::Rate> safety;        // LookData::safety
};

inline constexpr int k_never_known = -1;

}  // namespace trialwright::trial
