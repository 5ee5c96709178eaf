// Conditional and predictive power against quadrature over what is still to come. Reference values of
// binary data are in tests/reference/gs_combination.test.cpp.
#include "sequential/conditional_power.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "math/normal.hpp"
#include "math/quadrature.hpp"
#include "sequential/boundary.hpp"
#include "sequential/recursion.hpp"

namespace trialwright::sequential {
namespace {

// E g(drift) of a normal drift, by quadrature.
template <class G>
double expectation(G&& g, double mean, double sd) {
  return math::GaussLegendre(64).integrate(
      [&](double x) { return math::normal_pdf(x) * g(mean + sd * x); }, -9, 9, 4);
}

TEST(ConditionalPower, PublishedDefinition) {
  // Half of the information, z = 1, final 1.96 under drift 2.8: B(1/2) = .7071, 1.4 to come.
  EXPECT_NEAR(conditional_power(1.0, 0.5, 1.96, 2.8),
              math::normal_cdf((std::sqrt(0.5) + 1.4 - 1.96) / std::sqrt(0.5)), 1e-15);
}

TEST(ConditionalPower, AveragesToTheUnconditional) {
  // P(Z_1 >= z_final) = E over Z_t of the conditional power.
  for (const double t : {0.1, 0.5, 0.9}) {
    for (const double drift : {0.0, 2.8}) {
      const double power = expectation([&](double z) { return conditional_power(z, t, 1.96, drift); },
                                       drift * std::sqrt(t), 1.0);
      EXPECT_NEAR(power, math::normal_survival(1.96 - drift), 1e-12) << t << ' ' << drift;
    }
  }
}

// Averaged over where a look leaves the trial, it is the power of the looks to come.
TEST(ConditionalPowerOfLooks, AveragesToTheCrossingProbabilities) {
  const std::vector<double> information{0.2, 0.5, 0.8, 1.0}, efficacy{3.2, 2.6, 2.2, 2.0};
  const std::vector<double> futility{-0.3, 0.4, 0.9, 2.0};
  for (const double drift : {0.0, 2.5}) {
    const auto expected = crossing_probabilities(information, efficacy, futility, drift);
    Recursion process(drift);
    for (std::size_t k = 0; k < 3; ++k) {
      process.look(information[k]);
      const double later = math::GaussLegendre(24).integrate(
          [&](double z) {
            return process.density(z) * conditional_power(z, k, information, efficacy, futility, drift);
          },
          futility[k], efficacy[k], 6);
      double total = 0;
      for (std::size_t j = k + 1; j < 4; ++j) total += expected.efficacy[j];
      EXPECT_NEAR(later, total, 1e-11) << k << ' ' << drift;
      process.go_on(futility[k], efficacy[k]);
    }
  }
}

TEST(ConditionalPowerOfLooks, OneLookToComeIsTheClosedForm) {
  const std::vector<double> information{0.3, 0.6, 1.0}, efficacy{3.2, 2.4, 1.99};
  EXPECT_NEAR(conditional_power(1.3, 1, information, efficacy, {}, 2.2),
              conditional_power(1.3, 0.6, 1.99, 2.2), 1e-14);
  EXPECT_EQ(conditional_power(1.3, 2, information, efficacy, {}, 2.2), 0.0);
  // A look to come that adds nothing.
  const std::vector<double> stuck{0.3, 0.3, 1.0};
  EXPECT_NEAR(conditional_power(1.3, 0, stuck, efficacy, {}, 2.2),
              conditional_power(1.3, 0.3, 1.99, 2.2), 1e-14);
}

TEST(PredictivePower, IsConditionalPowerOverThePosterior) {
  for (const double t : {0.2, 0.6}) {
    for (const double z : {-0.5, 1.4}) {
      const auto conditional = [&](double drift) { return conditional_power(z, t, 2.0, drift); };
      EXPECT_NEAR(predictive_power(z, t, 2.0),
                  expectation(conditional, z / std::sqrt(t), 1 / std::sqrt(t)), 1e-12);
    }
  }
}

TEST(ConditionalPower, NothingLeftToCome) {
  EXPECT_EQ(conditional_power(2.0, 1.0, 1.97, 3.0), 1.0);
  EXPECT_EQ(conditional_power(1.9, 1.3, 1.97, 3.0), 0.0);
  EXPECT_EQ(predictive_power(1.97, 1.0, 1.97), 1.0);
  EXPECT_EQ(predictive_power(1.9, 1.0, 1.97), 0.0);
}

}  // namespace
}  // namespace trialwright::sequential
