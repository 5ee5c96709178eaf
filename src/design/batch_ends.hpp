// The last looks of many trials at a time, of designs that decide them by little.
#pragma once

#include <span>

#include "analysis/two_by_two.hpp"
#include "design/staged_design.hpp"

namespace trialwright::design {

// What a trial's last look is decided by.
struct LastLook {
  analysis::TwoByTwo stage;  // the last one's patients
  analysis::TwoByTwo all;
  double efficacy_z = 0;  // TrialState's at the last look, left there by the look before
  double futility_z = 0;
  bool naive_before = false;  // naive_rejections() after the look before
};

struct LastDecision {
  StopReason stop = StopReason::completed;
  bool rejects = false;
  bool naive = false;
};

// Of a StagedDesign with one hypothesis, all of whose looks were reached.
class BatchEnds {
 public:
  virtual ~BatchEnds() = default;
  virtual bool decides_ends() const = 0;
  // What decide() and naive_rejections() say of each; where decides_ends().
  virtual void decide_ends(std::span<const LastLook> looks, std::span<LastDecision> out) const = 0;
};

}  // namespace trialwright::design
