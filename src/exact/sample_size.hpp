// Exact sample sizes of two-arm binary tests: the power curve over N saw-tooths,
// so there is more than one.
#pragma once

#include <vector>

#include "analysis/binary_test.hpp"

namespace trialwright::exact {

struct SampleSizeQuestion {
  analysis::TestSpec test;
  int ratio_1 = 1;  // patients of treatment and of control in one allocation unit
  int ratio_0 = 1;
  double p_1 = 0.5;
  double p_0 = 0.5;
  double target_power = 0.9;
  int max_total = 20000;  // no size above is tried
};

struct PowerAt {
  int n_1 = 0;
  int n_0 = 0;
  double power = 0.0;
};

// Sizes are whole allocation units. `found` is false where no size up to max_total reaches the target.
// - smallest: the first size whose power reaches the target. Sizes below 0.6 times the
//   normal-approximation size are not enumerated where that is more than 200 patients, since the power
//   there is far off the target.
// - sustained: the first size from which the power stays at or above the target at every size scanned;
//   the scan ends at scanned_to = the larger of 1.5 times the smallest size + 100 patients and the same
//   of the approximate size (within max_total). `sustained_found` is false where max_total cut the scan
//   short of that.
// - neighbours: the sizes around smallest and up to sustained, in order, showing the saw-tooth.
// - approximate: the normal approximation's size, unrounded in `approximate_total` and rounded up to
//   whole units; pooled formula (Fleiss 1981) for the chi-square family and exact tests, each arm's own
//   variance for z_unpooled, restricted ML variance for farrington_manning.
struct SampleSizeAnswer {
  bool found = false;
  bool sustained_found = false;
  PowerAt smallest;
  PowerAt sustained;
  PowerAt approximate;
  double approximate_total = 0.0;
  int scanned_from = 0;
  int scanned_to = 0;
  std::vector<PowerAt> neighbours;
};

SampleSizeAnswer smallest_sample_size(const SampleSizeQuestion& question);

}  // namespace trialwright::exact
