// The counts a two-arm binary analysis works on.
#pragma once

#include <span>

namespace trialwright::analysis {

// Responders and patients of the treatment (1) and the control arm (0). An arm may be empty.
struct TwoByTwo {
  int responders_1 = 0;
  int n_1 = 0;
  int responders_0 = 0;
  int n_0 = 0;

  friend bool operator==(const TwoByTwo&, const TwoByTwo&) = default;
};

// The strata summed into one table.
constexpr TwoByTwo collapsed(std::span<const TwoByTwo> strata) {
  TwoByTwo sum;
  for (const auto& stratum : strata) {
    sum.responders_1 += stratum.responders_1;
    sum.n_1 += stratum.n_1;
    sum.responders_0 += stratum.responders_0;
    sum.n_0 += stratum.n_0;
  }
  return sum;
}

// The same patients with response and non-response exchanged.
constexpr TwoByTwo complemented(const TwoByTwo& table) {
  return {table.n_1 - table.responders_1, table.n_1, table.n_0 - table.responders_0, table.n_0};
}

}  // namespace trialwright::analysis
