// The work itself: portions of points' tracks run in one pool, handed over as pieces now and then.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "engine/block_pool.hpp"
#include "engine/piece.hpp"
#include "engine/point_values.hpp"
#include "engine/portion.hpp"

namespace trialwright::engine {

class RowRecorder;

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
// `rows` may be null; what is handed over refers to rows that are on the disk.
Ended run_portions(std::span<const PointWork> work, std::span<const Portion> portions, int n_threads,
                   Monitor* monitor, Keeper& keeper, RowRecorder* rows = nullptr);

}  // namespace trialwright::engine
