#include "design/selection_rules.hpp"

#include <bit>

namespace trialwright::design {

namespace {

double merit(const Candidates& candidates, int hypothesis) {
  return candidates.merits[static_cast<std::size_t>(hypothesis)];
}

int best_of(const Candidates& candidates, Bits allowed) {
  int best = -1;
  for (; allowed != 0; allowed &= allowed - 1) {
    const int next = std::countr_zero(allowed);
    if (best < 0) {
      best = next;
      continue;
    }
    const double gain = merit(candidates, next) - merit(candidates, best);
    if (gain > k_equal_merit || (candidates.ties == Ties::last && gain >= -k_equal_merit)) best = next;
  }
  return best;
}

}  // namespace

Bits choose_n_best(const Candidates& candidates) {
  Bits chosen = 0, left = candidates.allowed;
  for (int i = 0; i < candidates.count && left != 0; ++i) {
    const Bits best = Bits{1} << best_of(candidates, left);
    chosen |= best;
    left &= ~best;
  }
  return chosen;
}

Bits choose_best(const Candidates& candidates) {
  return candidates.allowed == 0 ? 0 : Bits{1} << best_of(candidates, candidates.allowed);
}

Bits choose_all(const Candidates& candidates) {
  return candidates.allowed;
}

Bits choose_near_best(const Candidates& candidates) {
  if (candidates.allowed == 0) return 0;
  const double best = merit(candidates, best_of(candidates, candidates.allowed));
  Bits chosen = 0;
  for (Bits left = candidates.allowed; left != 0; left &= left - 1) {
    const int next = std::countr_zero(left);
    if (merit(candidates, next) >= best - candidates.within - k_equal_merit) chosen |= Bits{1} << next;
  }
  return chosen;
}

}  // namespace trialwright::design
