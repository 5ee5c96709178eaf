// A run that is safe on the way: a study, or a shard of it, saved as it comes, stopped and gone on
// with.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

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
  // Called once all is planned and found without fault, before any file is touched. May be empty.
  std::function<void()> claim_directory;
  // Called before the first trial where finished work is found, with its trials and all that are asked
  // for. May be empty.
  std::function<void(std::uint64_t n_found, std::uint64_t n_asked)> tell_found;
};

// How a session ended.
struct SessionOutcome {
  bool interrupted = false;
  std::uint64_t n_trials = 0;          // simulated by this process
  std::uint64_t n_trials_resumed = 0;  // found done
  std::uint64_t n_trials_asked = 0;    // of this shard or study, in the rounds that came to be run
  std::size_t n_points = 0;            // that have a part in it
  std::uint64_t i_round = 0;           // of a shard of a study with a precision target, from 0
  std::vector<std::string> notes;      // for the user: what was set aside, what was found
  std::optional<Results> results;      // of a whole study: also of an interrupted one
  std::filesystem::path shard_file;    // where a shard's work is
};

// Runs a study or a shard of it. A whole study is shard 1 of 1, which finds (with `resume`) the work of
// all other shards too; it may run beside them: each has files of its own, which others read alone. A
// shard of a study with a precision target does its share of the first round that is not judged yet.
//
// Throws io_error where files fail it, with what is saved and how to go on; what was finished and could
// not be saved in the directory is then, if at all possible, saved in the system's temporary directory,
// and the message says where. So it does where another process is at work on the same shard there, and
// where work of another study, seed or version stands in its way.
SessionOutcome run_session(const scenario::Study& study, const SessionOptions& options,
                           engine::Monitor* monitor);

}  // namespace trialwright::shard
