// Several arms against one control in several stages: multi-arm multi-stage boundaries.
#pragma once

#include <span>
#include <vector>

#include "sequential/boundary.hpp"
#include "sequential/dunnett.hpp"

namespace trialwright::sequential {

// Boundaries of J stages with K arms to one control, `ratio` control patients to one of each arm: the familywise error of
// crossing any efficacy bound is alpha under the global null (Magirr, Jaki & Whitehead 2012, eq. 3 to 6). `shape` obrien_fleming,
// pocock or wang_tsiatis (the triangular boundary of Whitehead 1997 is `triangular`).
struct MultiArmBoundary {
  std::vector<double> efficacy_z;
  std::vector<double> futility_z;
};
enum class MultiArmShape { obrien_fleming, pocock, triangular };
enum class MultiArmFutility { none, zero, triangular };
MultiArmBoundary multi_arm_boundary(MultiArmShape shape, MultiArmFutility futility, double alpha,
                                    int n_arms, double control_ratio,
                                    std::span<const double> information);

}  // namespace trialwright::sequential
