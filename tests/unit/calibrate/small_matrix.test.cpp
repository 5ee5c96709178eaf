#include "calibrate/small_matrix.hpp"

#include <gtest/gtest.h>

namespace trialwright::calibrate {
namespace {

TEST(SmallMatrix, InverseTimesMatrixIsOne) {
  const Matrix a{{0, 2, 1}, {1e-6, 3e-6, 1e-6}, {4, 1, -2}};
  const auto inverted = inverse(a);
  ASSERT_TRUE(inverted);
  const Matrix one = product(*inverted, a);
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(one[i][j], i == j ? 1 : 0, 1e-12);
}

TEST(SmallMatrix, ASingularMatrixHasNoInverse) {
  EXPECT_FALSE(inverse({{1, 2}, {2, 4}}));
  EXPECT_FALSE(inverse({{0, 0}, {1, 4}}));
}

TEST(SmallMatrix, TransposesAndMultiplies) {
  const Matrix a{{1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(transpose(a), (Matrix{{1, 4}, {2, 5}, {3, 6}}));
  EXPECT_EQ(product(a, transpose(a)), (Matrix{{14, 32}, {32, 77}}));
  EXPECT_EQ(product(a, Vector{1, 0, -1}), (Vector{-2, -2}));
}

}  // namespace
}  // namespace trialwright::calibrate
