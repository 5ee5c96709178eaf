// Boundary families as a study file gives them.
#pragma once

#include "input/reader.hpp"
#include "sequential/boundary.hpp"

namespace trialwright::design {

// Reads `boundary` (lan_demets_obrien_fleming) and what its family needs: `parameter`, `spending`
// ([[information, share of alpha], ...], of piecewise), `z` or `alpha_spent` (one a look, of user). `reader` is
// the map that holds these keys; a specification that sequential::check refuses is a fault at `boundary`. `alpha` is
// one-sided; n_looks counts the last one.
sequential::BoundarySpec read_boundary(input::Reader& reader, double alpha, int n_looks);

}  // namespace trialwright::design
