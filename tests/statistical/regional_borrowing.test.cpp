// A region that borrows from the rest of its trial, simulated, against enumeration: 24 patients of
// Korea and 36 of the rest, both in fixed arms with independent binomial counts, so that every pair of
// tables has its probability. Rejections, mean and coverage; the SD between regions half-normal, fixed,
// and half-normal where the drug does nothing in Korea (there Korea's rates are those of the placebo).
//
// False alarms: 3.5 standard errors in 9 comparisons, 0.004 at most; the seed is fixed and passes.
// Power: what Korea alone would reject (0.27 in place of 0.47, 0.02 in place of 0.17), a scale of 0.5
// (0.38, 0.10) and, without an effect in Korea, tables exchanged (0.19) are all further off than 5
// standard errors.
#include <gtest/gtest.h>

#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "engine/simulate.hpp"
#include "scenario/study.hpp"

namespace trialwright {
namespace {

constexpr std::uint64_t k_trials = 40000;
constexpr int k_korea = 12, k_rest = 18;  // patients an arm

std::shared_ptr<const trial::TrialPlan> plan_of(const std::string& prior, const std::string& effect) {
  auto study = scenario::Study::parse(
      "schema: 1\nextends: library/hcmsc.yaml\n"
      "recruitment: {regions: {korea: {maximum_share: 0.4}, global: {sites: 20, "
      "screened_per_site_month: {mean: 0.5}, maximum_share: 0.6}}}\n" +
          (effect == "0" ? std::string()
                         : "measures: {easi: {region_effects: {effect: {korea: " + effect + "}}}}\n") +
          "analyses:\n"
          "  all: {estimand: easi50}\n"
          "  korea: {estimand: easi50, method: commensurate, sides: 1, alpha: 0.025, subgroup: {factor: "
          "region, level: korea}, borrow: {" +
          prior +
          "}}\n"
          "designs: {global: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: all, "
          "secondary: [korea], randomisation: {method: permuted_block, block_size: 2, strata: [region]}}}\n"
          "scenarios: {truth: {effect: 1}}\nsimulation: {seed: 12, trials: 1}\n",
      "regions", TRIALWRIGHT_SOURCE_DIR "/configs", {});
  return study.plan({"global", "truth", {}});
}

struct Rates {
  double korea_1, korea_0, rest_1, rest_0;
};

struct Characteristics {
  double power = 0, mean = 0, second_moment = 0, coverage = 0;
};

Characteristics enumerate(const analysis::Commensurate& planned, const Rates& rates, double truth) {
  using boost::math::binomial;
  const binomial korea_1(k_korea, rates.korea_1), korea_0(k_korea, rates.korea_0);
  const binomial rest_1(k_rest, rates.rest_1), rest_0(k_rest, rates.rest_0);
  Characteristics sum;
  for (int a = 0; a <= k_korea; ++a)
    for (int b = 0; b <= k_korea; ++b)
      for (int c = 0; c <= k_rest; ++c)
        for (int d = 0; d <= k_rest; ++d) {
          const double probability =
              pdf(korea_1, a) * pdf(korea_0, b) * pdf(rest_1, c) * pdf(rest_0, d);
          if (probability < 1e-12) continue;
          const auto made = planned({a, k_korea, b, k_korea}, {c, k_rest, d, k_rest});
          const double value = std::log(made.estimate.value);
          sum.power += made.reject ? probability : 0;
          sum.mean += probability * value;
          sum.second_moment += probability * value * value;
          if (made.estimate.lower <= truth && truth <= made.estimate.upper) sum.coverage += probability;
        }
  return sum;
}

double odds_ratio(double rate_1, double rate_0) {
  return rate_1 / (1 - rate_1) / (rate_0 / (1 - rate_0));
}

struct Case {
  std::string prior;
  std::string effect;  // added in Korea to the reported log odds ratio
};

class RegionalBorrowing : public ::testing::TestWithParam<Case> {};

TEST_P(RegionalBorrowing, agrees_with_enumeration) {
  // What a rate is without a regional effect is exact; Korea's active one comes from its odds.
  const auto alike = plan_of(GetParam().prior, "0");
  const auto& exact = alike->analyses.front().exact_rates;
  ASSERT_TRUE(exact.has_value());
  const double odds = exact->rate_1 / (1 - exact->rate_1) * std::exp(std::stod(GetParam().effect));
  const Rates rates{odds / (1 + odds), exact->rate_0, exact->rate_1, exact->rate_0};
  const double truth = odds_ratio(rates.korea_1, rates.korea_0);

  const auto plan = plan_of(GetParam().prior, GetParam().effect);
  const auto expected = enumerate(*plan->analyses[1].borrowing, rates, truth);
  const std::vector<engine::Work> work{{plan.get(), {std::nullopt, truth}, k_trials, 0}};
  const auto sum = engine::simulate(work, 2, nullptr).front();
  const auto& korea = sum.analyses[1];
  ASSERT_EQ(korea.n_defined, k_trials);
  const auto agrees = [](std::uint64_t n, double probability) {
    EXPECT_NEAR(static_cast<double>(n) / k_trials, probability,
                3.5 * std::sqrt(probability * (1 - probability) / k_trials));
  };
  agrees(korea.n_rejected, expected.power);
  agrees(korea.n_covered, expected.coverage);
  const double variance = expected.second_moment - expected.mean * expected.mean;
  EXPECT_NEAR(korea.estimate.mean(), expected.mean, 3.5 * std::sqrt(variance / k_trials));
  // Twelve patients an arm alone reject about one time in four, and one in forty without an effect.
  EXPECT_GT(expected.power, GetParam().effect == "0" ? 0.3 : 0.06);
}

INSTANTIATE_TEST_SUITE_P(Cases, RegionalBorrowing,
                         ::testing::Values(Case{"heterogeneity_sd: 0.2", "0"},
                                           Case{"prior: fixed, heterogeneity_sd: 0.3", "0"},
                                           Case{"heterogeneity_sd: 0.2", "-1.0436"}));

}  // namespace
}  // namespace trialwright
