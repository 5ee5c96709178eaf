#include "estimand/count.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <vector>

namespace {

using namespace trialwright::estimand;

struct Columns {
  std::vector<std::int8_t> values;
  std::vector<int> arms;
  std::vector<int> levels;
};

Columns random_columns(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  Columns columns;
  for (std::size_t i = 0; i < n; ++i) {
    columns.values.push_back(static_cast<std::int8_t>(static_cast<int>(random() % 3) - 1));
    columns.arms.push_back(static_cast<int>(random() % 4));
    columns.levels.push_back(static_cast<int>(random() % 5));
  }
  return columns;
}

TEST(Count, CountsRespondersAndPatientsWithAValue) {
  const std::vector<std::int8_t> values{1, 0, -1, 1, 1, 0, -1};
  const std::vector<int> arms{0, 0, 0, 2, 2, 2, 1};
  const ArmPairCounts counts = count(values, arms, {2, 0});
  EXPECT_EQ(counts.responders[0], 1);
  EXPECT_EQ(counts.n[0], 2);
  EXPECT_EQ(counts.responders[1], 2);
  EXPECT_EQ(counts.n[1], 3);
}

TEST(Count, ByLevelAgreesWithPickingPatientsOneByOne) {
  const Columns columns = random_columns(1003, 5);
  std::array<ArmPairCounts, 5> by_level{{{{9, 9}, {9, 9}}}};
  count(columns.values, columns.arms, {3, 1}, columns.levels, by_level);
  for (int level = 0; level < 5; ++level)
    for (int side = 0; side < 2; ++side) {
      int responders = 0, n = 0;
      for (std::size_t i = 0; i < columns.values.size(); ++i) {
        if (columns.levels[i] != level || columns.arms[i] != (side == 1 ? 3 : 1) ||
            columns.values[i] < 0)
          continue;
        ++n;
        responders += columns.values[i];
      }
      EXPECT_EQ(by_level[level].responders[side], responders);
      EXPECT_EQ(by_level[level].n[side], n);
    }
}

TEST(Count, LevelsSumToTheWhole) {
  const Columns columns = random_columns(997, 6);
  std::array<ArmPairCounts, 5> by_level;
  count(columns.values, columns.arms, {1, 0}, columns.levels, by_level);
  const ArmPairCounts whole = count(columns.values, columns.arms, {1, 0});
  std::array<ArmPairCounts, 1> only;
  count(columns.values, columns.arms, {1, 0}, {}, only);
  for (int side = 0; side < 2; ++side) {
    int responders = 0, n = 0;
    for (const auto& level : by_level) {
      responders += level.responders[side];
      n += level.n[side];
    }
    EXPECT_EQ(whole.responders[side], responders);
    EXPECT_EQ(whole.n[side], n);
    EXPECT_EQ(only[0].responders[side], responders);
    EXPECT_EQ(only[0].n[side], n);
  }
}

}  // namespace
