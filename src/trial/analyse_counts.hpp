// From a trial's counts to its decision and estimate.
#pragma once

#include <span>

#include "analysis/two_by_two.hpp"
#include "trial/analysis_outcome.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// The planned test and estimate on one table a stratum (of an analysis that is not stratified: one; of
// a subgroup that borrows: its own and the others', and the outcome's table is its own). A
// function of the tables alone, so that equal tables need it once. No allocation but for what
// BinaryTest::reject keeps in `cache`, which is one thread's and this analysis's.
AnalysisOutcome analyse_counts(const PlannedAnalysis& analysis,
                               std::span<const analysis::TwoByTwo> tables,
                               analysis::BinaryTest::Cache& cache);

// The table of the patients that an analysis is of, over its strata.
analysis::TwoByTwo own_table(const PlannedAnalysis& analysis,
                             std::span<const analysis::TwoByTwo> tables);

// The p-value of the same tables, 1 where no test is possible; of a subgroup that borrows one less the
// posterior probability that treatment is better (two-sided: twice the smaller of it and its
// complement).
double p_value(const PlannedAnalysis& analysis, std::span<const analysis::TwoByTwo> tables);

}  // namespace trialwright::trial
