// Boundary families as a study file gives them.
#pragma once

#include "input/reader.hpp"
#include "sequential/boundary.hpp"

namespace trialwright::design {

// Reads `boundary` (`usual`, a family without a parameter or one with a usual value of it) and what the
// family needs: `parameter`, `spending` ([{information: 0.5, share: 0.2}, ...], of piecewise), `z` or
// `alpha_spent` (of user: one a look). `reader` is on the map that holds these keys. What
// sequential::check refuses is a fault at `boundary`. `alpha` is one-sided; n_looks counts the last
// one.
sequential::BoundarySpec read_boundary(
    input::Reader& reader, double alpha, int n_looks,
    sequential::Family usual = sequential::Family::lan_demets_obrien_fleming);

}  // namespace trialwright::design
