#include "trial/count_plan.hpp"

#include <utility>
#include <variant>

#include "base/contract.hpp"
#include "trial/count_law.hpp"
#include "trial/count_sampler.hpp"

namespace trialwright::trial {

struct CountPlan::Impl {
  CountSampler sampler;
  std::vector<Cell> arms;
  std::vector<std::vector<StratumCells>> strata;
  std::shared_ptr<const StagedCountPlan> staged;
};

CountPlan::CountPlan(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
CountPlan::~CountPlan() = default;

CountPlan::Attempt CountPlan::make(const TrialPlan& plan) {
  auto made = count_law(plan);
  if (auto* reason = std::get_if<std::string>(&made)) return {nullptr, std::move(*reason)};
  auto& law = std::get<PlanLaw>(made);
  std::shared_ptr<const StagedCountPlan> staged;
  if (plan.staged) {
    auto attempt = StagedCountPlan::make(plan, law);
    if (!attempt.plan) return {nullptr, std::move(attempt.why_not)};
    staged = std::move(attempt.plan);
  }
  auto sampler = CountSampler::compile(law.law);
  if (!sampler) return {nullptr, "the tables of so many patients' counts would take more than 32 MB"};
  auto impl = std::make_unique<Impl>(
      Impl{std::move(*sampler), std::move(law.arms), std::move(law.strata), std::move(staged)});
  return {std::shared_ptr<const CountPlan>(new CountPlan(std::move(impl))), {}};
}

const std::vector<CountPlan::Cell>& CountPlan::arms() const {
  return impl_->arms;
}
const std::vector<std::vector<CountPlan::StratumCells>>& CountPlan::strata() const {
  return impl_->strata;
}
const StagedCountPlan* CountPlan::staged() const {
  return impl_->staged.get();
}
std::size_t CountPlan::n_columns() const {
  return impl_->sampler.ranges().size();
}
CountPlan::Range CountPlan::range(std::size_t column) const {
  return impl_->sampler.ranges()[column];
}
std::size_t CountPlan::table_bytes() const {
  return impl_->sampler.table_bytes();
}

void CountPlan::draw(rng::Key key, std::uint64_t first_trial, std::size_t n_trials,
                     Workspace& workspace) const {
  TRIALWRIGHT_EXPECT(n_trials <= k_most_trials);
  workspace.counts.resize(k_most_trials, n_columns());
  impl_->sampler.draw(key, first_trial, n_trials, workspace.scratch, workspace.counts);
}

}  // namespace trialwright::trial
