#include "trial/analyse_counts.hpp"

namespace trialwright::trial {

AnalysisOutcome analyse_counts(const PlannedAnalysis& analysis,
                               std::span<const analysis::TwoByTwo> tables,
                               analysis::BinaryTest::Cache& cache) {
  AnalysisOutcome outcome;
  outcome.table = own_table(analysis, tables);
  outcome.failed = outcome.table.n_1 == 0 || outcome.table.n_0 == 0;
  if (outcome.failed) return outcome;
  if (analysis.borrowing) {
    const auto borrowed = (*analysis.borrowing)(tables[0], tables[1]);
    outcome.rejected = borrowed.reject;
    outcome.estimate = borrowed.estimate;
    return outcome;
  }
  outcome.rejected = analysis.test.reject(tables, cache);
  outcome.estimate = analysis.estimator(tables);
  return outcome;
}

analysis::TwoByTwo own_table(const PlannedAnalysis& analysis,
                             std::span<const analysis::TwoByTwo> tables) {
  return analysis.borrowing ? tables.front() : analysis::collapsed(tables);
}

double p_value(const PlannedAnalysis& analysis, std::span<const analysis::TwoByTwo> tables) {
  if (analysis.borrowing) return (*analysis.borrowing)(tables[0], tables[1]).p_value;
  return analysis::test(analysis.test.spec(), tables).p_value;
}

}  // namespace trialwright::trial
