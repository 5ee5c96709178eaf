#include "analysis/conditional_region.hpp"

#include <algorithm>

namespace trialwright::analysis {

ConditionalRegion::ConditionalRegion(int n_1, int n_0) : n_1_(n_1), n_0_(n_0) {
  accepted_.reserve(static_cast<std::size_t>(n_1 + n_0 + 1));
  for (int total = 0; total <= n_1 + n_0; ++total)
    accepted_.push_back({std::max(0, total - n_0), std::min(n_1, total)});
}

}  // namespace trialwright::analysis
