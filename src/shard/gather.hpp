// Shard files from anywhere, read and found to be of one study.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "shard/shard_file.hpp"

namespace trialwright::shard {

// All that files hold, by point.
struct Gathered {
  // Of the file that was asked for most trials; its shard's `n` is that of most files.
  Header header;
  std::vector<std::filesystem::path> files;
  std::vector<std::vector<engine::Piece>> pieces;        // [i_point]; rows' files absolute
  std::vector<std::vector<engine::PointValues>> values;  // [i_point]
  std::vector<std::string> notes;                        // torn tails
  // Whole files by their number of shards, the round they were at and the trials asked for.
  struct WholeShard {
    ShardId shard;
    std::uint64_t i_round = 0;
    std::uint64_t n_trials = 0;
  };
  std::vector<WholeShard> whole;
};

// Files as they are, and of directories all *.shard and *.journal at any depth; each once, in order of
// path. Throws io_error where a place is absent or cannot be read.
std::vector<std::filesystem::path> shard_files_at(const std::vector<std::filesystem::path>& places);

// Reads them. Throws io_error where there is none, where this program's version is not theirs, and
// where some are of another study, seed or version than most: which, and what differs.
Gathered gather(const std::vector<std::filesystem::path>& places);

}  // namespace trialwright::shard
