// How far the shards in a directory are, from their files' headers and last progress alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shard/shard_file.hpp"

namespace trialwright::shard {

// whole: all that is asked for is done and saved. running: its lock is held, or was taken on another
// host and its journal grew in the last two minutes (locks may not reach across hosts). stopped: goes
// on with --resume. missing: there is no file of it.
enum class ShardState { whole, running, stopped, missing };
std::string_view name_of(ShardState state);

struct ShardStatus {
  ShardId shard;
  ShardState state = ShardState::missing;
  // Trials, of the round at hand where there are several; 0 where nothing tells.
  std::uint64_t n_done = 0;
  std::uint64_t n_to_do = 0;
  double trials_a_second = 0;  // of the process that is at work
};

struct StudyStatus {
  std::string study;
  std::uint64_t study_hash = 0;
  std::uint64_t seed = 0;
  std::uint64_t n_points = 0;
  std::uint64_t n_trials = 0;  // asked for, a point
  std::uint64_t i_round = 0;   // the one at hand, from 0
  std::vector<ShardStatus> shards;
  std::size_t n_other_files = 0;   // of other cuttings, which merge uses as well
  std::vector<std::string> notes;  // files that cannot be read

  std::size_t count(ShardState state) const;
  std::uint64_t n_done() const;
  // Of the shards that tell it.
  std::uint64_t n_to_do() const;
  double trials_a_second() const;
  // Until all shards that are at work have ended; nothing where none is, or one does not tell.
  std::optional<double> seconds_left() const;
};

// `n_shards`: the cutting; by default the one that most files there are of. Throws io_error where there
// is neither a shard nor an n_shards.
StudyStatus read_status(const std::filesystem::path& results_directory,
                        std::optional<std::uint32_t> n_shards);

}  // namespace trialwright::shard
