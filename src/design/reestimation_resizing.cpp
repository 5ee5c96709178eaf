#include "design/reestimation_resizing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <variant>

#include "design/design_spec.hpp"

namespace trialwright::design {

namespace {

// Of whole blocks, so that the arms stay in their ratio.
int size_step(const DesignSpec& spec) {
  const auto* block = std::get_if<PermutedBlock>(&spec.randomisation);
  if (block != nullptr && block->factors.empty()) return block->block_size;
  int sum = 0;
  for (const int ratio : reduced_ratio(spec.arms)) sum += ratio;
  return std::max(1, sum);
}

int rounded_up(double patients, int step) {
  return static_cast<int>(std::ceil(patients / step)) * step;
}

}  // namespace

Resizing::Resizing(const DesignSpec& spec, const ReestimationSpec& rules)
    : rules_(rules), planned_(spec.patients), step_(size_step(spec)) {
  // A plan whose looks fall within blocks does not have whole ones to keep to.
  if (!sets_next_stage()) return;
  int first = planned_;
  for (const auto& stage : rules_.stages) {
    first -= stage.planned;
    step_ = std::gcd(step_, stage.planned);
  }
  step_ = std::gcd(step_, first);
}

int Resizing::awaited(std::size_t i_look, const TrialState& state) const {
  if (state.outcomes_at_next_look > 0) return state.outcomes_at_next_look;
  const auto& amount = rules_.awaited[i_look];
  return amount ? amount->of(state.n_planned) : 0;
}

int Resizing::planned_horizon(std::size_t i_look, const TrialState& state) const {
  return sets_next_stage() ? awaited(i_look, state) + rules_.stages[i_look].planned : state.n_planned;
}

SizeAction Resizing::apply(const SizeAnswer& answer, std::size_t i_look, int n_enrolled,
                           TrialState& state) const {
  return sets_next_stage() ? set_next_stage(answer, i_look, n_enrolled, state)
                           : set_end(answer, n_enrolled, state);
}

SizeAction Resizing::set_end(const SizeAnswer& answer, int n_enrolled, TrialState& state) const {
  if (answer.action != SizeAction::enlarge) return answer.action;
  const int before = state.n_planned, most = rules_.most_patients;
  const int least = std::min(std::max(rules_.fewest_patients, n_enrolled), most);
  int size = most;
  if (answer.patients < most) size = std::clamp(rounded_up(answer.patients, step_), least, most);
  state.n_planned = size;
  return size == before  ? SizeAction::keep
         : size < before ? SizeAction::reduce
         : size < most   ? SizeAction::enlarge
                         : SizeAction::enlarge_to_cap;
}

SizeAction Resizing::set_next_stage(const SizeAnswer& answer, std::size_t i_look, int n_enrolled,
                                    TrialState& state) const {
  const auto& stage = rules_.stages[i_look];
  const int n_passed = awaited(i_look, state);
  int fewest_later = 0, planned_later = 0;
  for (std::size_t i = i_look + 1; i < rules_.stages.size(); ++i) {
    fewest_later += rules_.stages[i].fewest;
    planned_later += rules_.stages[i].planned;
  }
  const int room = rules_.most_patients - n_passed - fewest_later;
  const int most = std::min(stage.most, room);
  int size = std::min(stage.planned, most);
  if (answer.action == SizeAction::enlarge) {
    size = most;
    if (answer.patients - n_passed < most)
      size =
          std::clamp(rounded_up(answer.patients - n_passed, step_), std::min(stage.fewest, most), most);
  }
  const int at_next = n_passed + size;
  state.n_planned = std::max({at_next, std::min(at_next + planned_later, rules_.most_patients),
                              std::min(n_enrolled, rules_.most_patients)});
  state.outcomes_at_next_look = i_look + 1 < rules_.stages.size() ? at_next : 0;
  if (answer.action != SizeAction::enlarge) return answer.action;
  return size == stage.planned  ? SizeAction::keep
         : size < stage.planned ? SizeAction::reduce
         : size < most          ? SizeAction::enlarge
                                : SizeAction::enlarge_to_cap;
}

bool Resizing::may_shrink() const {
  // What one look has added a later one may take away.
  if ((rules_.at & (rules_.at - 1)) != 0) return true;
  if (!sets_next_stage()) return rules_.fewest_patients < planned_;
  return std::any_of(rules_.stages.begin(), rules_.stages.end(),
                     [](const auto& stage) { return stage.fewest < stage.planned; });
}

}  // namespace trialwright::design
