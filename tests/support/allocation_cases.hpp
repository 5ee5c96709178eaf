// What the tests of treatment allocation share.
#pragma once

#include <vector>

#include "base/columns.hpp"

namespace trialwright::test_support {

inline std::vector<int> counts_by_arm(const std::vector<int>& arm_of_patient, int n_arms) {
  std::vector<int> counts(static_cast<std::size_t>(n_arms), 0);
  for (const int arm : arm_of_patient) ++counts.at(static_cast<std::size_t>(arm));
  return counts;
}

inline const base::Columns<int>& no_strata() {
  static const base::Columns<int> none;
  return none;
}

}  // namespace trialwright::test_support
