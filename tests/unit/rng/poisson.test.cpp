#include "rng/poisson.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/poisson.hpp>
#include <cmath>
#include <vector>

#include "unit/rng/chi_square.hpp"

namespace trialwright::rng {
namespace {

// Cells of single values about the mean and the tails beyond; 100,000 draws find a cell of 2% that is
// off by a tenth of itself with power above 0.99.
TEST(Poisson, HasItsLaw) {
  for (const double mean : {0.0, 0.02, 1.0, 9.99, 10.0, 24.5, 84.6, 3000.0, 1e7}) {
    const double spread = std::sqrt(mean);
    const double first = std::max(0.0, std::floor(mean - 2 * spread)),
                 step = std::max(1.0, std::floor(spread / 5));
    std::vector<double> probabilities;
    double below = 0;
    if (mean > 0)
      for (double end = first; end < mean + 2 * spread; end += step) {
        const double up_to = boost::math::cdf(boost::math::poisson(mean), end);
        probabilities.push_back(up_to - below);
        below = up_to;
      }
    probabilities.push_back(1 - below);
    std::vector<std::uint64_t> counts(probabilities.size());
    for (std::uint64_t trial = 0; trial < 100'000; ++trial) {
      Stream stream({key_from_seed(3), Purpose::screening, trial, 0});
      const double k = poisson(stream, mean);
      ASSERT_EQ(k, std::floor(k));
      ASSERT_GE(k, 0);
      const double cell = k <= first ? 0 : std::ceil((k - first) / step);
      ++counts[std::min(static_cast<std::size_t>(cell), counts.size() - 1)];
    }
    if (mean == 0)
      EXPECT_EQ(counts[0], 100'000u);
    else
      EXPECT_GT(test::chi_square_p_value(counts, probabilities), test::k_false_alarm_rate) << mean;
  }
}

}  // namespace
}  // namespace trialwright::rng
