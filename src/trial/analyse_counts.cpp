#include "trial/analyse_counts.hpp"

namespace trialwright::trial {

AnalysisOutcome analyse_counts(const PlannedAnalysis& analysis,
                               std::span<const analysis::TwoByTwo> tables,
                               analysis::BinaryTest::Cache& cache) {
  AnalysisOutcome outcome;
  outcome.table = analysis::collapsed(tables);
  outcome.failed = outcome.table.n_1 == 0 || outcome.table.n_0 == 0;
  if (outcome.failed) return outcome;
  outcome.rejected = analysis.test.reject(tables, cache);
  outcome.estimate = analysis.estimator(tables);
  return outcome;
}

}  // namespace trialwright::trial
