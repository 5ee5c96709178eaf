// The work itself: portions of points' tracks run in one pool, handed over as pieces now and then.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "engine/block_pool.hpp"
#include "engine/exact_powers.hpp"
#include "engine/piece.hpp"
#include "engine/simulate.hpp"
#include "engine/true_values.hpp"

namespace trialwright::engine {

class RowRecorder;

// What is known of a point beside its trials.
struct PointValues {
  std::size_t i_point = 0;                       // into Study::points()
  std::vector<std::optional<TrueValue>> truths;  // [i_analysis]
  std::vector<Calculated> calculated;            // [i_analysis]
};
void write(const PointValues& values, base::ByteWriter& out);
// Throws base::BadBytes.
PointValues read_point_values(base::ByteReader& in);

// A track's length and the trials in one of its blocks; both fixed by the plan, its engine and the
// number of trials asked for.
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
  const PointValues* known = nullptr;        // where its values were found before; else null
  bool needs_values = true;  // exact powers, to be handed over (true values always are found)
};

// A range of one track of a point, as TrackShape::fits.
struct Portion {
  std::size_t i_work = 0;
  Track track = Track::trials;
  TrialRange range;
};

// The wanted range as portions: whole blocks, and the block cut short.
std::vector<Portion> portions_of(std::size_t i_work, Track track, const TrackShape& shape,
                                 const TrialRange& wanted);

// Who takes what is finished.
class Keeper {
 public:
  virtual ~Keeper() = default;
  // Called while no block is under way: all that was finished since the last call. Pieces follow the
  // portions' order; each lies within one portion.
  virtual void keep(std::vector<Piece> pieces, std::vector<PointValues> values) = 0;
  // How long the pool is to work before the next call; nothing: until all is done.
  virtual std::optional<std::chrono::steady_clock::duration> interval() = 0;
};

enum class Ended { done, stopped };

// True values of all work (but what is known), exact powers where asked for, and every portion's
// trials. What the keeper gets depends, merged, on the work alone. Ended::stopped where the monitor
// asked for it: all blocks handed out by then are finished and kept. Where `keep` throws, so does this.
// `rows` may be null.
Ended run_portions(std::span<const PointWork> work, std::span<const Portion> portions, int n_threads,
                   Monitor* monitor, Keeper& keeper, RowRecorder* rows = nullptr);

}  // namespace trialwright::engine
