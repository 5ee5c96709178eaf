// What a look saw and what was decided, for replay and trials.csv.
#pragma once

#include <vector>

#include "design/staged_design.hpp"

namespace trialwright::trial {

struct LookRecord {
  double cut_months = 0;  // of the data; NaN where the trial has no calendar
  double decision_months = 0;
  int n_enrolled = 0;  // by the decision
  int n_known = 0;     // patients whose outcome was due by the cut
  design::Decision decision;
  // As decided.
  int n_planned = 0;
  design::Bits arms = 0;
  int population = -1;
  design::Statistics statistics;
  std::vector<analysis::TwoByTwo> tables;  // [i_hypothesis], all stages, as known
};

// Of the look that `data` are of: `state` after its decision, `told` what the decision rested on. Its
// months are NaN, and n_known is n_enrolled, until who knows better writes them.
LookRecord record_of(const design::LookData& data, const design::TrialState& state,
                     const design::Decision& decision, const design::Statistics& told);

}  // namespace trialwright::trial
