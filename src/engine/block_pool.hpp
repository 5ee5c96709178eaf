// The pool: numbered blocks of work handed out in order to threads, their results merged in order.
#pragma once

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace trialwright::engine {

// How the engine talks to whoever started it. Calls come from one thread at a time.
class Monitor {
 public:
  virtual ~Monitor() = default;
  // What the calls of progress() that follow count: exact powers, or trials (those of the true values
  // first, then the study's own).
  enum class Phase { exact_powers, true_values, trials };
  virtual void begin(Phase) {}
  // `done` of `total` are finished, over all points.
  virtual void progress(std::uint64_t done, std::uint64_t total) = 0;
  // True to stop: blocks under way are finished, no other is begun.
  virtual bool stop_requested() = 0;
};

// One job: `n_blocks` blocks whose results are merged into `sum` from block 0 on.
template <class Sum>
struct Job {
  std::uint64_t n_blocks = 0;
  std::uint64_t n_trials = 0;  // for progress: spread evenly over the blocks
  Sum sum{};
};

// Computes block(i_job, i_block, scratch) of every job on n_threads threads that share all jobs'
// blocks, and merges each result into its job's sum in block order, so that the sums do not depend on
// the threads. Each thread has one `Scratch`. After a stop every sum holds its leading blocks up to the
// first unfinished one.
template <class Scratch, class Sum, class Block>
void run_blocks(std::vector<Job<Sum>>& jobs, int n_threads, Monitor* monitor, Block block) {
  struct State {
    std::uint64_t n_merged = 0;
    std::map<std::uint64_t, Sum> waiting;
  };
  std::vector<State> states(jobs.size());
  std::vector<std::uint64_t> first_block;
  std::uint64_t n_blocks = 0;
  std::uint64_t n_trials = 0;
  for (const auto& job : jobs) {
    first_block.push_back(n_blocks);
    n_blocks += job.n_blocks;
    n_trials += job.n_trials;
  }
  std::atomic<std::uint64_t> next = 0;
  std::atomic<bool> stopped = false;
  std::mutex mutex;
  double n_done = 0;

  auto finish = [&](std::size_t i_job, std::uint64_t i_block, Sum result) {
    const std::lock_guard lock(mutex);
    auto& state = states[i_job];
    auto& job = jobs[i_job];
    state.waiting.emplace(i_block, std::move(result));
    while (!state.waiting.empty() && state.waiting.begin()->first == state.n_merged) {
      job.sum.merge(state.waiting.begin()->second);
      state.waiting.erase(state.waiting.begin());
      ++state.n_merged;
    }
    if (!monitor) return;
    n_done += static_cast<double>(job.n_trials) / static_cast<double>(job.n_blocks);
    monitor->progress(static_cast<std::uint64_t>(n_done + 0.5), n_trials);
    if (monitor->stop_requested()) stopped = true;
  };

  const oneapi::tbb::global_control limit(oneapi::tbb::global_control::max_allowed_parallelism,
                                          static_cast<std::size_t>(n_threads));
  oneapi::tbb::task_arena arena(n_threads);
  arena.execute([&] {
    oneapi::tbb::parallel_for(
        0, n_threads,
        [&](int) {
          Scratch scratch;
          while (!stopped.load(std::memory_order_relaxed)) {
            const std::uint64_t i = next.fetch_add(1, std::memory_order_relaxed);
            if (i >= n_blocks) return;
            const auto i_job = static_cast<std::size_t>(
                std::upper_bound(first_block.begin(), first_block.end(), i) - first_block.begin() - 1);
            const std::uint64_t i_block = i - first_block[i_job];
            finish(i_job, i_block, block(i_job, i_block, scratch));
          }
        },
        oneapi::tbb::simple_partitioner{});
  });
}

}  // namespace trialwright::engine
