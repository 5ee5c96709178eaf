// The ledger: which trials of every point are done, each counted once, and their sums.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "engine/piece.hpp"
#include "engine/portion.hpp"
#include "engine/true_values.hpp"

namespace trialwright::engine {

class Ledger {
 public:
  // `n_points` as Study::points().
  explicit Ledger(std::size_t n_points);

  // Takes a piece in, joined with neighbours of whole blocks where keep_fitting has told what these
  // are; false, and the piece is left out, where it shares a trial with one that is there. Its shape is
  // the caller's to check.
  bool add(Piece piece);
  // The first that are told of a point stay; what they lack of `calculated` is filled in.
  void add(PointValues values);

  // Null where none were told.
  const PointValues* values(std::size_t i_point) const;
  // By track, then range.
  std::span<const Piece> pieces(std::size_t i_point) const;
  // Of `wanted`, what is not done, in ascending order.
  std::vector<TrialRange> gaps(std::size_t i_point, Track track, const TrialRange& wanted) const;
  // Trials done on the track `trials`.
  std::uint64_t n_trials(std::size_t i_point) const;
  // Leaves out pieces that do not fit the tracks' shapes (a last block cut short for fewer trials than
  // are asked for now) or, where `round_trials` (a multiple of the trials in a block) is not 0, reach
  // over a multiple of it. From then on pieces are joined, none over such a multiple.
  void keep_fitting(std::size_t i_point, const TrackShape& trials, const TrackShape& calendars,
                    std::uint64_t round_trials = 0);

 private:
  struct TrackRule {
    std::uint64_t block_trials = 0;  // 0: not told
    std::uint64_t round_trials = 0;  // 0: one round
  };
  struct PointEntry {
    std::vector<Piece> pieces;  // by track, then range
    std::optional<PointValues> values;
    std::array<TrackRule, 2> rules;  // [track]
  };
  static bool may_join(const PointEntry& entry, const Piece& earlier, const Piece& later);
  static void join_after(PointEntry& entry, std::size_t i);

  std::vector<PointEntry> points_;
};

// Do the sums of a piece belong to this plan and these true values? No where a damaged or foreign piece
// has other shapes, counters that the layout lacks, or sums about other values.
bool belongs(const Piece& piece, const trial::TrialPlan& plan, const trial::CountPlan* counts,
             const TrueValues& true_values);

// A point's sum over pieces without common trials, tables tested and estimated. `pieces` must belong.
PointAccumulator sum_of(std::span<const Piece> pieces, const trial::TrialPlan& plan,
                        const trial::CountPlan* counts, const TrueValues& true_values);
// The same over those that are within the first `n_trials` trials, or calendars.
PointAccumulator sum_of(std::span<const Piece> pieces, std::uint64_t n_trials,
                        const trial::TrialPlan& plan, const trial::CountPlan* counts,
                        const TrueValues& true_values);

}  // namespace trialwright::engine
