// The exact search for a sample size, where power has an exact value.
#pragma once

#include "search/power_sampler.hpp"
#include "search/size.hpp"
#include "search/size_grid.hpp"

namespace trialwright::search {

// Fills outcome, sizes and neighbours of an answer; see find_size. `plan` is one of the sampler's, with
// an exact power. Returns why sizes about the answer cannot be enumerated, the answer then untouched;
// empty where they were.
std::string search_by_enumeration(PowerSampler& sampler, const trial::TrialPlan& plan,
                                  const SizeGrid& grid, const SizeQuestion& question,
                                  SizeAnswer& answer);

}  // namespace trialwright::search
