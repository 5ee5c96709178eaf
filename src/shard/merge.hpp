// Putting shards together: results from any heap of shard files of one study.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "engine/block_pool.hpp"
#include "engine/piece.hpp"
#include "shard/cut.hpp"
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
  Header header;    // of the study; shard and n_trials as asked for
  Results results;  // of what is there: partial where `missing` is not empty
  std::vector<MissingRange> missing;
  std::vector<std::uint32_t> missing_shards;  // of header.shard.n, those whose work is missing
  // With a precision target: points that need another round once the ones before are complete.
  std::vector<std::size_t> open_points;
  std::uint64_t n_trials_overlapping = 0;  // found in several files, counted once
  std::vector<std::string> notes;          // torn tails and the like
};

// Merges files and directories (their *.shard and *.journal, and those of their sub-directory `shards`,
// at any depth). Throws io_error naming the file that is of another study, seed or version than the
// first. `n_trials`: trials a point to answer for; by default the most that any file was asked for.
MergeOutcome merge(const std::vector<std::filesystem::path>& places,
                   std::optional<std::uint64_t> n_trials, int n_threads, engine::Monitor* monitor);

}  // namespace trialwright::shard
