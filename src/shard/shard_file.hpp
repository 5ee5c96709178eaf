// Shard files: finished work on disk, checksummed and versioned; journals that grow, and whole files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/piece.hpp"
#include "engine/run_portions.hpp"
#include "shard/cut.hpp"

namespace trialwright::shard {

// What every file says of itself first.
struct Header {
  std::string study;  // its name
  std::uint64_t study_hash = 0;
  std::uint64_t seed = 0;
  std::string version;
  std::string resolved_yaml;  // the study, so that a shard file alone can be merged
  ShardId shard;
  std::uint64_t n_trials = 0;  // asked for, a point
  std::uint64_t n_points = 0;
};

// How far a shard was when it saved, for whoever watches.
struct Progress {
  double seconds = 0;          // of this process's work
  std::uint64_t n_trials = 0;  // done in them
  std::uint64_t n_done = 0;    // trials done of the shard, earlier processes' too
  std::uint64_t n_to_do = 0;   // of all the shard has to do
  std::uint64_t i_round = 0;   // of the precision target's rounds, the one it works on
};

struct Content {
  Header header;
  std::vector<engine::Piece> pieces;
  std::vector<engine::PointValues> values;
  std::optional<Progress> progress;  // the last told
  bool is_whole = false;             // ended by its shard, not a journal's prefix
  // Where the file is torn or damaged: bytes from here on mean nothing. Everything before is sound.
  std::optional<std::uint64_t> torn_at;
  std::uint64_t length = 0;
};

// Names in a directory of shards.
std::filesystem::path shards_directory(const std::filesystem::path& results_directory);
std::string whole_name(const ShardId& shard);    // "3-of-40.shard"
std::string journal_name(const ShardId& shard);  // "3-of-40.journal"

// Reads a shard file or a journal. Throws io_error where it cannot be read, is no shard file, or is one
// of another format version. Of a file that is torn before its header ends, torn_at is 0 and the header
// empty (n_points 0).
Content read_shard_file(const std::filesystem::path& file);
// The header, the last progress and is_whole alone: cheap. Pieces and values are not looked at, and
// what is damaged of them not found.
Content read_shard_progress(const std::filesystem::path& file);

// All files *.shard and *.journal of a directory, of whatever names; none where it is absent.
std::vector<std::filesystem::path> shard_files_in(const std::filesystem::path& directory);

// Writes a whole file (content.is_whole or not) beside and renames it.
void write_shard_file(const std::filesystem::path& file, const Content& content);

// Moves what stands in a file after its first `from` bytes to the first free FILE.torn-K beside it, and
// says where; nothing where no more stands there, or no file.
std::optional<std::filesystem::path> set_tail_aside(const std::filesystem::path& file,
                                                    std::uint64_t from);

// A file that finished work is appended to, each append on the disk before it returns.
class Journal {
 public:
  // Begins an empty one, or goes on after the first `length` bytes of one that is there. What stands
  // after these (of an empty one: all) is set aside.
  Journal(const std::filesystem::path& file, const Header& header, std::optional<std::uint64_t> length);
  ~Journal();
  // Throws io_error where the disk is full, the directory gone ...; the file then holds what it held.
  void append(const std::vector<engine::Piece>& pieces, const std::vector<engine::PointValues>& values,
              const Progress& progress);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trialwright::shard
