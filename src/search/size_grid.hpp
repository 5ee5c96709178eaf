// The sizes that a sample-size search may answer.
#pragma once

#include <algorithm>
#include <cmath>

namespace trialwright::search {

// Multiples of `unit` from `minimum` to `maximum`, both multiples themselves.
struct SizeGrid {
  int unit = 1;
  int minimum = 1;
  int maximum = 1;

  // The least at or above, within the grid.
  int up(double patients) const { return in_units(std::ceil(bounded(patients) / unit - 1e-9)); }
  int nearest(double patients) const { return in_units(std::floor(bounded(patients) / unit + 0.5)); }

 private:
  double bounded(double patients) const { return std::clamp<double>(patients, minimum, maximum); }
  int in_units(double n_units) const {
    return std::clamp(static_cast<int>(n_units) * unit, minimum, maximum);
  }
};

}  // namespace trialwright::search
