#include "shard/coverage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

namespace trialwright::shard {
namespace {

using engine::TrialRange;
using testing::ElementsAre;
using testing::IsEmpty;

std::uint64_t covered(const std::vector<TrialRange>& ranges, const std::vector<std::size_t>& chosen) {
  std::uint64_t sum = 0;
  for (const std::size_t i : chosen) sum += ranges[i].size();
  return sum;
}

bool are_apart(const std::vector<TrialRange>& ranges, const std::vector<std::size_t>& chosen) {
  for (std::size_t k = 1; k < chosen.size(); ++k)
    if (ranges[chosen[k - 1]].to > ranges[chosen[k]].from) return false;
  return true;
}

// By trying every subset.
std::uint64_t most_by_force(const std::vector<TrialRange>& ranges) {
  std::uint64_t most = 0;
  for (unsigned set = 0; set < 1U << ranges.size(); ++set) {
    std::vector<std::size_t> chosen;
    for (std::size_t i = 0; i < ranges.size(); ++i)
      if (set >> i & 1U) chosen.push_back(i);
    std::sort(chosen.begin(), chosen.end(),
              [&](std::size_t a, std::size_t b) { return ranges[a].from < ranges[b].from; });
    if (are_apart(ranges, chosen)) most = std::max(most, covered(ranges, chosen));
  }
  return most;
}

TEST(Coverage, takes_all_that_stand_apart_in_ascending_order) {
  EXPECT_THAT(cover({}), IsEmpty());
  EXPECT_THAT(cover({{5, 5}}), IsEmpty());
  EXPECT_THAT(cover({{20, 30}, {0, 10}, {10, 20}}), ElementsAre(1, 2, 0));
}

TEST(Coverage, takes_the_first_of_equal_ranges) {
  EXPECT_THAT(cover({{0, 10}, {0, 10}, {0, 10}}), ElementsAre(0));
  EXPECT_THAT(cover({{10, 20}, {0, 10}, {10, 20}}), ElementsAre(1, 0));
}

TEST(Coverage, prefers_what_covers_most_and_not_what_comes_first) {
  // A greedy choice by start, end or length fails one of these.
  EXPECT_THAT(cover({{0, 6}, {5, 15}, {14, 20}}), ElementsAre(0, 2));
  EXPECT_THAT(cover({{0, 6}, {5, 18}, {17, 20}}), ElementsAre(1));
  EXPECT_THAT(cover({{0, 100}, {0, 50}, {50, 101}}), ElementsAre(1, 2));
}

TEST(Coverage, of_many_nested_shards_is_whole) {
  std::vector<TrialRange> ranges;
  for (std::uint64_t n : {7U, 4U, 2U})
    for (std::uint64_t i = 0; i < n; ++i) ranges.push_back({i * 2800 / n, (i + 1) * 2800 / n});
  ranges.erase(ranges.begin() + 3);          // of the sevenths, that in the middle
  ranges.erase(ranges.begin() + 6 + 1);      // the second quarter
  ranges.erase(ranges.begin() + 6 + 3 + 1);  // the second half
  EXPECT_EQ(covered(ranges, cover(ranges)), 2800U);
}

TEST(Coverage, is_the_most_that_any_choice_covers) {
  std::mt19937_64 random(20261123);
  for (int repeat = 0; repeat < 2000; ++repeat) {
    std::vector<TrialRange> ranges(1 + random() % 10);
    for (auto& range : ranges) {
      range.from = random() % 20;
      range.to = range.from + random() % 8;
    }
    const auto chosen = cover(ranges);
    ASSERT_TRUE(are_apart(ranges, chosen));
    ASSERT_EQ(covered(ranges, chosen), most_by_force(ranges));
    ASSERT_EQ(cover(ranges), chosen);
  }
}

TEST(Coverage, of_a_hundred_thousand_pieces_takes_no_time) {
  std::mt19937_64 random(1);
  std::vector<TrialRange> ranges;
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t from = random() % 1'000'000'000;
    ranges.push_back({from, from + 1 + random() % 100'000});
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(are_apart(ranges, cover(ranges)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

}  // namespace
}  // namespace trialwright::shard
