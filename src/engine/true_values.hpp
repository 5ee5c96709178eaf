// True values: what each analysis's estimator would give of an endless trial under a plan's truth.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/simulate.hpp"

namespace trialwright::engine {

// The true value of one analysis on its effect measure, and that value's own Monte Carlo standard error
// (0 where it is exact).
struct TrueValue {
  double value = 0;
  double mcse = 0;
};

// [i_work][i_analysis]; nullopt where the truth is drawn for each trial. Exact where both rates have
// closed forms and the analysis is not stratified; otherwise the estimator applied to the pooled counts
// of trials that no point uses (trial numbers from 2^47), about a tenth of the point's own patients, at
// least 2^18 and at most 2^23. Points that differ in the number of patients alone share them.
std::vector<std::vector<std::optional<TrueValue>>> true_values(std::span<const Work> work,
                                                               int n_threads, Monitor* monitor);

}  // namespace trialwright::engine
