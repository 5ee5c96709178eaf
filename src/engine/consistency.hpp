// Is a region's estimate consistent with that of all patients? Counted over trials, and over those that
// rejected.
#pragma once

#include <cstdint>

#include "trial/analyse_counts.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::engine {

// Is `own` at least the analysis's fraction of `with`, in the direction that is better, on the scale
// that estimates are averaged on (of ratios the logarithm)? Never where one of them is undefined.
bool is_consistent(const trial::PlannedAnalysis& analysis, const analysis::Estimate& own,
                   const analysis::Estimate& with);

struct ConsistencyCounts {
  void add(bool consistent, bool with_rejected);
  void merge(const ConsistencyCounts& later);

  std::uint64_t n_trials = 0;
  std::uint64_t n_consistent = 0;
  std::uint64_t n_rejected = 0;             // trials in which the other analysis rejects
  std::uint64_t n_consistent_rejected = 0;  // of these, consistent
};

}  // namespace trialwright::engine
