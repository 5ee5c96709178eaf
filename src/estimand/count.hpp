// Counts of a comparison of two arms, overall or by level of a stratum column:
// what analyses start from.
#pragma once

#include <cstdint>
#include <span>

namespace trialwright::estimand {

// Of one level: [0] the reference (control) arm, [1] the arm compared with it.
struct ArmPairCounts {
  std::int32_t responders[2] = {0, 0};
  std::int32_t n[2] = {0, 0};  // patients with a value (not missing)
};

// The two arms compared, as indices into the study's arms.
struct ArmPair {
  int arm_1 = 1;
  int arm_0 = 0;
};

// values[i] in {1, 0, -1 missing}; arm[i] any arm of the study, others than the pair's are passed over.
ArmPairCounts count(std::span<const std::int8_t> values, std::span<const int> arm, ArmPair pair);

// The same by level: levels[i] in [0, by_level.size()); by_level is overwritten. An empty `levels`
// needs one element of by_level.
void count(std::span<const std::int8_t> values, std::span<const int> arm, ArmPair pair,
           std::span<const int> levels, std::span<ArmPairCounts> by_level);

}  // namespace trialwright::estimand
