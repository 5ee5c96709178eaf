// From a trial's counts to its decision and estimate.
#pragma once

#include <span>

#include "analysis/two_by_two.hpp"
#include "trial/analysis_outcome.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// The planned test and estimate on one table a stratum (of an analysis that is not stratified: one). A
// function of the tables alone, so that equal tables need it once. No allocation but for what
// BinaryTest::reject keeps in `cache`, which is one thread's and this analysis's.
AnalysisOutcome analyse_counts(const PlannedAnalysis& analysis,
                               std::span<const analysis::TwoByTwo> tables,
                               analysis::BinaryTest::Cache& cache);

}  // namespace trialwright::trial
