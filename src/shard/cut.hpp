// Cutting a study into shards: which share of which points shard I of N does.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/piece.hpp"
#include "engine/run_portions.hpp"
#include "scenario/study.hpp"

namespace trialwright::shard {

// Shard `i` (from 1) of `n`.
struct ShardId {
  std::uint32_t i = 1;
  std::uint32_t n = 1;
  friend bool operator==(const ShardId&, const ShardId&) = default;
};

// A share of one point's blocks: from … to in units of 1/k_whole of the point.
struct PointShare {
  static constexpr std::uint64_t k_whole = std::uint64_t{1} << 32;
  std::size_t i_point = 0;  // into Study::points()
  std::uint64_t from = 0;
  std::uint64_t to = k_whole;
};

// Estimated nanoseconds of every point (trials, true values, planning) on one core, for n_trials trials
// each: the same on every machine. Points are not planned one by one: each axis of the sweep is varied
// alone, and its effects multiplied. Wrong estimates unbalance shards and change nothing else.
std::vector<std::uint64_t> estimated_costs(const scenario::Study& study,
                                           const std::vector<scenario::PointSpec>& points,
                                           std::uint64_t n_trials);

// The costs of the first round that is not judged yet, with a precision target: 0 of points that are
// precise enough. `open` is RoundsFile::open. Without a target estimated_costs of all trials.
std::vector<std::uint64_t> costs_of_round(const scenario::Study& study,
                                          const std::vector<scenario::PointSpec>& points,
                                          std::span<const std::vector<std::size_t>> open);

// The points, in order, that the shard does a share of, for these costs: equal slices of their sum. All
// shards' shares together are the whole of every point that costs anything, none twice. For one N
// dividing another the slices nest.
std::vector<PointShare> share_of(std::span<const std::uint64_t> costs, const ShardId& shard);

// The blocks of `range` (whole rounds of a track) that a share stands for; calendars belong to the
// share that holds the point's beginning.
engine::TrialRange range_of(const PointShare& share, engine::Track track,
                            const engine::TrackShape& shape, const engine::TrialRange& range);

}  // namespace trialwright::shard
