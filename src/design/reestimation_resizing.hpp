// From what a rule asks for to what is planned: sizes within their caps, and where the looks to come
// fall.
#pragma once

#include <cstddef>

#include "design/reestimation.hpp"
#include "design/reestimation_rule.hpp"
#include "design/staged_design.hpp"

namespace trialwright::design {

struct DesignSpec;

// Looks and stages count from 0; stage i ends at look i.
class Resizing {
 public:
  Resizing(const DesignSpec& spec, const ReestimationSpec& rules);

  bool is_at(std::size_t i_look) const { return (rules_.at >> i_look & 1) != 0; }
  bool sets_next_stage() const { return rules_.resizes == Resizes::next_stage; }

  // Outcomes that a look waited for; 0 where something else triggered it. `state` as before its
  // decision.
  int awaited(std::size_t i_look, const TrialState& state) const;
  // The patients that a re-estimation at this look is about, as planned: those at the end, or at the
  // next look.
  int planned_horizon(std::size_t i_look, const TrialState& state) const;

  // Makes the plan after a look that lets the trial go on: state.n_planned, and of next_stage the
  // outcomes at the next look. Where the look does not re-estimate, `answer` is to keep. What became of
  // it is told against the plan before.
  SizeAction apply(const SizeAnswer& answer, std::size_t i_look, int n_enrolled,
                   TrialState& state) const;

  // May a look leave fewer patients planned than before it?
  bool may_shrink() const;

 private:
  SizeAction set_end(const SizeAnswer& answer, int n_enrolled, TrialState& state) const;
  SizeAction set_next_stage(const SizeAnswer& answer, std::size_t i_look, int n_enrolled,
                            TrialState& state) const;

  ReestimationSpec rules_;
  int planned_;
  int step_;  // sizes move by so many patients
};

}  // namespace trialwright::design
