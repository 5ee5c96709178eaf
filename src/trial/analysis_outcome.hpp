// What one analysis of one trial came to.
#pragma once

#include "analysis/estimate.hpp"
#include "analysis/two_by_two.hpp"

namespace trialwright::trial {

struct AnalysisOutcome {
  bool rejected = false;
  // No test was possible (an arm without evaluable patients): counts as not rejected.
  bool failed = false;
  analysis::Estimate estimate;
  analysis::TwoByTwo table;  // over all strata
  double p_value = 1;  // of analyses of a maintenance phase alone: the others' follow from their tables
};

}  // namespace trialwright::trial
