// Simulated power of the fixed design against exact power by enumeration, over a grid of 48 cases.
//
// False alarms: the number of rejections may lie in neither binomial tail of 2.33e-4 under the exact
// power (3.5 MCSE either way; a power of 1 - 3e-7 has no normal law), so that over 48 cases a right
// program fails with probability 0.022 at most; the seed is fixed and passes. Power to notice: the last
// test moves the rejection bound by one table and shows that the same check then fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "engine/simulate.hpp"
#include "scenario/study.hpp"

namespace trialwright {
namespace {

constexpr std::uint64_t k_trials = 40000;
constexpr double k_tail = 2.33e-4;  // of a normal beyond 3.5

std::shared_ptr<const trial::TrialPlan> plan_of(int n_patients, double effect,
                                                const std::string& randomisation) {
  auto study = scenario::Study::parse(
      "schema: 1\nextends: library/hcmsc.yaml\n"
      "analyses:\n"
      "  chi_square: {estimand: easi50, method: chi_square}\n"
      "  yates: {estimand: easi50, method: chi_square_yates}\n"
      "  wald_90: {estimand: easi90, method: z_unpooled, sides: 1, alpha: 0.025}\n"
      "  fisher: {estimand: easi50, method: fisher}\n"
      "  midp: {estimand: easi75, method: fisher_midp, sides: 1, alpha: 0.025}\n"
      "  safety: {estimand: any_ae, method: farrington_manning, sides: 1, alpha: 0.025, margin: 0.15}\n"
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: " +
          std::to_string(n_patients) +
          ", primary: chi_square, secondary: [yates, wald_90, fisher, midp, safety]" + randomisation +
          "}}\nscenarios: {truth: {effect: " + std::to_string(effect) + "}}\n" +
          "simulation: {seed: 7, trials: 1}\n",
      "power grid", TRIALWRIGHT_SOURCE_DIR "/configs", {});
  return study.plan({"fixed", "truth", {}});
}

struct Case {
  int n_patients;
  double effect;
  const char* randomisation;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {67, 1, ""},
      {72, 0, ""},
      {100, 0.7, ", randomisation: {method: simple}"},
      {162, 1, ""},
      {151, 0.7, ", randomisation: {method: permuted_block, block_size: 4}"},
      {300, 0, ""},
      {300, 0.7, ", randomisation: {method: permuted_block}"},
      {412, 1.2, ""},
  };
  return all;
}

TEST(FixedDesignPower, LiesWithinMonteCarloErrorOfTheExactPower) {
  int n_cases = 0;
  for (const auto& one : cases()) {
    const auto plan = plan_of(one.n_patients, one.effect, one.randomisation);
    const std::vector<engine::Work> work{
        {plan.get(), engine::TrueValues(plan->analyses.size()), k_trials, 0}};
    const auto sum = engine::simulate(work, 2, nullptr).front();
    ASSERT_EQ(sum.n_trials, k_trials);
    for (std::size_t i = 0; i < plan->analyses.size(); ++i) {
      const auto exact = plan->exact_power(plan->analyses[i]);
      ASSERT_TRUE(exact.power) << exact.why_not;
      const auto n_rejected = static_cast<double>(sum.analyses[i].n_rejected);
      const boost::math::binomial law(static_cast<double>(k_trials), *exact.power);
      const double below = cdf(law, n_rejected);
      const double above = n_rejected > 0 ? cdf(complement(law, n_rejected - 1)) : 1;
      EXPECT_GE(std::min(below, above), k_tail)
          << plan->analyses[i].name << " with " << one.n_patients << " patients, effect " << one.effect
          << ": " << n_rejected / static_cast<double>(k_trials) << " against " << *exact.power;
      ++n_cases;
    }
  }
  EXPECT_GE(n_cases, 40);
}

// One table more or less in the region shifts the exact power by that table's probability. At 67
// patients the nearest tables have probabilities near 0.005, 2 MCSE at 40,000 trials for the most
// probable; a bound that is off by one table in every row shifts it by many times the MCSE, which the
// check above would notice.
TEST(FixedDesignPower, WouldNoticeABoundThatIsOffByOneTable) {
  const auto plan = plan_of(67, 1, "");
  const auto& analysis = plan->analyses.front();
  const auto rates = plan->exact_rates(analysis);
  ASSERT_TRUE(rates);
  analysis::BinaryTest::Cache cache;
  const auto rejects = [&](int x_1, int x_0) {
    return analysis.test.reject({x_1, 33, x_0, 34}, cache);
  };
  double shift = 0;
  const boost::math::binomial treatment(33, rates->rate_1);
  const boost::math::binomial control(34, rates->rate_0);
  for (int x_0 = 0; x_0 <= 34; ++x_0)
    for (int x_1 = 0; x_1 < 33; ++x_1)
      if (!rejects(x_1, x_0) && rejects(x_1 + 1, x_0) && x_1 * 34 > x_0 * 33)
        shift += pdf(treatment, x_1) * pdf(control, x_0);
  const double power = *plan->exact_power(analysis).power;
  const double mcse = std::sqrt(power * (1 - power) / k_trials);
  EXPECT_GT(shift, 7 * mcse);
}

}  // namespace
}  // namespace trialwright
