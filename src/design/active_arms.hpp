// What designs with several active arms have in common: a hypothesis for each, held against the
// control.
#pragma once

#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/estimate.hpp"
#include "design/staged_design.hpp"

namespace trialwright::design {

struct DesignSpec;

// Hypothesis h is of the h-th active arm, in the order of the design's arms.
class ActiveArms {
 public:
  // i_control: index into the design's arms.
  ActiveArms(const DesignSpec& spec, int i_control);

  int n_hypotheses() const { return static_cast<int>(ratio_.size()) - 1; }
  // Shares of the arms, reduced; [i_arm].
  const std::vector<int>& ratio() const { return ratio_; }
  // The arm (index into the design's) of a hypothesis.
  int arm_of(int i_hypothesis) const {
    return i_hypothesis < i_control_ ? i_hypothesis : i_hypothesis + 1;
  }
  Bits all_hypotheses() const { return first_bits(n_hypotheses()); }
  // The arms of the hypotheses, and the control.
  Bits arms_of(Bits hypotheses) const;
  // Patients to one of the ratio.
  int parts(Bits arms) const;
  int all_parts() const { return parts(first_bits(n_hypotheses() + 1)); }
  // A new trial's state: everything is open, n_planned patients are to come.
  void start(TrialState& state, int n_planned) const;

 private:
  static Bits first_bits(int n) { return (Bits{1} << n) - 1; }

  std::vector<int> ratio_;
  int i_control_;
};

// From the scale of z (positive is better, logarithms of ratios) to the effect measure's own.
void put_on_scale(analysis::Direction direction, analysis::EffectMeasure effect, Inference& inference);

}  // namespace trialwright::design
