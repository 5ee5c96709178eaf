// A run that is safe on the way: a study, or a shard of it, saved as it comes, stopped and gone on with.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/block_pool.hpp"
#include "scenario/study.hpp"
#include "shard/cut.hpp"
#include "trialwright/results.hpp"

namespace trialwright::shard {

struct SessionOptions {
  std::filesystem::path directory;  // of the results; shard files are in its sub-directory `shards`
  std::optional<ShardId> shard;     // none: the whole study
  bool resume = false;              // go on from what is there; else unfinished work there is refused
  // Between two saves at least this, and at least 100 times what the last save took.
  std::chrono::milliseconds save_interval{10'000};
  int n_threads = 1;
};

// How a session ended.
struct SessionOutcome {
  bool interrupted = false;
  std::uint64_t n_trials = 0;          // simulated by this process
  std::uint64_t n_trials_resumed = 0;  // found done
  std::uint64_t n_trials_asked = 0;    // of this shard or study, in the rounds that came to be run
  std::vector<std::string> notes;      // for the user: what was set aside, what was found
  std::optional<Results> results;      // of a whole study: also of an interrupted one
  std::filesystem::path shard_file;    // where a shard's work is
};

// Runs a study or a shard of it. Throws io_error where files fail it, with what is saved and how to go
// on; what was finished and could not be saved in the directory is then, if at all possible, saved in
// the system's temporary directory, and the message says where.
SessionOutcome run_session(const scenario::Study& study, const SessionOptions& options,
                           engine::Monitor* monitor);

}  // namespace trialwright::shard
