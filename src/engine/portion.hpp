// Portions of the work: which ranges of which points' trials are to be done, and the blocks in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/piece.hpp"
#include "engine/point_values.hpp"
#include "trial/count_plan.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::engine {

// Trials in one block: a power of two, about a millisecond's worth. Depends on the plan and its engine
// alone, so that every block's sums do too. `counts` is null where patients are simulated.
std::uint64_t block_trials(const trial::TrialPlan& plan, const trial::CountPlan* counts);

// A track's length and the trials in one of its blocks; both fixed by the plan, its engine and the
// number of trials asked for. Blocks begin at multiples of block_trials.
struct TrackShape {
  std::uint64_t n_trials = 0;
  std::uint64_t block_trials = 1;
  std::uint64_t n_blocks() const { return (n_trials + block_trials - 1) / block_trials; }
  // May a piece have this range? Whole blocks, or the one that the end cuts short.
  bool fits(const TrialRange& range) const;
};
TrackShape track_shape(const trial::TrialPlan& plan, const trial::CountPlan* counts, Track track,
                       std::uint64_t n_trials);

// One point to work on.
struct PointWork {
  std::size_t i_point = 0;  // into Study::points()
  const trial::TrialPlan* plan = nullptr;
  const trial::CountPlan* counts = nullptr;  // null: patients are simulated
  // Where its true values were found before, perhaps without exact powers; else null.
  const PointValues* known = nullptr;
  bool needs_values = true;  // exact powers, where they are not known (true values always are found)
  std::uint64_t truth_patients = 1 << 19;  // simulated for true values without a closed form, at least
};

// A range of one track of a point, as TrackShape::fits.
struct Portion {
  std::size_t i_work = 0;
  Track track = Track::trials;
  TrialRange range;
};

// The wanted range as portions: whole blocks, and the block cut short. It begins at a block's first
// trial, and ends at a block's last or with the track.
std::vector<Portion> portions_of(std::size_t i_work, Track track, const TrackShape& shape,
                                 const TrialRange& wanted);

}  // namespace trialwright::engine
