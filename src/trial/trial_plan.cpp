#include "trial/trial_plan.hpp"

#include <cmath>

#include "exact/exact_power.hpp"

namespace trialwright::trial {
namespace {

TrialPlan::ExactPower no(std::string reason) {
  return {std::nullopt, std::move(reason)};
}

constexpr double k_same_rate = 1e-9;

// An enumeration takes about a second up to these: patients, and patients times pairs of arm sizes.
constexpr int k_max_enumerated_patients = 4000;
constexpr std::size_t k_max_enumerated_sizes = 500'000;

}  // namespace

bool TrialPlan::has_common_rate(const PlannedAnalysis& analysis) const {
  if (analysis.maintenance) return analysis.maintenance->is_null;
  if (model->truth_is_drawn()) return false;
  if (const auto& rates = analysis.exact_rates)
    return std::abs(rates->rate_1 - rates->rate_0) <= k_same_rate;
  const auto& estimand = estimands[static_cast<std::size_t>(analysis.i_estimand)];
  if (estimand.counts_discontinuation() &&
      !model->stops_infusions_alike(analysis.arm_1, analysis.arm_0))
    return false;
  return model->is_null() && estimand.higher_is_better();
}

bool TrialPlan::is_null(const PlannedAnalysis& analysis) const {
  if (analysis.maintenance) return analysis.maintenance->is_null;
  const auto& test = analysis.test.spec();
  const bool higher = test.direction == analysis::Direction::higher_is_better;
  if (model->truth_is_drawn()) return false;
  const auto& rates = analysis.exact_rates;
  if (!rates) return has_common_rate(analysis) && test.margin == 0;
  const double benefit = higher ? rates->rate_1 - rates->rate_0 : rates->rate_0 - rates->rate_1;
  if (test.sides == analysis::Sides::two) return std::abs(benefit) <= k_same_rate;
  return benefit <= -test.margin + k_same_rate;
}

TrialPlan::ExactPower TrialPlan::exact_power(const PlannedAnalysis& analysis) const {
  if (analysis.maintenance) return no("how many responders are randomised again is random");
  if (!analysis.strata.empty() || analysis.test.spec().method == analysis::Method::cmh)
    return no("the analysis is stratified");
  if (analysis.borrowing) return no("the analysis borrows from other patients than its own");
  if (analysis.subgroup) return no("the analysis is of a subgroup");
  if (staged) return no("a look may end or change the trial");
  if (model->truth_is_drawn()) return no("every trial draws its own truth");
  if (model->drifts_with_calendar()) return no("response drifts with the calendar");
  if (!model->patients_are_independent()) return no("patients of one site or region are correlated");
  if (arms.size() != 2) return no("the design has more than two arms");
  const std::string too_many = "enumerating this many tables would take too long";
  if (n_patients > k_max_enumerated_patients) return no(too_many);
  const auto law = allocation->arm_size_law(control_arm);
  if (!law) return no("the allocation depends on the patients enrolled");
  if (!estimands[static_cast<std::size_t>(analysis.i_estimand)].endpoint().has_closed_form())
    return no("this endpoint has no closed form");
  const auto& rates = analysis.exact_rates;
  if (!rates)
    return no("intercurrent events or effects on the course leave the rates without a closed form");

  std::vector<exact::ArmSizeProbability> sizes;
  for (const auto& [n_1, probability] : *law) {
    // What these sizes add is below every digit that is printed.
    if (probability > 1e-15) sizes.push_back({n_1, probability});
  }
  if (sizes.size() * static_cast<std::size_t>(n_patients) > k_max_enumerated_sizes) return no(too_many);
  const bool exact_method = analysis.test.spec().method == analysis::Method::boschloo ||
                            analysis.test.spec().method == analysis::Method::z_pooled_exact;
  if (exact_method && sizes.size() > 4)
    return no("the arm sizes are random and the test is unconditional");
  return {exact::exact_power(analysis.test.spec(), n_patients, sizes, rates->rate_1, rates->rate_0),
          {}};
}

}  // namespace trialwright::trial
