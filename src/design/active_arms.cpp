#include "design/active_arms.hpp"

#include <bit>
#include <utility>

#include "design/design_spec.hpp"
#include "math/elementary.hpp"

namespace trialwright::design {

ActiveArms::ActiveArms(const DesignSpec& spec, int i_control)
    : ratio_(reduced_ratio(spec.arms)), i_control_(i_control) {}

Bits ActiveArms::arms_of(Bits hypotheses) const {
  Bits arms = Bits{1} << i_control_;
  for (; hypotheses != 0; hypotheses &= hypotheses - 1)
    arms |= Bits{1} << arm_of(std::countr_zero(hypotheses));
  return arms;
}

int ActiveArms::parts(Bits arms) const {
  int sum = 0;
  for (; arms != 0; arms &= arms - 1) sum += ratio_[static_cast<std::size_t>(std::countr_zero(arms))];
  return sum;
}

void ActiveArms::start(TrialState& state, int n_planned) const {
  state = {};
  state.n_planned = n_planned;
  state.arms = arms_of(all_hypotheses());
  state.open = all_hypotheses();
}

void put_on_scale(analysis::Direction direction, analysis::EffectMeasure effect, Inference& inference) {
  if (direction == analysis::Direction::lower_is_better) {
    inference.estimate = -inference.estimate;
    inference.lower = -std::exchange(inference.upper, -inference.lower);
  }
  if (effect == analysis::EffectMeasure::risk_difference) return;
  for (double* value : {&inference.estimate, &inference.lower, &inference.upper})
    *value = math::exp(*value);
}

}  // namespace trialwright::design
