#include "estimand/count.hpp"

#include <algorithm>
#include <cstddef>

#include "base/contract.hpp"

namespace trialwright::estimand {

ArmPairCounts count(std::span<const std::int8_t> values, std::span<const int> arm, ArmPair pair) {
  TRIALWRIGHT_EXPECT(values.size() == arm.size());
  std::int32_t responders_0 = 0, responders_1 = 0, n_0 = 0, n_1 = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::int32_t in_0 = arm[i] == pair.arm_0, in_1 = arm[i] == pair.arm_1;
    const std::int32_t observed = values[i] >= 0, response = values[i] > 0;
    responders_0 += in_0 & response;
    responders_1 += in_1 & response;
    n_0 += in_0 & observed;
    n_1 += in_1 & observed;
  }
  return {{responders_0, responders_1}, {n_0, n_1}};
}

void count(std::span<const std::int8_t> values, std::span<const int> arm, ArmPair pair,
           std::span<const int> levels, std::span<ArmPairCounts> by_level) {
  TRIALWRIGHT_EXPECT(!by_level.empty());
  if (levels.empty()) {
    TRIALWRIGHT_EXPECT(by_level.size() == 1);
    by_level[0] = count(values, arm, pair);
    return;
  }
  TRIALWRIGHT_EXPECT(values.size() == arm.size() && levels.size() == arm.size());
  std::fill(by_level.begin(), by_level.end(), ArmPairCounts{});
  for (std::size_t i = 0; i < values.size(); ++i) {
    const int side = arm[i] == pair.arm_1;
    if (side == 0 && arm[i] != pair.arm_0) continue;
    TRIALWRIGHT_EXPECT(levels[i] >= 0 && static_cast<std::size_t>(levels[i]) < by_level.size());
    ArmPairCounts& level = by_level[static_cast<std::size_t>(levels[i])];
    level.responders[side] += values[i] > 0;
    level.n[side] += values[i] >= 0;
  }
}

}  // namespace trialwright::estimand
