// Assurance by simulation against the same integral by quadrature over exact powers, a method that
// shares nothing with the simulation but the test's rejection region.
//
// False alarms: 3.5 MCSE a case, two cases: 1e-3. Power to notice: at 40,000 trials the MCSE is 0.0022;
// leaving out the placebo rate's uncertainty or the prior's shrinkage moves
// assurance by more than 0.02.
#include <gtest/gtest.h>

#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "engine/simulate.hpp"
#include "exact/exact_power.hpp"
#include "support/studies.hpp"

namespace trialwright {
namespace {

constexpr std::uint64_t k_trials = 40000;
constexpr int k_nodes = 60;

// Mean over midpoints of equal probability, of ln(odds ratio) ~ Normal(mean, sd) and the control's
// rate ~ Beta(11.5, 23.5); the error of k_nodes^2 points is below 1e-3.
double assurance_by_quadrature(double mean, double sd, int n_per_arm) {
  const analysis::TestSpec test{analysis::Method::chi_square, analysis::Sides::one, 0.025, 0,
                                analysis::Direction::higher_is_better};
  const exact::RejectionRegion region(test, n_per_arm, n_per_arm);
  const boost::math::normal effect(mean, sd);
  const boost::math::beta_distribution<> control(11.5, 23.5);
  double sum = 0;
  for (int i = 0; i < k_nodes; ++i) {
    const double p_0 = quantile(control, (i + 0.5) / k_nodes);
    for (int j = 0; j < k_nodes; ++j) {
      const double odds = std::exp(quantile(effect, (j + 0.5) / k_nodes)) * p_0 / (1 - p_0);
      sum += region.probability(odds / (1 + odds), p_0);
    }
  }
  return sum / (k_nodes * k_nodes);
}

double assurance_by_simulation(const std::string& truth, int n_per_arm) {
  const auto plan = support::plan("analyses: {easi50_superiority: {sides: 1, alpha: 0.025}}\n" +
                                  support::sections(2 * n_per_arm, truth));
  const engine::Work work{plan.get(), engine::TrueValues(1), k_trials, 0};
  const auto sum = engine::simulate({&work, 1}, 2, nullptr).front();
  return static_cast<double>(sum.analyses[0].n_rejected) / k_trials;
}

void expect_near(double simulated, double expected) {
  const double mcse = std::sqrt(expected * (1 - expected) / k_trials);
  EXPECT_NEAR(simulated, expected, 3.5 * mcse);
}

TEST(Assurance, UnderTheReportedEffectIsTheIntegralOfExactPowers) {
  const double expected = assurance_by_quadrature(1.043, 0.508, 75);
  expect_near(assurance_by_simulation(
                  "{truth: {draw: log_odds_ratio, mean: 1.043, sd: 0.508, control: [11.5, 23.5]}}", 75),
              expected);
}

TEST(Assurance, ShrunkByAScepticalPriorIsTheIntegralOfExactPowers) {
  const double expected = assurance_by_quadrature(0.6547, 0.3369, 150);
  expect_near(assurance_by_simulation(
                  "{truth: {draw: log_odds_ratio, mean: 1.043, sd: 0.508, prior: {mean: 0.35, "
                  "sd: 0.45}, control: [11.5, 23.5]}}",
                  150),
              expected);
}

}  // namespace
}  // namespace trialwright
