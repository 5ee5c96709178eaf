// Stopping on precision: whether a metric of a point is known as exactly as asked for, judged after
// rounds of a fixed number of trials.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/run_portions.hpp"
#include "scenario/study_spec.hpp"
#include "trialwright/results.hpp"

namespace trialwright::engine {

// Rounds are the same whatever the cutting: round r (from 0) of a point is trials r n … (r + 1) n - 1, n
// the study's round_trials rounded up to whole blocks, the last round cut at `n_trials` (the most).
// Without a precision target there is one round of all trials.
class Rounds {
 public:
  Rounds(const scenario::SimulationSpec& simulation, const TrackShape& trials);
  std::uint64_t n_rounds() const;
  TrialRange round(std::uint64_t i_round) const;

 private:
  std::uint64_t n_trials_;
  std::uint64_t round_trials_;
};

// Is the target's metric of this point precise enough? MCSE of a proportion is half the width of its
// Wilson interval over 1.96, so that none seen, or all, is not taken for certainty. A point that lacks
// the metric (or has it without simulation) is precise.
bool is_precise(const Point& point, const scenario::PrecisionTarget& target);

}  // namespace trialwright::engine
