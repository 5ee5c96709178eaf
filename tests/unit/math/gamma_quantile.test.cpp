#include "math/gamma_quantile.hpp"

#include <gtest/gtest.h>

#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

#include "math/normal.hpp"

namespace trialwright::math {
namespace {

double inverted_from_nothing(double shape, double z) {
  return z < 0 ? boost::math::gamma_p_inv(shape, normal_cdf(z))
               : boost::math::gamma_q_inv(shape, normal_survival(z));
}

TEST(GammaQuantile, IsTheInverseOfTheDistributionFunction) {
  for (const double shape : {0.05, 0.3, 1.0, 1.18, 6.25, 90.0, 1e4, 1e6}) {
    GammaQuantile quantile(shape);
    for (double z = -7.5; z <= 7.5; z += 0.03125) {
      const double expected = inverted_from_nothing(shape, z);
      EXPECT_NEAR(quantile(z), expected, 2e-12 * expected) << shape << " at " << z;
    }
  }
}

TEST(GammaQuantile, DoesNotDependOnTheCallBefore) {
  for (const double shape : {0.05, 1.18, 90.0}) {
    GammaQuantile walking(shape);
    for (const double z : {6.0, -6.0, 0.0, 0.1, -7.5, 7.5, 2.0}) {
      const double alone = GammaQuantile(shape)(z);
      EXPECT_NEAR(walking(z), alone, 1e-12 * alone) << shape << " at " << z;
    }
  }
}

// Exponential: the quantile is -ln(1 - Phi(z)).
TEST(GammaQuantile, OfShapeOneIsALogarithm) {
  GammaQuantile quantile(1);
  for (const double z : {-7.0, -1.0, 0.0, 3.0, 7.0}) {
    const double expected = z < 0 ? -std::log1p(-normal_cdf(z)) : -std::log(normal_survival(z));
    EXPECT_NEAR(quantile(z), expected, 1e-12 * expected) << z;
  }
}

TEST(GammaQuantile, NormalScoreIsItsInverse) {
  GammaQuantile quantile(1.18);
  for (const double z : {-7.0, -2.0, 0.0, 2.0, 7.0})
    EXPECT_NEAR(quantile.normal_score(quantile(z)), z, 1e-12) << z;
}

}  // namespace
}  // namespace trialwright::math
