#include "engine/ordered_writer.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

namespace trialwright::engine {
namespace {

// Blocks handed out in order to threads that take their time; what block(i) appends is i's.
template <class Block>
void run(std::uint64_t n_blocks, int n_threads, Block block) {
  std::atomic<std::uint64_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < n_threads; ++i)
    threads.emplace_back([&] {
      for (std::uint64_t i_block = next++; i_block < n_blocks; i_block = next++) block(i_block);
    });
  for (auto& thread : threads) thread.join();
}

std::string text_of(std::uint64_t i_block, int i_append) {
  return std::to_string(i_block) + "." + std::to_string(i_append) + ";";
}

TEST(OrderedWriter, WritesBlocksInOrderWithinTheLimit) {
  constexpr std::uint64_t k_blocks = 400;
  for (const std::size_t limit : {std::size_t{0}, std::size_t{50}, std::size_t{1} << 20}) {
    std::array<std::string, 2> streams;
    std::vector<std::array<std::size_t, 2>> ends;
    OrderedWriter writer(
        limit, [&](std::size_t i, std::string_view bytes) { streams[i] += bytes; },
        [&] {
          ends.push_back({streams[0].size(), streams[1].size()});
        });
    run(k_blocks, 4, [&](std::uint64_t i_block) {
      std::mt19937 random(static_cast<unsigned>(i_block));
      for (int i = 0; i < 3; ++i) {
        if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 300));
        writer.append(i_block, 0, text_of(i_block, i));
        if (i_block % 3 == 0) writer.append(i_block, 1, text_of(i_block, i));
      }
      writer.finish(i_block);
    });
    std::array<std::string, 2> wanted;
    for (std::uint64_t i_block = 0; i_block < k_blocks; ++i_block) {
      for (int i = 0; i < 3; ++i) {
        wanted[0] += text_of(i_block, i);
        if (i_block % 3 == 0) wanted[1] += text_of(i_block, i);
      }
      ASSERT_EQ(ends.at(i_block), (std::array{wanted[0].size(), wanted[1].size()}));
    }
    EXPECT_EQ(streams, wanted);
    EXPECT_EQ(ends.size(), k_blocks);
  }
}

TEST(OrderedWriter, NobodyWaitsForABlockThatFails) {
  std::string written;
  std::uint64_t n_written = 0;
  OrderedWriter writer(
      0, [&](std::size_t, std::string_view bytes) { written += bytes; }, [&] { ++n_written; });
  run(20, 4, [&](std::uint64_t i_block) {
    if (i_block == 5) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      writer.fail();
      return;
    }
    writer.append(i_block, 0, text_of(i_block, 0));
    writer.finish(i_block);
  });
  EXPECT_EQ(written, "0.0;1.0;2.0;3.0;4.0;");
  EXPECT_EQ(n_written, 5U);
}

TEST(OrderedWriter, TheThreadThatCannotWriteIsTold) {
  std::atomic<int> n_told{0};
  std::uint64_t n_written = 0;
  OrderedWriter writer(
      100,
      [&](std::size_t, std::string_view bytes) {
        if (bytes == text_of(7, 0)) throw std::runtime_error("the disk is full");
      },
      [&] { ++n_written; });
  run(50, 4, [&](std::uint64_t i_block) {
    try {
      writer.append(i_block, 0, text_of(i_block, 0));
      writer.finish(i_block);
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "the disk is full");
      ++n_told;
    }
  });
  EXPECT_EQ(n_told, 1);
  EXPECT_EQ(n_written, 7U);
}

}  // namespace
}  // namespace trialwright::engine
