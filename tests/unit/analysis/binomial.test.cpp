#include "analysis/binomial.hpp"

#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/hypergeometric.hpp>
#include <cmath>
#include <numeric>
#include <vector>

namespace trialwright::analysis {
namespace {

TEST(Binomial, ProbabilitiesAgreeWithBoost) {
  for (const int n : {0, 1, 2, 33, 150, 2000})
    for (const double rate : {0.0, 1e-9, 0.02, 0.32, 0.5, 0.9, 1.0 - 1e-9, 1.0}) {
      std::vector<double> probability(static_cast<std::size_t>(n) + 1, -1.0);
      binomial_probabilities(n, rate, probability);
      for (int k = 0; k <= n; ++k) {
        const double expected = boost::math::pdf(boost::math::binomial(n, rate), k);
        EXPECT_NEAR(probability[static_cast<std::size_t>(k)], expected, 1e-12 * expected + 1e-38)
            << n << " " << k;
      }
    }
}

TEST(HypergeometricTails, AgreeWithBoost) {
  for (const auto& [n_1, n_0] : {std::pair{33, 34}, {100, 50}, {1, 5}, {300, 300}})
    for (int total = 0; total <= n_1 + n_0; total += 1 + total / 3) {
      const Hypergeometric ours(n_1, n_0, total);
      const auto tails = ours.upper_tails();
      const boost::math::hypergeometric theirs(static_cast<unsigned>(total), static_cast<unsigned>(n_1),
                                               static_cast<unsigned>(n_1 + n_0));
      EXPECT_NEAR(std::accumulate(ours.probabilities().begin(), ours.probabilities().end(), 0.0), 1.0,
                  1e-13);
      for (int x = ours.first(); x <= ours.last(); ++x) {
        const double expected = boost::math::pdf(theirs, static_cast<double>(x));
        EXPECT_NEAR(ours.probability(x), expected, 1e-11 * expected);
        EXPECT_NEAR(ours.upper_tail(x), tails[static_cast<std::size_t>(x - ours.first())], 1e-15);
      }
    }
}

}  // namespace
}  // namespace trialwright::analysis
