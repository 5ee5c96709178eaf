// Simulated powers and event rates of the shipped phase 3 study, its whole sweep under all its
// scenarios, against enumeration and closed forms; by both engines.
//
// Every point has a seed of its own, so that points are independent (designs share their patients
// otherwise). False alarms: 18 powers and 36 event rates an engine, 108 comparisons in all, are each
// held to 3.5 MCSE (P = 4.7e-4), and the sum of each engine's squared deviations of powers, and of
// rates, to the 99.9% point of its chi-square law: in all a right program fails with probability below
// 0.055; the seeds are fixed and pass. Power to notice 0.3 points: drawn as counts (10^6 trials, MCSE
// at most 0.05 points), in one power alone with probability 0.99 at least, since 0.3 points are 6 MCSE.
// Simulated patient by patient (100,000 trials, MCSE at most 0.159 points), in all powers or only in
// those of one scenario with effect, by the chi-square sum: the 4 to 12 powers between 0.1 and 0.9 move
// by 1.9 to 3.2 MCSE each; 0.3 points in one event rate are 22 MCSE or more.
#include <gtest/gtest.h>

#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <string>

#include "engine/run_study.hpp"

namespace trialwright::property {
namespace {

constexpr double k_most_mcse = 3.5;

// Deviations in MCSE, one by one and together.
class Deviations {
 public:
  void add(double simulated, double exact, double variance, const std::string& of) {
    const double z = (simulated - exact) / std::sqrt(variance);
    EXPECT_LE(std::abs(z), k_most_mcse) << of << ": " << simulated << " against " << exact;
    sum_of_squares_ += z * z;
    ++n_;
  }
  void expect_chi_square(int n) const {
    EXPECT_EQ(n_, n);
    EXPECT_LT(sum_of_squares_, quantile(boost::math::chi_squared(n_), 0.999));
  }

 private:
  double sum_of_squares_ = 0;
  int n_ = 0;
};

class ExactOracle : public testing::TestWithParam<std::string> {};

TEST_P(ExactOracle, HoldsEveryPointOfThePhase3Study) {
  const double n_trials = GetParam() == "counts" ? 1e6 : 1e5;
  const std::string file = TRIALWRIGHT_SOURCE_DIR "/configs/phase3_power.yaml";
  const auto points = scenario::Study::load(file, {}).points();
  ASSERT_EQ(points.size(), 18u);
  Deviations powers, rates;
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto study = scenario::Study::load(
        file, {"simulation.engine=" + GetParam(), "simulation.seed=" + std::to_string(1000 + i)});
    const auto plan = study.plan(points[i]);
    const auto engine = engine::engine_of(study, *plan);
    ASSERT_EQ(engine.name(), GetParam());
    const engine::Work work{plan.get(), engine::TrueValues(plan->analyses.size()),
                            static_cast<std::uint64_t>(n_trials), 0, engine.counts};
    const auto sum = engine::simulate({&work, 1}, 2, nullptr).front();
    ASSERT_EQ(sum.n_trials, work.n_trials);
    const std::string place =
        points[i].scenario + " with " + std::to_string(plan->n_patients) + " patients";
    ASSERT_EQ(plan->analyses.size(), 1u);
    const auto& analysis = plan->analyses.front();
    const auto exact = plan->exact_power(analysis);
    ASSERT_TRUE(exact.power) << exact.why_not;
    powers.add(static_cast<double>(sum.analyses[0].n_rejected) / n_trials, *exact.power,
               *exact.power * (1 - *exact.power) / n_trials, "power, " + place);
    const auto exact_rates = plan->exact_rates(analysis);
    ASSERT_TRUE(exact_rates);
    for (std::size_t arm = 0; arm < 2; ++arm) {
      const double rate =
          plan->arms[arm] == plan->control_arm ? exact_rates->rate_0 : exact_rates->rate_1;
      const auto n = static_cast<double>(sum.arms[arm].patients);
      EXPECT_EQ(n, n_trials * plan->n_patients / 2);
      rates.add(static_cast<double>(sum.arms[arm].events) / n, rate, rate * (1 - rate) / n,
                "event rate of arm " + std::to_string(arm) + ", " + place);
    }
  }
  powers.expect_chi_square(18);
  rates.expect_chi_square(36);
}

INSTANTIATE_TEST_SUITE_P(Engines, ExactOracle, testing::Values("counts", "patients"),
                         [](const auto& one) { return one.param; });

}  // namespace
}  // namespace trialwright::property
