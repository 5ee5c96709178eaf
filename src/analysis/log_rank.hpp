// Two arms compared by their times to an event: the log-rank test and the hazard ratio.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/estimate.hpp"

namespace trialwright::analysis {

// At one time: those under observation just before it, and of these those with the event at it. Arm 1
// is treatment.
struct RiskSet {
  int events_1 = 0;
  int at_risk_1 = 0;
  int events_0 = 0;
  int at_risk_0 = 0;
};

// The risk sets at every distinct time of an event, ascending, of patients with these times (`event` 1,
// or 0: censored then, and still at risk at that time), in arm 1 or 0.
std::vector<RiskSet> risk_sets(std::span<const double> time, std::span<const int> event,
                               std::span<const int> arm);

// Observed and expected events of treatment and the variance under the null (hypergeometric at each
// time; Mantel 1966).
struct LogRank {
  int observed_1 = 0;
  double expected_1 = 0;
  double variance = 0;
  // (expected - observed) / sqrt(variance): positive where treatment has fewer events; 0 without
  // variance.
  double z() const;
};
LogRank log_rank(std::span<const RiskSet> sets);

// Rejects as the sides and alpha say: one-sided for fewer events (lower_is_better) or more of them.
// Without variance nothing is rejected (p = 1, degenerate).
TestResult log_rank_test(std::span<const RiskSet> sets, Sides sides, double alpha, Direction direction);

// Hazard ratio of treatment to control by Cox's partial likelihood, ties by Efron's method (Efron
// 1977), with its Wald interval on the log scale; `value`, `lower`, `upper` are ratios,
// `standard_error` of the logarithm. Undefined where the likelihood has no maximum (one arm has no
// event while the other's patients are at risk, or there is no event).
Estimate hazard_ratio(std::span<const RiskSet> sets, double confidence_level);

}  // namespace trialwright::analysis
