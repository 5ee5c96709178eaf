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

namespace {

// Of a design with looks: from the tables that decide them, where sizes are fixed.
Calculated calculated_of_looks(const trial::TrialPlan& plan, const trial::CountPlan& counts) {
  Calculated result;
  double power = 0;
  for (const auto& [end, probability] : counts.staged()->end_probabilities()) {
    power += (end.rejected & 1) != 0 ? probability : 0;
    const auto stop = std::find_if(result.stops.begin(), result.stops.end(), [&](const ExactStop& one) {
      return one.look == end.n_looks && one.reason == end.stop;
    });
    if (stop == result.stops.end())
      result.stops.push_back({end.n_looks, end.stop, probability});
    else
      stop->probability += probability;
  }
  result.power.power = power;
  result.is_null = plan.is_null(plan.analyses.front());
  return result;
}

Calculated calculated_of_staged(const trial::TrialPlan& plan, const trial::CountPlan* counts,
                                std::size_t i_analysis) {
  Calculated none;
  none.is_null = plan.is_null(plan.analyses[i_analysis]);
  if (i_analysis >= static_cast<std::size_t>(plan.n_hypotheses)) {
    none.power.why_not = "when its data are analysed hangs on the looks";
    return none;
  }
  const auto made = counts ? trial::CountPlan::Attempt{} : trial::CountPlan::make(plan);
  if (!counts) counts = made.plan.get();
  if (counts != nullptr && counts->staged()->decides_by_tables())
    return calculated_of_looks(plan, *counts);
  none.power.why_not =
      counts == nullptr ? made.why_not : "what a look changes hangs on more than one table";
  return none;
}

}  // namespace

Calculated calculated_of(const trial::TrialPlan& plan, const trial::CountPlan* counts,
                         std::size_t i_analysis) {
  if (plan.staged) return calculated_of_staged(plan, counts, i_analysis);
  const auto& analysis = plan.analyses[i_analysis];
  return {plan.exact_power(analysis), plan.is_null(analysis)};
}

std::uint64_t ExactPowerStage::run(std::uint64_t i_block, std::size_t) {
  const auto [i_work, i_analysis] = order_[i_block];
  const auto& work = work_[i_work];
  calculated_[i_work][i_analysis] = calculated_of(*work.plan, work.counts, i_analysis);
  --n_left_[i_work];
  return 1;
}

}  // namespace trialwright::engine
