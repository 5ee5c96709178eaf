#include "engine/block_pool.hpp"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/partitioner.h>
#include <oneapi/tbb/task_arena.h>

#include <condition_variable>

namespace trialwright::engine {
namespace {

// Blocks that a thread may be ahead of its stage's oldest one under way, a thread of the pool.
constexpr std::uint64_t k_most_ahead = 256;

using Clock = std::chrono::steady_clock;

// A block of a stage.
struct Place {
  std::size_t i_stage = 0;
  std::uint64_t i_block = 0;
};

// Hands out the blocks and hears when they are done.
class Dispatcher {
 public:
  Dispatcher(std::span<Stage* const> stages, int n_threads, Monitor* monitor)
      : stages_(stages),
        monitor_(monitor),
        most_ahead_(k_most_ahead * static_cast<std::uint64_t>(n_threads)),
        under_way_(static_cast<std::size_t>(n_threads)),
        progress_(stages.size()) {
    pass_finished_stages();
  }

  // Blocks are handed out until then; one at least.
  void open_until(std::optional<Clock::time_point> time) {
    const std::lock_guard lock(mutex_);
    closes_at_ = time;
    has_taken_ = false;
  }

  BlockPool::State state() {
    const std::lock_guard lock(mutex_);
    if (!has_next()) return BlockPool::State::done;
    return stopped_ ? BlockPool::State::stopped : BlockPool::State::paused;
  }

  std::optional<Place> take(std::size_t i_thread) {
    std::unique_lock lock(mutex_);
    while (true) {
      if (!has_next() || stopped_ || is_closed()) return std::nullopt;
      if (!is_too_far_ahead()) break;
      changed_.wait(lock);
    }
    has_taken_ = true;
    under_way_[i_thread] = next_;
    ++next_.i_block;
    return under_way_[i_thread];
  }

  void finish(std::size_t i_thread, std::uint64_t n_items) {
    const std::lock_guard lock(mutex_);
    const std::size_t i_stage = under_way_[i_thread]->i_stage;
    under_way_[i_thread].reset();
    auto& progress = progress_[i_stage];
    ++progress.n_blocks;
    progress.n_items += n_items;
    if (monitor_) {
      if (i_stage == i_reported_) monitor_->progress(progress.n_items, stages_[i_stage]->n_items());
      if (monitor_->stop_requested()) stopped_ = true;
    }
    pass_finished_stages();
    changed_.notify_all();
  }

  // No block is handed out any more.
  void abandon(std::size_t i_thread) {
    const std::lock_guard lock(mutex_);
    under_way_[i_thread].reset();
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  struct Progress {
    std::uint64_t n_blocks = 0;
    std::uint64_t n_items = 0;
  };

  bool has_next() {
    while (next_.i_stage < stages_.size() && next_.i_block >= stages_[next_.i_stage]->n_blocks())
      next_ = {next_.i_stage + 1, 0};
    return next_.i_stage < stages_.size();
  }

  bool is_closed() const { return closes_at_ && has_taken_ && Clock::now() >= *closes_at_; }

  bool is_too_far_ahead() const {
    return std::any_of(under_way_.begin(), under_way_.end(), [&](const auto& place) {
      return place && place->i_stage == next_.i_stage && next_.i_block - place->i_block > most_ahead_;
    });
  }

  void pass_finished_stages() {
    const std::size_t before = i_reported_;
    while (i_reported_ < stages_.size() &&
           progress_[i_reported_].n_blocks == stages_[i_reported_]->n_blocks())
      ++i_reported_;
    const bool is_new = i_reported_ != before || !has_begun_;
    if (!monitor_ || !is_new || i_reported_ >= stages_.size()) return;
    has_begun_ = true;
    monitor_->begin(stages_[i_reported_]->phase());
  }

  std::span<Stage* const> stages_;
  Monitor* monitor_;
  std::uint64_t most_ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Place next_;
  bool stopped_ = false;
  std::optional<Clock::time_point> closes_at_;
  bool has_taken_ = false;
  std::vector<std::optional<Place>> under_way_;  // [i_thread]
  std::vector<Progress> progress_;               // [i_stage]
  std::size_t i_reported_ = 0;
  bool has_begun_ = false;
};

void work(std::span<Stage* const> stages, Dispatcher& dispatcher, std::size_t i_thread) {
  while (const auto place = dispatcher.take(i_thread)) {
    try {
      dispatcher.finish(i_thread, stages[place->i_stage]->run(place->i_block, i_thread));
    } catch (...) {
      dispatcher.abandon(i_thread);
      throw;
    }
  }
}

}  // namespace

class BlockPool::Impl {
 public:
  Impl(std::span<Stage* const> stages, int n_threads, Monitor* monitor)
      : stages_(stages),
        n_threads_(n_threads),
        dispatcher_(stages, n_threads, monitor),
        limit_(oneapi::tbb::global_control::max_allowed_parallelism,
               static_cast<std::size_t>(n_threads)),
        arena_(n_threads) {}

  State run(std::optional<Clock::duration> time) {
    constexpr Clock::duration k_longest = std::chrono::hours(24 * 365);
    std::optional<Clock::time_point> end;
    if (time) end = Clock::now() + std::min(*time, k_longest);
    dispatcher_.open_until(end);
    arena_.execute([&] {
      oneapi::tbb::parallel_for(
          0, n_threads_, [&](int) { work(stages_, dispatcher_, i_thread()); },
          oneapi::tbb::simple_partitioner{});
    });
    return dispatcher_.state();
  }

 private:
  // The place in the arena, which a thread comes back to after a pause: so it finds the memory that it
  // was the first to write.
  static std::size_t i_thread() {
    return static_cast<std::size_t>(oneapi::tbb::this_task_arena::current_thread_index());
  }

  std::span<Stage* const> stages_;
  int n_threads_;
  Dispatcher dispatcher_;
  oneapi::tbb::global_control limit_;
  oneapi::tbb::task_arena arena_;
};

BlockPool::BlockPool(std::span<Stage* const> stages, int n_threads, Monitor* monitor)
    : impl_(std::make_unique<Impl>(stages, n_threads, monitor)) {}

BlockPool::~BlockPool() = default;

BlockPool::State BlockPool::run(std::optional<std::chrono::steady_clock::duration> time) {
  return impl_->run(time);
}

void run_stages(std::span<Stage* const> stages, int n_threads, Monitor* monitor) {
  BlockPool(stages, n_threads, monitor).run();
}

}  // namespace trialwright::engine
