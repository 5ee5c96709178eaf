// The ledger: which trials of every point are done, each counted once, and their sums.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/piece.hpp"
#include "engine/run_portions.hpp"

namespace trialwright::engine {

class Ledger {
 public:
  // `n_points` as Study::points().
  explicit Ledger(std::size_t n_points);

  // Takes a piece in, joined with neighbours of whole blocks; false, and the piece is left out, where
  // it shares a trial with one that is there. Its shape is the caller's to check.
  bool add(Piece piece);
  // The first that are told of a point stay.
  void add(PointValues values);

  const PointValues* values(std::size_t i_point) const;
  std::span<const Piece> pieces(std::size_t i_point) const;
  // Of `wanted`, what is not done, in ascending order.
  std::vector<TrialRange> gaps(std::size_t i_point, Track track, const TrialRange& wanted) const;
  // Trials done on the track `trials`.
  std::uint64_t n_trials(std::size_t i_point) const;
  // Leaves out pieces that do not fit the track's shape (a last block cut short for fewer trials than
  // are asked for now), or that were summed about other true values than these.
  void keep_fitting(std::size_t i_point, const TrackShape& trials, const TrackShape& calendars);

 private:
  struct PointEntry {
    std::vector<Piece> pieces;  // by track, then range
    std::optional<PointValues> values;
  };
  std::vector<PointEntry> points_;
};

// Do the sums of a piece belong to this plan and these true values? No where a damaged or foreign piece
// has other shapes, counters that the layout lacks, or sums about other values.
bool belongs(const Piece& piece, const trial::TrialPlan& plan, const trial::CountPlan* counts,
             const TrueValues& true_values);

// A point's sum over pieces without common trials, tables tested and estimated. `pieces` must belong.
PointAccumulator sum_of(std::span<const Piece> pieces, const trial::TrialPlan& plan,
                        const trial::CountPlan* counts, const TrueValues& true_values);

// As point_of's and simulate's callers need them.
TrueValues values_alone(const std::vector<std::optional<TrueValue>>& truths);

}  // namespace trialwright::engine
