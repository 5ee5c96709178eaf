#include "engine/exact_powers.hpp"

#include <algorithm>

namespace trialwright::engine {

ExactPowerStage::ExactPowerStage(std::span<const PointWork> work)
    : work_(work), calculated_(work.size()), n_left_(work.size()) {
  for (std::size_t i = 0; i < work.size(); ++i) {
    if (!is_asked(i)) continue;
    calculated_[i].resize(work[i].plan->analyses.size());
    n_left_[i] = calculated_[i].size();
    for (std::size_t k = 0; k < calculated_[i].size(); ++k) order_.push_back({i, k});
  }
  std::stable_sort(order_.begin(), order_.end(), [&](const Place& a, const Place& b) {
    return work[a.i_work].plan->n_patients > work[b.i_work].plan->n_patients;
  });
}

bool ExactPowerStage::is_asked(std::size_t i_work) const {
  const auto& work = work_[i_work];
  return work.needs_values && (!work.known || work.known->calculated.empty());
}

std::uint64_t ExactPowerStage::run(std::uint64_t i_block, std::size_t) {
  const auto [i_work, i_analysis] = order_[i_block];
  const auto& plan = *work_[i_work].plan;
  const auto& analysis = plan.analyses[i_analysis];
  calculated_[i_work][i_analysis] = {plan.exact_power(analysis), plan.is_null(analysis)};
  --n_left_[i_work];
  return 1;
}

}  // namespace trialwright::engine
