#include "trial/plan_maintenance.hpp"

#include <fmt/format.h>

#include <utility>

namespace trialwright::trial {
namespace {

PlannedAnalysis planned(const design::MaintenanceAnalysis& analysis,
                        const MaintenanceComparison& comparison, const Maintenance& maintenance,
                        int i_responders, const TrialPlan& plan) {
  const bool is_rate = comparison.outcome == design::MaintenanceOutcome::response_kept;
  const auto& arm = maintenance.spec().arms[static_cast<std::size_t>(comparison.arm_1)];
  const analysis::TestSpec test{
      analysis::Method::chi_square, comparison.sides, comparison.alpha, 0,
      is_rate ? analysis::Direction::higher_is_better : analysis::Direction::lower_is_better};
  PlannedAnalysis planned{
      fmt::format("{}[{}]", analysis.name, arm.name),
      i_responders,
      maintenance.spec().from.front(),
      plan.control_arm,
      {},
      analysis::BinaryTest(test),
      is_rate ? analysis::EffectMeasure::risk_difference : analysis::EffectMeasure::hazard_ratio,
      analysis::IntervalMethod::wald,
      0.95,
      analysis::Estimator(analysis::EffectMeasure::risk_difference, analysis::IntervalMethod::newcombe,
                          0.95, analysis::Stratification::none),
      std::nullopt};
  planned.maintenance = comparison;
  return planned;
}

}  // namespace

void plan_maintenance(const design::WithdrawalSpec& spec, int i_responders, TrialPlan& plan) {
  const double from_week = plan.estimands[static_cast<std::size_t>(i_responders)].endpoint().week();
  auto maintenance = std::make_shared<const Maintenance>(spec, from_week);
  for (const auto& analysis : spec.analyses)
    for (const auto& comparison : maintenance->comparisons(analysis))
      plan.analyses.push_back(planned(analysis, comparison, *maintenance, i_responders, plan));
  plan.maintenance = std::move(maintenance);
}

}  // namespace trialwright::trial
