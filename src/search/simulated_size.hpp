// The noise-aware search for a sample size, where power has no exact value.
#pragma once

#include "search/power_sampler.hpp"
#include "search/size.hpp"
#include "search/size_grid.hpp"

namespace trialwright::search {

// Fills outcome, smallest, neighbours, interval and root of an answer; see find_size.
void search_by_simulation(PowerSampler& sampler, const SizeGrid& grid, const SizeQuestion& question,
                          int first_guess, SizeAnswer& answer);

}  // namespace trialwright::search
