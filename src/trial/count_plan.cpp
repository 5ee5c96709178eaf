#include "trial/count_plan.hpp"

#include "base/contract.hpp"

namespace trialwright::trial {

struct CountPlan::Impl {
  std::vector<Cell> arms;
  std::vector<std::vector<StratumCells>> strata;
  std::vector<Range> ranges;
};

CountPlan::CountPlan(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
CountPlan::~CountPlan() = default;

CountPlan::Attempt CountPlan::make(const TrialPlan&) {
  return {nullptr, "the plan's counts have no exact law"};
}

const std::vector<CountPlan::Cell>& CountPlan::arms() const {
  return impl_->arms;
}
const std::vector<std::vector<CountPlan::StratumCells>>& CountPlan::strata() const {
  return impl_->strata;
}
std::size_t CountPlan::n_columns() const {
  return impl_->ranges.size();
}
CountPlan::Range CountPlan::range(std::size_t column) const {
  return impl_->ranges[column];
}
std::size_t CountPlan::table_bytes() const {
  return 0;
}
void CountPlan::draw(rng::Key, std::uint64_t, std::size_t n_trials, Workspace&) const {
  TRIALWRIGHT_EXPECT(n_trials <= k_most_trials);
}

}  // namespace trialwright::trial
