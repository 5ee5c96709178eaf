// The part of an analysis that the study file says about test and estimate of a binary endpoint.
#pragma once

#include <optional>

#include "analysis/binary_test.hpp"
#include "analysis/commensurate.hpp"
#include "analysis/estimate.hpp"
#include "input/reader.hpp"

namespace trialwright::analysis {

struct AnalysisSpec {
  TestSpec test;
  EffectMeasure effect = EffectMeasure::risk_difference;
  IntervalMethod interval = IntervalMethod::newcombe;
  double confidence_level = 0.95;           // 1 - alpha (two-sided) or 1 - 2 alpha (one-sided)
  std::optional<BorrowingPrior> borrowing;  // of the method commensurate alone
};

// Reads `method` (chi_square), `sides` (1 or 2; 2), `alpha` (0.05), `margin` (0),
// `effect` (risk_difference) and `interval` (newcombe for the risk difference of unstratified methods,
// else wald); defaults in parentheses. Of the method commensurate, which has an interval of its own:
// `effect` (odds_ratio) and `borrow: {prior: half_normal, heterogeneity_sd: 0.2}`.
// Combinations that do not exist are faults at the key that causes them.
AnalysisSpec read_test(input::Reader& reader, Direction direction);

// The estimate that goes with the analysis, over strata where its method keeps them.
Estimator make_estimator(const AnalysisSpec& spec);

}  // namespace trialwright::analysis
