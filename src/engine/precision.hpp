// Stopping on precision: whether a metric of a point is known as exactly as asked for, judged after
// rounds of a fixed number of trials.
#pragma once

#include <cstdint>

#include "engine/run_portions.hpp"
#include "scenario/simulation_spec.hpp"
#include "trialwright/results.hpp"

namespace trialwright::engine {

// Rounds are the same whatever the cutting: round r (from 0) of a point is trials r n … (r + 1) n - 1,
// n the study's round_trials rounded up to whole blocks, the last round cut at `n_trials` (the most).
// Without a precision target there is one round of all trials.
class Rounds {
 public:
  Rounds(const scenario::SimulationSpec& simulation, const TrackShape& trials);
  std::uint64_t n_rounds() const;
  // Of a whole round; all trials where one round holds them.
  std::uint64_t round_trials() const { return round_trials_; }
  // `i_round` < n_rounds().
  TrialRange round(std::uint64_t i_round) const;

 private:
  std::uint64_t n_trials_;
  std::uint64_t round_trials_;
};

// Is the target's metric of this point precise enough? A proportion's half width is that of its Wilson
// interval, and its MCSE this over 1.96, so that none seen, or all, is not taken for certainty; so is
// that of a rate of which nothing, or nothing else, was seen, trials taken for patients. All arms of a
// rate must be precise. What is calculated is; what is undefined (NaN, no interval yet, no spread
// between trials) is not.
//
// Stopping by the estimate biases a proportion away from 1/2, in the order of 1/n: at the default
// rounds by a fifth of the MCSE asked for at most, where the first round ends at the target, and by a
// few percent of it after several rounds; Wilson's interval keeps its coverage (0.944 to 0.962). By the
// exact law of the stops: tests/statistical/precision_stop.test.cpp.
bool is_precise(const Point& point, const scenario::PrecisionTarget& target);

}  // namespace trialwright::engine
