#include "scenario/study.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/studies.hpp"
#include "trial/simulate_trial.hpp"
#include "trialwright/error.hpp"

namespace trialwright::scenario {
namespace {

using testing::HasSubstr;

std::string faults_of(const std::string& sections) {
  try {
    auto study = support::study(sections);
    study.plans(study.points());
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::bad_input);
    return error.what();
  }
  return {};
}

TEST(Study, RunsEveryDesignScenarioAndSweepPointOnce) {
  auto study = support::study(
      "designs:\n"
      "  a: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: easi50_superiority}\n"
      "  b: {kind: fixed, arms: {placebo: 1, hcmsc: 2}, patients: 90, primary: easi50_superiority}\n"
      "scenarios: {null: {effect: 0}, reported: {effect: 1}}\n"
      "sweep:\n"
      "  designs.a.patients: [40, 60]\n"
      "  scenarios.reported.effect: {from: 0.5, to: 1, step: 0.25}\n");
  const auto points = study.points();
  // a: 2 sizes under null, 2 x 3 under reported; b: 1 and 3.
  ASSERT_EQ(points.size(), 12u);
  EXPECT_EQ(points[0].sweep.size(), 1u);
  EXPECT_EQ(points[2].sweep.size(), 2u);
  EXPECT_EQ(points[2].sweep[1].second.text, "0.5");
  EXPECT_EQ(points[3].sweep[1].second.text, "0.75");
  const auto plans = study.plans(points);
  EXPECT_EQ(plans[0]->n_patients, 40);
  EXPECT_EQ(plans[1]->n_patients, 60);
  EXPECT_EQ(plans[11]->n_patients, 90);
}

TEST(Study, SharesOneModelBetweenPointsThatDifferInTheDesignAlone) {
  auto study = support::study(support::sections(60) + "sweep: {designs.fixed.patients: [40, 60]}\n");
  const auto plans = study.plans(study.points());
  EXPECT_EQ(plans[0]->model, plans[1]->model);
}

// What one point reads is used by the next: none may keep what its own value changes.
TEST(Study, APlanOfASweepIsThatOfTheStudyWithItsValue) {
  const std::string sections =
      support::sections(50, "{effect: 0.7}", ", secondary: [ae_noninferiority]");
  const std::vector<std::pair<std::string, std::vector<std::string>>> axes{
      {"measures.easi.course.tau_weeks.hcmsc", {"2", "8"}},
      {"measures.easi.course.kumaraswamy.arms.hcmsc.a", {"0.5", "0.7"}},
      {"population.covariates.easi.shape", {"1.18", "3"}},
      {"recruitment.screen_failure", {"0.1", "0.4"}},
      {"safety.any_event.hcmsc", {"0.2", "0.5"}},
      {"endpoints.easi50.reduction", {"0.5", "0.6"}},
      {"endpoints.easi50.week", {"4", "12"}},
      {"estimands.easi50.endpoint", {"easi50", "easi75"}},
      {"scenarios.truth.effect", {"0.2", "1"}},
      {"simulation.seed", {"7", "8"}}};
  for (const auto& [path, values] : axes) {
    auto swept = support::study(sections + "simulation: {seed: 1}\nsweep: {" + path + ": [" +
                                values[0] + ", " + values[1] + "]}\n");
    const auto plans = swept.plans(swept.points());
    for (std::size_t i = 0; i < values.size(); ++i) {
      auto alone = Study::parse(
          "schema: 1\nextends: library/hcmsc.yaml\n" + sections, "study",
          TRIALWRIGHT_SOURCE_DIR "/configs",
          {path + "=" + values[i], "simulation.seed=" + (path == "simulation.seed" ? values[i] : "1")});
      const auto plan = alone.plan(alone.points().front());
      ASSERT_EQ(plan->analyses[0].exact_rates.has_value(),
                plans[i]->analyses[0].exact_rates.has_value());
      if (plan->analyses[0].exact_rates) {
        EXPECT_EQ(plan->analyses[0].exact_rates->rate_1, plans[i]->analyses[0].exact_rates->rate_1);
        EXPECT_EQ(plan->analyses[0].exact_rates->rate_0, plans[i]->analyses[0].exact_rates->rate_0);
      }
      trial::Workspace of_sweep, of_study;
      of_sweep.prepare(*plans[i]);
      of_study.prepare(*plan);
      for (std::uint64_t i_trial = 0; i_trial < 5; ++i_trial) {
        trial::simulate_trial(*plans[i], i_trial, of_sweep);
        trial::simulate_trial(*plan, i_trial, of_study);
        for (std::size_t k = 0; k < plan->analyses.size(); ++k)
          EXPECT_EQ(of_sweep.outcome.analyses[k].table, of_study.outcome.analyses[k].table)
              << path << " " << values[i];
        EXPECT_EQ(of_sweep.outcome.duration_months, of_study.outcome.duration_months) << path;
      }
    }
  }
}

TEST(Study, ACopyPlansTheSamePoints) {
  auto study =
      support::study(support::sections(60) + "sweep: {scenarios.truth.effect: [0.5, 0.7, 2.5]}\n");
  const auto points = study.points();
  input::Diagnostics faults, of_copy;
  const auto plans = study.plans(std::span(points).first(2), faults);
  auto copy = study;
  const auto others = copy.plans(points, of_copy);
  EXPECT_TRUE(faults.empty());
  ASSERT_EQ(others.size(), 3u);
  EXPECT_EQ(plans[1]->model, others[1]->model);
  EXPECT_EQ(others[2], nullptr);
  EXPECT_EQ(of_copy.size(), 1u);
  EXPECT_THROW(study.refuse(of_copy), Error);
}

TEST(Study, DrawsAPosteriorAnewWhereItsResponsesAreDefinedAnew) {
  auto study = support::study(support::sections(60, "{truth: {draw: calibration_posterior}}") +
                              "sweep: {endpoints.easi90.reduction: [0.9, 0.8]}\n");
  const auto plans = study.plans(study.points());
  ASSERT_EQ(plans.size(), 2u);
  EXPECT_NE(plans[0]->model, plans[1]->model);
}

TEST(Study, OverridesOfAScenarioChangeTheModel) {
  auto study = support::study(support::sections(
      60, "{effect: 1, overrides: {measures.easi.course.kumaraswamy.arms.hcmsc.a: 0.7}}"));
  const auto plan = study.plan(study.points().front());
  const auto plain = support::plan(support::sections(60));
  EXPECT_LT(plan->exact_rates(plan->analyses[0])->rate_1,
            plain->exact_rates(plain->analyses[0])->rate_1 - 0.03);
  EXPECT_EQ(plan->exact_rates(plan->analyses[0])->rate_0,
            plain->exact_rates(plain->analyses[0])->rate_0);
}

TEST(Study, ResolvedStudyGivesTheSameStudyAgain) {
  auto study = support::study(support::sections(60), "library/hcmsc_rescue.yaml");
  const std::string resolved = study.resolved_yaml();
  auto again = Study::parse(resolved, "study", ".", {});
  EXPECT_EQ(again.resolved_yaml(), resolved);
  EXPECT_EQ(again.hash(), study.hash());
  EXPECT_THAT(resolved, HasSubstr("random_allocation"));
}

TEST(Study, MoreTrialsAreTheSameStudy) {
  const auto few = support::study(support::sections(60) + "simulation: {trials: 10, seed: 3}\n");
  const auto many = support::study(support::sections(60) + "simulation: {trials: 99, seed: 3}\n");
  const auto other = support::study(support::sections(60) + "simulation: {trials: 99, seed: 4}\n");
  EXPECT_EQ(few.hash(), many.hash());
  EXPECT_NE(few.hash(), other.hash());
}

TEST(Study, ExactRatesAreThePublishedOnesUpToTheScoresRounding) {
  const auto plan = support::plan(support::sections(67));
  const auto rates = plan->exact_rates(plan->analyses[0]);
  ASSERT_TRUE(rates);
  EXPECT_NEAR(rates->rate_1, 19.0 / 33, 0.001);
  EXPECT_NEAR(rates->rate_0, 11.0 / 34, 0.001);
}

TEST(Study, SaysWhyThereIsNoExactPower) {
  const auto stratified = support::plan(
      "analyses: {cmh: {estimand: easi50, method: cmh, strata: [severity]}}\n"
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: cmh}}\n"
      "scenarios: {truth: {effect: 1}}\n");
  EXPECT_FALSE(stratified->exact_power(stratified->analyses[0]).power);
  EXPECT_THAT(stratified->exact_power(stratified->analyses[0]).why_not, HasSubstr("stratified"));
  const auto rescued = support::plan(support::sections(60), "library/hcmsc_rescue.yaml");
  EXPECT_THAT(rescued->exact_power(rescued->analyses[0]).why_not, HasSubstr("intercurrent"));
}

TEST(Scenario, ShrinksALogOddsRatioTowardsThePrior) {
  // DOMAIN section 7: N(1.043, .508^2) under the prior N(.35, .45^2) is N(.655, .337^2).
  const auto study = support::study(support::sections(
      60, "{truth: {draw: log_odds_ratio, mean: 1.043, sd: 0.508, prior: {mean: 0.35, sd: 0.45}}}"));
  const auto& draw = std::get<patient::LogOddsRatioDraw>(study.spec().scenarios[0].truth);
  EXPECT_NEAR(draw.mean, 0.655, 5e-4);
  EXPECT_NEAR(draw.sd, 0.337, 5e-4);
}

TEST(Scenario, TakesThePublishedCountsAsThePosterior) {
  const auto study = support::study(support::sections(60, "{truth: {draw: calibration_posterior}}"));
  const auto& draw = std::get<patient::PosteriorDraw>(study.spec().scenarios[0].truth);
  EXPECT_DOUBLE_EQ(draw.ratio_1, 0.5);
  EXPECT_NEAR(draw.ratio_2, 0.1, 1e-12);
  EXPECT_EQ(draw.arms[1].responders, 19);
  EXPECT_EQ(draw.arms[1].deep_responders, 8);
  EXPECT_EQ(draw.arms[0].patients, 34);
}

TEST(Scenario, TakesNoResponseBeforeTheCourseIsReachedForThePosterior) {
  EXPECT_THAT(faults_of("endpoints: {easi90: {week: 8}}\n" +
                        support::sections(60, "{truth: {draw: calibration_posterior}}")),
              HasSubstr("two responder rates of every arm"));
}

TEST(Scenario, RefusesTwoTruths) {
  EXPECT_THAT(faults_of(support::sections(60, "{effect: 1, odds_ratio: 2}")), HasSubstr("one truth"));
}

TEST(Scenario, RefusesAMultiplierWhoseLawIsNotMonotone) {
  EXPECT_THAT(faults_of(support::sections(60, "{effect: 3}")), HasSubstr("would not increase"));
}

TEST(Sweep, RefusesPathsThatLeadNowhereAndValuesTwice) {
  EXPECT_THAT(faults_of(support::sections(60) + "sweep: {designs.fixd.patients: [40, 60]}\n"),
              HasSubstr("no \"designs.fixd.patients\""));
  EXPECT_THAT(faults_of(support::sections(60) + "sweep: {designs.fixed.patients: [40, 40]}\n"),
              HasSubstr("stands twice"));
  EXPECT_THAT(faults_of(support::sections(60) + "sweep: {designs.fixed.arms: [1, 2]}\n"),
              HasSubstr("only scalars"));
}

TEST(Sweep, FaultsOfASweptValuePointAtTheValue) {
  EXPECT_THAT(faults_of(support::sections(60) + "sweep: {designs.fixed.patients: [40, 1]}\n"),
              HasSubstr("study:5:"));
}

TEST(Analyses, StrataAndCmhBelongTogether) {
  const std::string design =
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: test}}\n"
      "scenarios: {truth: {effect: 1}}\n";
  EXPECT_THAT(faults_of("analyses: {test: {estimand: easi50, method: cmh}}\n" + design),
              HasSubstr("no strata"));
  EXPECT_THAT(
      faults_of("analyses: {test: {estimand: easi50, method: fisher, strata: [severity]}}\n" + design),
      HasSubstr("only cmh"));
}

TEST(Calibration, RefusesMoreEventsThanPatientsAndUnknownParameters) {
  EXPECT_THAT(
      faults_of("calibration: {targets: {easi50_placebo: {events: 40}}}\n" + support::sections(60)),
      HasSubstr("of only 34 patients"));
  EXPECT_THAT(faults_of("calibration: {fitted: [measures.easi.nothing]}\n" + support::sections(60)),
              HasSubstr("in this study to fit"));
}

}  // namespace
}  // namespace trialwright::scenario
