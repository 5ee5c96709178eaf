#include "trial/count_law.hpp"

#include <algorithm>

#include "trial/trial_plan.hpp"

namespace trialwright::trial {

namespace {

// The arms' sizes into a stage; false where they hang on the patients.
bool set_sizes(const TrialPlan& plan, CountLaw::Stage& stage) {
  stage.n_patients = plan.n_patients;
  const auto law = plan.allocation->arm_size_law(plan.control_arm);
  if (!law || plan.arms.size() != 2) return false;
  for (const auto& size : *law) {
    const bool first_is_control = plan.arms[0] == plan.control_arm;
    stage.first_size.push_back(
        {first_is_control ? plan.n_patients - size.n_1 : size.n_1, size.probability});
  }
  std::sort(stage.first_size.begin(), stage.first_size.end(),
            [](const auto& a, const auto& b) { return a.n_1 < b.n_1; });
  if (stage.first_size.size() > 1) return true;
  const int n_first = stage.first_size.front().n_1;
  stage.arms[0].n_patients = n_first;
  stage.arms[1].n_patients = plan.n_patients - n_first;
  stage.first_size.clear();
  return true;
}

}  // namespace

std::variant<PlanLaw, std::string> count_law(const TrialPlan& plan) {
  if (plan.model->truth_is_drawn()) return "every trial draws its own truth";
  if (!plan.model->patients_are_independent()) return "patients of one site or region are correlated";
  if (plan.estimands.size() != 1) return "several estimands are read";
  for (const auto& analysis : plan.analyses)
    if (!analysis.strata.empty()) return "an analysis is stratified";
  PlanLaw result;
  CountLaw::Stage& stage = result.law.stages.emplace_back();
  stage.arms.resize(plan.arms.size());
  if (!set_sizes(plan, stage)) return "the arms' sizes hang on the patients enrolled";
  result.law.n_columns = 2 * plan.arms.size();
  result.strata.resize(plan.analyses.size());
  for (std::size_t a = 0; a < plan.arms.size(); ++a) {
    const auto rate = plan.estimands[0].exact_rate(*plan.model, plan.arms[a]);
    if (!rate) return "the rates have no closed form";
    result.arms.push_back({2 * a, 2 * a + 1});
    stage.arms[a].cells = {{*rate, {2 * a, 2 * a + 1}}, {1 - *rate, {2 * a + 1}}};
  }
  return result;
}

}  // namespace trialwright::trial
