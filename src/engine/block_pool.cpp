#include "engine/block_pool.hpp"

#include <condition_variable>
#include <exception>
#include <functional>
#include <system_error>
#include <thread>

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

// Threads that do the same job together again and again, the calling one among them. Each keeps its
// number, so that after a pause it finds the memory that it was the first to write. They are the
// system's own: oneTBB's (2021.8) were now and then not woken by a second parallel_for, which left the
// calling thread alone with all the work.
class Crew {
 public:
  Crew(std::size_t n_threads, std::function<void(std::size_t)> job) : job_(std::move(job)) {
    threads_.reserve(n_threads);
    try {
      for (std::size_t i = 1; i < n_threads; ++i) threads_.emplace_back([this, i] { serve(i); });
    } catch (const std::system_error&) {
      // No more threads to be had: fewer do the same work, to the same results.
    }
  }
  ~Crew() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    begun_.notify_all();
    for (auto& thread : threads_) thread.join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // job(i) on every thread i, from 0; returns when all have returned, and throws what the first threw.
  void run() {
    {
      const std::lock_guard lock(mutex_);
      ++i_run_;
      n_at_work_ = threads_.size();
    }
    begun_.notify_all();
    do_job(0);
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return n_at_work_ == 0; });
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

 private:
  void serve(std::size_t i_thread) {
    for (std::uint64_t i_last = 0;;) {
      {
        std::unique_lock lock(mutex_);
        begun_.wait(lock, [&] { return is_over_ || i_run_ != i_last; });
        if (is_over_) return;
        i_last = i_run_;
      }
      do_job(i_thread);
      const std::lock_guard lock(mutex_);
      if (--n_at_work_ == 0) ended_.notify_one();
    }
  }

  void do_job(std::size_t i_thread) {
    try {
      job_(i_thread);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  }

  std::function<void(std::size_t)> job_;
  std::mutex mutex_;
  std::condition_variable begun_;
  std::condition_variable ended_;
  std::uint64_t i_run_ = 0;
  std::size_t n_at_work_ = 0;
  bool is_over_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

// No more threads than blocks.
std::size_t useful_threads(std::span<Stage* const> stages, int n_threads) {
  std::uint64_t n_blocks = 0;
  for (const auto* stage : stages) n_blocks += stage->n_blocks();
  return static_cast<std::size_t>(
      std::min<std::uint64_t>(n_blocks, static_cast<std::uint64_t>(n_threads)));
}

}  // namespace

class BlockPool::Impl {
 public:
  Impl(std::span<Stage* const> stages, int n_threads, Monitor* monitor)
      : stages_(stages),
        dispatcher_(stages, n_threads, monitor),
        crew_(useful_threads(stages, n_threads), [this](std::size_t i_thread) { work(i_thread); }) {}

  State run(std::optional<Clock::duration> time) {
    constexpr Clock::duration k_longest = std::chrono::hours(24 * 365);
    std::optional<Clock::time_point> end;
    if (time) end = Clock::now() + std::min(*time, k_longest);
    dispatcher_.open_until(end);
    crew_.run();
    return dispatcher_.state();
  }

 private:
  void work(std::size_t i_thread) {
    while (const auto place = dispatcher_.take(i_thread)) {
      try {
        dispatcher_.finish(i_thread, stages_[place->i_stage]->run(place->i_block, i_thread));
      } catch (...) {
        dispatcher_.abandon(i_thread);
        throw;
      }
    }
  }

  std::span<Stage* const> stages_;
  Dispatcher dispatcher_;
  Crew crew_;
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
