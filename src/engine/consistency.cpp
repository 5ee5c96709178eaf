#include "engine/consistency.hpp"

#include "math/elementary.hpp"

namespace trialwright::engine {

bool is_consistent(const trial::PlannedAnalysis& analysis, const analysis::Estimate& own,
                   const analysis::Estimate& with) {
  // Counts give values much further apart: a tie is consistent whatever the rounding.
  constexpr double k_same = 1e-9;
  if (!own.defined || !with.defined) return false;
  double mine = own.value, theirs = with.value;
  if (analysis.effect != analysis::EffectMeasure::risk_difference) {
    if (!(mine > 0) || !(theirs > 0)) return false;
    mine = math::log(mine);
    theirs = math::log(theirs);
  }
  const bool higher = analysis.test.spec().direction == analysis::Direction::higher_is_better;
  const double excess = mine - analysis.consistency->fraction * theirs;
  return (higher ? excess : -excess) >= -k_same;
}

void ConsistencyCounts::add(bool consistent, bool with_rejected) {
  ++n_trials;
  n_consistent += consistent;
  n_rejected += with_rejected;
  n_consistent_rejected += consistent && with_rejected;
}

void ConsistencyCounts::merge(const ConsistencyCounts& later) {
  n_trials += later.n_trials;
  n_consistent += later.n_consistent;
  n_rejected += later.n_rejected;
  n_consistent_rejected += later.n_consistent_rejected;
}

}  // namespace trialwright::engine
