#include "engine/block_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace trialwright::engine {
namespace {

using namespace std::chrono_literals;

// Notes how often each block was done.
class Noting final : public Stage {
 public:
  explicit Noting(std::uint64_t n_blocks) : n_done(n_blocks) {}
  Monitor::Phase phase() const override { return Monitor::Phase::trials; }
  std::uint64_t n_blocks() const override { return n_done.size(); }
  std::uint64_t n_items() const override { return n_done.size(); }
  std::uint64_t run(std::uint64_t i_block, std::size_t) override {
    ++n_under_way;
    if (i_block == throws_at) throw std::runtime_error("a block failed");
    std::this_thread::sleep_for(i_block % 3 * 50us);
    ++n_done[i_block];
    --n_under_way;
    return 1;
  }

  // Blocks done, if they are a prefix and each was done once.
  std::optional<std::uint64_t> prefix() const {
    std::uint64_t n = 0;
    while (n < n_done.size() && n_done[n] == 1) ++n;
    for (std::uint64_t i = n; i < n_done.size(); ++i)
      if (n_done[i] != 0) return std::nullopt;
    return n;
  }

  std::vector<std::atomic<int>> n_done;
  std::atomic<int> n_under_way = 0;
  std::uint64_t throws_at = ~std::uint64_t{0};
};

TEST(BlockPool, PausesWithAPrefixOfEveryStageDoneAndNoBlockUnderWay) {
  for (const int n_threads : {1, 2, 3}) {
    for (const auto time : {0us, 300us, 2000us}) {
      Noting first(40), second(300);
      Stage* const stages[] = {&first, &second};
      BlockPool pool(stages, n_threads, nullptr);
      std::uint64_t before = 0;
      int n_pauses = 0;
      while (true) {
        const auto state = pool.run(time);
        ASSERT_EQ(first.n_under_way + second.n_under_way, 0);
        ASSERT_TRUE(first.prefix() && second.prefix());
        const std::uint64_t done = *first.prefix() + *second.prefix();
        ASSERT_GT(done, before);
        before = done;
        if (state == BlockPool::State::done) break;
        ASSERT_EQ(state, BlockPool::State::paused);
        ++n_pauses;
      }
      EXPECT_EQ(before, 340u);
      EXPECT_GT(n_pauses, time == 0us ? 100 / n_threads : 1);
      EXPECT_EQ(pool.run(time), BlockPool::State::done);
    }
  }
}

// Notes which threads did blocks; each waits in its first for the others.
class Meeting final : public Stage {
 public:
  explicit Meeting(std::size_t n_threads) : was_here(n_threads), n_missing_(n_threads) {}
  Monitor::Phase phase() const override { return Monitor::Phase::trials; }
  std::uint64_t n_blocks() const override { return was_here.size(); }
  std::uint64_t n_items() const override { return was_here.size(); }
  std::uint64_t run(std::uint64_t, std::size_t i_thread) override {
    ++was_here[i_thread];
    const auto end = std::chrono::steady_clock::now() + 10s;
    for (--n_missing_; n_missing_ > 0 && std::chrono::steady_clock::now() < end;)
      std::this_thread::sleep_for(10us);
    return 1;
  }

  std::vector<std::atomic<int>> was_here;

 private:
  std::atomic<std::size_t> n_missing_;
};

// Every time, however many pools of however many threads there were before.
TEST(BlockPool, HasAllItsThreadsAtWorkAtOnce) {
  for (int i = 0; i < 20; ++i) {
    for (const std::size_t n_threads : {1, 2, 3, 8}) {
      Meeting stage(n_threads);
      Stage* const stages[] = {&stage};
      run_stages(stages, static_cast<int>(n_threads), nullptr);
      for (const auto& n : stage.was_here) ASSERT_EQ(n, 1) << n_threads << " threads";
    }
  }
}

TEST(BlockPool, TakesTheLongestTimesThereAre) {
  Noting stage(5);
  Stage* const stages[] = {&stage};
  EXPECT_EQ(BlockPool(stages, 2, nullptr).run(std::chrono::steady_clock::duration::max()),
            BlockPool::State::done);
}

class StopAt final : public Monitor {
 public:
  explicit StopAt(std::uint64_t n) : n_(n) {}
  void progress(std::uint64_t done, std::uint64_t) override { is_reached_ = done >= n_; }
  bool stop_requested() override { return is_reached_; }

 private:
  std::uint64_t n_;
  bool is_reached_ = false;
};

TEST(BlockPool, StopsForGoodWithAPrefixDone) {
  Noting stage(300);
  Stage* const stages[] = {&stage};
  StopAt monitor(50);
  BlockPool pool(stages, 3, &monitor);
  EXPECT_EQ(pool.run(), BlockPool::State::stopped);
  ASSERT_TRUE(stage.prefix());
  EXPECT_GE(*stage.prefix(), 50u);
  EXPECT_LE(*stage.prefix(), 53u);
  EXPECT_EQ(pool.run(), BlockPool::State::stopped);
  EXPECT_LE(*stage.prefix(), 53u);
}

TEST(BlockPool, ThrowsWhatABlockThrows) {
  Noting stage(300);
  stage.throws_at = 100;
  Stage* const stages[] = {&stage};
  BlockPool pool(stages, 2, nullptr);
  EXPECT_THROW(pool.run(), std::runtime_error);
  EXPECT_EQ(pool.run(), BlockPool::State::stopped);
}

}  // namespace
}  // namespace trialwright::engine
