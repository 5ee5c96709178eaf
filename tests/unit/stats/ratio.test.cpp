#include "stats/ratio.hpp"

#include <gtest/gtest.h>

namespace trialwright::stats {
namespace {

// Units (x, y) = (1, 2), (3, 4), (2, 6): r = 6/12, residuals 0, 1, -1.
TEST(Ratio, HasTheStandardErrorOfItsResiduals) {
  const RatioSums sums{6, 12, 1 + 9 + 4, 4 + 16 + 36, 2 + 12 + 12};
  EXPECT_EQ(ratio(sums), 0.5);
  EXPECT_NEAR(mcse_of_ratio(sums), std::sqrt(2.0) / 12, 1e-15);
}

TEST(Ratio, OfOneUnitHasNoError) {
  EXPECT_EQ(mcse_of_ratio({2, 4, 4, 16, 8}), 0);
}

}  // namespace
}  // namespace trialwright::stats
