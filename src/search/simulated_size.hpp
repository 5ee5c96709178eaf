// The noise-aware search for a sample size, where power has no exact value.
#pragma once

#include "search/power_sampler.hpp"
#include "search/size.hpp"

namespace trialwright::search {

// The sizes that may be answered: multiples of `unit` from `minimum` to `maximum`, both multiples
// themselves.
struct SizeGrid {
  int unit = 1;
  int minimum = 1;
  int maximum = 1;

  int up(double patients) const;       // the least at or above, within the grid
  int nearest(double patients) const;  // within the grid
};

// Fills outcome, smallest, neighbours, interval and root of an answer; see find_size.
void search_by_simulation(PowerSampler& sampler, const SizeGrid& grid, const SizeQuestion& question,
                          int first_guess, SizeAnswer& answer);

}  // namespace trialwright::search
