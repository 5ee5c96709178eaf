// The pool: numbered blocks of work handed out in order to threads, paused now and then.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace trialwright::engine {

// How the engine talks to whoever started it. Calls come from one thread at a time.
class Monitor {
 public:
  virtual ~Monitor() = default;
  // What the calls of progress() that follow count: points planned, then the trials for true values,
  // then exact powers, then the study's own trials.
  enum class Phase { planning, exact_powers, true_values, trials };
  virtual void begin(Phase) {}
  // `done` of `total` are finished, over all points.
  virtual void progress(std::uint64_t done, std::uint64_t total) = 0;
  // True to stop: blocks under way are finished, no other is begun.
  virtual bool stop_requested() = 0;
};

// Work cut into numbered blocks that any thread may do, several at once.
class Stage {
 public:
  virtual ~Stage() = default;
  virtual Monitor::Phase phase() const = 0;
  virtual std::uint64_t n_blocks() const = 0;
  // What progress counts to: trials, or exact powers.
  virtual std::uint64_t n_items() const = 0;
  // Does one block on thread `i_thread` (from 0), and returns the items done. No two threads at work
  // have the same number.
  virtual std::uint64_t run(std::uint64_t i_block, std::size_t i_thread) = 0;
};

// Runs every stage's blocks on n_threads threads, handed out in order: a thread that finds no block
// left of one stage goes on with the next, so no core waits between them. The monitor hears of the
// first stage that is not finished. No thread is further ahead of a stage's oldest block under way than
// a fixed number of blocks, which bounds the results that wait to be merged.
class BlockPool {
 public:
  // The stages and the monitor (which may be null) must outlive the pool.
  BlockPool(std::span<Stage* const> stages, int n_threads, Monitor* monitor);
  ~BlockPool();

  enum class State { paused, stopped, done };
  // Works until all blocks are done, the monitor asks to stop, or `time` has passed (but for one block
  // at least). On return no block is under way, and of every stage exactly a prefix of its blocks is
  // done. Paused, it can be run on. What a block throws is thrown, and ends the pool's work for good.
  State run(std::optional<std::chrono::steady_clock::duration> time = std::nullopt);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The same without a pause.
void run_stages(std::span<Stage* const> stages, int n_threads, Monitor* monitor);

// A sum of numbered blocks, merged from block 0 on in whatever order they come.
template <class Sum>
class OrderedSum {
 public:
  explicit OrderedSum(Sum sum = {}) : sum_(std::move(sum)) {}

  // By any thread.
  void add(std::uint64_t i_block, Sum result) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(i_block, std::move(result));
    for (; !waiting_.empty() && waiting_.begin()->first == n_merged_; ++n_merged_) {
      sum_.merge(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
    }
  }
  // Once no thread adds any more: of the leading blocks up to the first that is missing.
  Sum& sum() { return sum_; }

 private:
  std::mutex mutex_;
  Sum sum_;
  std::uint64_t n_merged_ = 0;
  std::map<std::uint64_t, Sum> waiting_;
};

// One job: `n_blocks` blocks whose results are merged into `sum` from block 0 on.
template <class Sum>
struct Job {
  std::uint64_t n_blocks = 0;
  std::uint64_t n_trials = 0;  // for progress: spread evenly over the blocks
  Sum sum{};
};

// Which job a block belongs to, where the blocks of several follow one another.
class BlockIndex {
 public:
  void add_job(std::uint64_t n_blocks) {
    first_block_.push_back(n_blocks_);
    n_blocks_ += n_blocks;
  }
  std::uint64_t n_blocks() const { return n_blocks_; }
  struct Place {
    std::size_t i_job = 0;
    std::uint64_t i_block = 0;
  };
  Place operator[](std::uint64_t i) const {
    const auto after = std::upper_bound(first_block_.begin(), first_block_.end(), i);
    const auto i_job = static_cast<std::size_t>(after - first_block_.begin() - 1);
    return {i_job, i - first_block_[i_job]};
  }

 private:
  std::vector<std::uint64_t> first_block_;
  std::uint64_t n_blocks_ = 0;
};

// The share of `all` that block i of n stands for, so that the blocks' shares add up to it.
inline std::uint64_t share_of_block(std::uint64_t all, std::uint64_t i, std::uint64_t n) {
  const auto up_to = [&](std::uint64_t k) { return all / n * k + all % n * k / n; };
  return up_to(i + 1) - up_to(i);
}

// Computes block(i_job, i_block, scratch) of every job on n_threads threads that share all jobs'
// blocks, and merges each result into its job's sum in block order, so that the sums do not depend on
// the threads. Each thread has one `Scratch`. After a stop every sum holds its leading blocks up to the
// first unfinished one.
template <class Scratch, class Sum, class Block>
void run_blocks(std::vector<Job<Sum>>& jobs, int n_threads, Monitor* monitor, Block block,
                Monitor::Phase phase = Monitor::Phase::trials) {
  class JobStage final : public Stage {
   public:
    JobStage(std::vector<Job<Sum>>& jobs, int n_threads, Block& block, Monitor::Phase phase)
        : jobs_(jobs),
          block_(block),
          phase_(phase),
          sums_(jobs.size()),
          scratch_(static_cast<std::size_t>(n_threads)) {
      for (std::size_t i = 0; i < jobs.size(); ++i) {
        index_.add_job(jobs[i].n_blocks);
        n_trials_ += jobs[i].n_trials;
        sums_[i].sum() = std::move(jobs[i].sum);
      }
    }
    void finish() {
      for (std::size_t i = 0; i < jobs_.size(); ++i) jobs_[i].sum = std::move(sums_[i].sum());
    }
    Monitor::Phase phase() const override { return phase_; }
    std::uint64_t n_blocks() const override { return index_.n_blocks(); }
    std::uint64_t n_items() const override { return n_trials_; }
    std::uint64_t run(std::uint64_t i, std::size_t i_thread) override {
      const auto [i_job, i_block] = index_[i];
      sums_[i_job].add(i_block, block_(i_job, i_block, scratch_[i_thread]));
      return share_of_block(jobs_[i_job].n_trials, i_block, jobs_[i_job].n_blocks);
    }

   private:
    std::vector<Job<Sum>>& jobs_;
    Block& block_;
    Monitor::Phase phase_;
    BlockIndex index_;
    std::vector<OrderedSum<Sum>> sums_;
    std::vector<Scratch> scratch_;
    std::uint64_t n_trials_ = 0;
  };
  JobStage stage(jobs, n_threads, block, phase);
  Stage* const stages[] = {&stage};
  run_stages(stages, n_threads, monitor);
  stage.finish();
}

}  // namespace trialwright::engine
