// Putting shards together: results from any heap of shard files of one study.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/block_pool.hpp"
#include "engine/piece.hpp"
#include "engine/row_files.hpp"
#include "scenario/study.hpp"
#include "shard/cut.hpp"
#include "shard/rounds_file.hpp"
#include "shard/shard_file.hpp"
#include "trialwright/results.hpp"

namespace trialwright::shard {

// Trials of a point that no file holds.
struct MissingRange {
  std::size_t i_point = 0;
  engine::Track track = engine::Track::trials;
  engine::TrialRange range;
};

struct MergeOutcome {
  scenario::Study study;  // made again from the files, with the trials asked for
  Header header;          // of the study; shard.n is the cutting that most files are of
  std::vector<std::filesystem::path> files;
  Results results;  // of what is there: partial where trials are missing or points open
  std::uint64_t i_round =
      0;  // with a precision target: the round that these are missing of, or that is next
  std::vector<MissingRange> missing;
  std::vector<std::uint32_t> missing_shards;  // of header.shard.n, those whose work is missing
  // With a precision target: points that need the round i_round, of which nothing is there, all before
  // it being whole.
  std::vector<std::size_t> open_points;
  std::optional<RoundsFile> rounds;        // with a precision target: what is judged
  std::uint64_t n_trials_overlapping = 0;  // found in several files, counted once
  std::vector<std::string> notes;          // torn tails, overlaps, what could not be used
  engine::RowSegments rows;  // of the results, where the study asks for them; files absolute
  Content content;           // all that was found, each trial once, as one shard of one

  bool is_complete() const { return missing.empty() && open_points.empty(); }
};

// Merges files and directories (their *.shard and *.journal, at any depth). Throws io_error naming the
// file that is of another study, seed or version than the others. `n_trials`: trials a point to answer
// for; by default the most that any file was asked for. `n_shards`: the cutting whose shards are told
// as missing; by default that of most files. `monitor` may be null; where it asks to stop, an Error of
// status interrupted is thrown.
MergeOutcome merge(const std::vector<std::filesystem::path>& places,
                   std::optional<std::uint64_t> n_trials, int n_threads, engine::Monitor* monitor,
                   std::optional<std::uint32_t> n_shards = std::nullopt);

// Leaves what was merged in a results directory as its shard 1 of 1, rows included, so that it can be
// merged again and gone on with. Throws io_error where that cannot be written, or a run is at work
// there.
void save_merged(MergeOutcome outcome, const std::filesystem::path& results_directory);

}  // namespace trialwright::shard
