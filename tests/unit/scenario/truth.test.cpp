// What truths drawn trial by trial give where rescue and dropout stand between the law
// and what is observed. Rates are means over 2,000 trials of 400 patients an arm:
// their standard error is below 0.2 points (the draws' own sd of 0.08 over the root of 2,000),
// so a tolerance of 1 point is crossed without a fault less than once in 10^6 times,
// while matching the law instead of what is observed moves the control by 6 points.
#include <gtest/gtest.h>

#include "support/studies.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::scenario {
namespace {

constexpr int k_trials = 2000;

struct Rates {
  double control = 0;
  double active = 0;
};

// Means over trials of the share of EASI50 responders at week 12 among those still in the study.
Rates observed(const std::string& truth, const std::string& library, const std::string& more = "") {
  const auto plan =
      support::plan("estimands: {easi50: {rescue: treatment_policy, dropout: missing}}\n" + more +
                        support::sections(800, truth),
                    library);
  trial::Workspace workspace;
  workspace.prepare(*plan);
  Rates sum;
  for (std::uint64_t i = 0; i < k_trials; ++i) {
    trial::simulate_trial(*plan, i, workspace);
    const auto& table = workspace.outcome.analyses[0].table;
    sum.control += static_cast<double>(table.responders_0) / table.n_0;
    sum.active += static_cast<double>(table.responders_1) / table.n_1;
  }
  return {sum.control / k_trials, sum.active / k_trials};
}

constexpr const char* k_beta_rates =
    "{truth: {draw: beta_rates, arms: {placebo: [11.5, 23.5], hcmsc: [19.5, 14.5]}}}";
constexpr double k_control = 11.5 / 35, k_active = 19.5 / 34;

TEST(Truth, BetaRatesAreWhatIsObserved) {
  for (const char* library : {"library/hcmsc.yaml", "library/hcmsc_rescue.yaml"}) {
    const auto rates = observed(k_beta_rates, library);
    EXPECT_NEAR(rates.control, k_control, 0.01) << library;
    EXPECT_NEAR(rates.active, k_active, 0.01) << library;
  }
}

TEST(Truth, ControlOfALogOddsRatioIsWhatIsObserved) {
  for (const char* library : {"library/hcmsc.yaml", "library/hcmsc_rescue.yaml"}) {
    const auto rates =
        observed("{truth: {draw: log_odds_ratio, mean: 0, sd: 0, control: [11.5, 23.5]}}", library);
    EXPECT_NEAR(rates.control, k_control, 0.01) << library;
    EXPECT_NEAR(rates.active, k_control, 0.01) << library;
  }
}

TEST(Truth, WithoutPublishedRatesTheLawItselfHasTheRate) {
  const auto study = support::study("calibration: null\n" + support::sections(60, k_beta_rates));
  const auto& draw = std::get<patient::BetaRatesDraw>(study.spec().scenarios[0].truth);
  ASSERT_EQ(draw.published_rates.size(), 2u);
  EXPECT_FALSE(draw.published_rates[0]);
  EXPECT_FALSE(draw.published_rates[1]);
  const auto rates = observed(k_beta_rates, "library/hcmsc.yaml", "calibration: null\n");
  EXPECT_NEAR(rates.control, k_control, 0.01);
  EXPECT_NEAR(rates.active, k_active, 0.01);
}

TEST(Truth, TakesThePublishedRatesOfTheReferenceThreshold) {
  const auto study = support::study(support::sections(60, k_beta_rates));
  const auto& draw = std::get<patient::BetaRatesDraw>(study.spec().scenarios[0].truth);
  EXPECT_DOUBLE_EQ(draw.published_rates.at(0).value(), 11.0 / 34);
  EXPECT_DOUBLE_EQ(draw.published_rates.at(1).value(), 19.0 / 33);
  const auto ratio = support::study(support::sections(
      60, "{truth: {draw: log_odds_ratio, mean: 1, sd: 0.5, control: [11.5, 23.5]}}"));
  const auto& drawn = std::get<patient::LogOddsRatioDraw>(ratio.spec().scenarios[0].truth);
  EXPECT_DOUBLE_EQ(drawn.published_control_rate.value(), 11.0 / 34);
}

}  // namespace
}  // namespace trialwright::scenario
