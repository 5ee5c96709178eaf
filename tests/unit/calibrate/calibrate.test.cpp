#include "calibrate/calibrate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "calibrate/published.hpp"
#include "patient/ratio_law.hpp"
#include "support/studies.hpp"
#include "trialwright/error.hpp"

namespace trialwright::calibrate {
namespace {

using testing::HasSubstr;

const std::string k_designs =
    "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 160, primary: "
    "easi50_superiority}}\n"
    "scenarios: {reported: {effect: 1}}\n";

std::string message_of(scenario::Study study) {
  try {
    fit(study, {20000, 2, nullptr});
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::bad_input);
    return error.what();
  }
  return "no error";
}

const std::string k_arms = "measures.easi.course.kumaraswamy.arms";

std::string start(const std::string& placebo, const std::string& hcmsc, const std::string& grid) {
  return "measures: {easi: {grid: " + grid + ", course: {kumaraswamy: {arms: {placebo: " + placebo +
         ", hcmsc: " + hcmsc + "}}}}}\n";
}

// DOMAIN section 3 solves the law itself: its rates at R = 0.5 and 0.1 are the published ones.
// The program fits the score on its grid, as it is observed, so the parameters agree where
// the grid is fine; at 0.1 points, a score may be rounded down to exactly half of its baseline,
// and b differs by 3e-3.
TEST(Fit, RecoversTheDomainsParametersFromThePublishedCounts) {
  auto study = support::study(k_designs + start("{a: 1.4, b: 0.7}", "{a: 0.9, b: 0.8}", "0.005"));
  const auto calibration = fit(study, {});
  ASSERT_EQ(calibration.parameters.size(), 6u);
  const double domain[] = {1.06376, 1.05015, 0.54864, 1.08189, 8.0 / 36, 10.0 / 36};
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(calibration.parameters[i].fitted, domain[i], 1e-3) << calibration.parameters[i].path;
  for (const auto& target : calibration.at_fitted) {
    EXPECT_NEAR(target.residual, 0, 2e-6) << target.name;
    EXPECT_EQ(target.mcse, 0);
  }
  EXPECT_TRUE(is_met(calibration.at_fitted));
  EXPECT_FALSE(is_met(calibration.at_present));
  EXPECT_EQ(calibration.at_present[0].events, 11);

  auto on_grid = support::study(k_designs);
  const auto observed = fit(on_grid, {});
  for (std::size_t i = 0; i < 6; ++i)
    EXPECT_NEAR(observed.parameters[i].fitted, domain[i], 4e-3) << observed.parameters[i].path;
}

// The delta method a second way: derivatives of the closed-form map from two rates to (a, b), and the
// multinomial covariance of the two counts.
TEST(Fit, GivesTheStandardErrorsOfTheClosedForms) {
  auto study = support::study(k_designs +
                              start("{a: 1.06376, b: 1.05015}", "{a: 0.54864, b: 1.08189}", "0.005"));
  const auto calibration = fit(study, {});
  const double n = 34, shallow = 11 / n, deep = 2 / n, h = 1e-5;
  const auto law = [](double rate_1, double rate_2) {
    return patient::kumaraswamy_through(0.5, rate_1, 0.1, rate_2, 1.5);
  };
  const double by_shallow[] = {(law(shallow + h, deep).a - law(shallow - h, deep).a) / (2 * h),
                               (law(shallow + h, deep).b - law(shallow - h, deep).b) / (2 * h)};
  const double by_deep[] = {(law(shallow, deep + h).a - law(shallow, deep - h).a) / (2 * h),
                            (law(shallow, deep + h).b - law(shallow, deep - h).b) / (2 * h)};
  const double v_11 = shallow * (1 - shallow) / n, v_22 = deep * (1 - deep) / n,
               v_12 = deep * (1 - shallow) / n;
  const auto covariance = [&](int i, int j) {
    return by_shallow[i] * by_shallow[j] * v_11 + by_deep[i] * by_deep[j] * v_22 +
           (by_shallow[i] * by_deep[j] + by_deep[i] * by_shallow[j]) * v_12;
  };
  EXPECT_NEAR(calibration.parameters[0].standard_error, std::sqrt(covariance(0, 0)), 2e-3);
  EXPECT_NEAR(calibration.parameters[1].standard_error, std::sqrt(covariance(1, 1)), 2e-3);
  EXPECT_NEAR(calibration.correlation[0][1],
              covariance(0, 1) / std::sqrt(covariance(0, 0) * covariance(1, 1)), 2e-3);
  // An incidence is its own parameter: the binomial standard error.
  EXPECT_NEAR(calibration.parameters[5].standard_error, std::sqrt(10.0 * 26 / 36 / 36 / 36), 1e-6);
  EXPECT_NEAR(calibration.correlation[4][5], 0, 1e-9);
}

// A two-arm study with no calibration of its own.
std::string patients(const std::string& course) {
  return "recruitment: {screen_failure: 0.2, screening_weeks: 2, regions: {korea: {sites: 6, "
         "startup_months: {mean: 2, sd: 1}, screened_per_site_month: {mean: 0.5, shape: 1.5}}}}\n"
         "arms: {placebo: {control: true, infusion_weeks: [0]}, hcmsc: {dose_cells_per_kg: 500000, "
         "infusion_weeks: [0]}}\n"
         "measures: {easi: {course: {tau_weeks: {placebo: 4, hcmsc: 4}, " +
         course +
         "}}}\n"
         "safety: {follow_up_weeks: 24, any_event: {placebo: 0.3, hcmsc: 0.2}, infusion_reaction: "
         "{placebo: 0.02, hcmsc: 0.02}, categories: {infection: {share: 1}}, "
         "grades: [0.6, 0.3, 0.1, 0], serious_given_grade_3: 0.5, recovery_weeks: 2}\n" +
         k_designs;
}

scenario::Study bare_study(const std::string& course, const std::string& targets,
                           const std::string& fitted) {
  return support::study(
      patients(course) + "calibration: {targets: {" + targets + "}, fitted: [" + fitted + "]}\n",
      "library/atopic_dermatitis.yaml");
}

const std::string k_law =
    "kumaraswamy: {arms: {placebo: {a: 0.49, b: 1.25}, hcmsc: {a: 0.46, b: 1.3}}}";

// One incidence, told by two counts: the inverse-variance mean, its error,
// and the chi-square of the difference.
TEST(Fit, WeighsMoreTargetsThanParametersByTheirSizes) {
  auto study = bare_study(k_law,
                          "one: {estimand: any_ae, arm: placebo, events: 20, patients: 100}, "
                          "two: {estimand: any_ae, arm: placebo, events: 90, patients: 300}",
                          "safety.any_event.placebo");
  const auto calibration = fit(study, {});
  const double v_1 = 0.2 * 0.8 / 100, v_2 = 0.3 * 0.7 / 300;
  const double mean = (0.2 / v_1 + 0.3 / v_2) / (1 / v_1 + 1 / v_2);
  EXPECT_NEAR(calibration.parameters[0].fitted, mean, 1e-6);
  EXPECT_NEAR(calibration.parameters[0].standard_error, std::sqrt(1 / (1 / v_1 + 1 / v_2)), 1e-7);
  EXPECT_NEAR(calibration.lack_of_fit, 0.01 / (v_1 + v_2), 1e-4);
  EXPECT_EQ(calibration.degrees_of_freedom, 1);
}

// Phase 1: one response count an arm, so that one parameter an arm is fitted and the other kept.
TEST(Fit, TakesOneTargetAndOneParameterAnArm) {
  auto study = bare_study(k_law,
                          "low: {estimand: easi50, arm: placebo, events: 6, patients: 9}, "
                          "high: {estimand: easi50, arm: hcmsc, events: 7, patients: 10}",
                          k_arms + ".placebo.a, " + k_arms + ".hcmsc.a");
  const auto calibration = fit(study, {});
  EXPECT_NEAR(calibration.at_fitted[0].achieved, 6.0 / 9, 1e-6);
  EXPECT_NEAR(calibration.at_fitted[1].achieved, 0.7, 1e-6);
  EXPECT_NEAR(calibration.correlation[0][1], 0, 1e-9);
}

// Below 28%: what patients without any responder among them have.
TEST(Fit, NamesTheTargetThatNoParameterReaches) {
  const std::string mixture = k_law +
                              ", model: responder_mixture, responder_mixture: {non_responder: {mean: "
                              "0.674, sd: 0.3}, responder: {log_mean: "
                              "-2.38, log_sd: 0.8}, arms: {placebo: {responder_fraction: 0.06}, hcmsc: "
                              "{responder_fraction: 0.4}}}";
  const std::string message =
      message_of(bare_study(mixture, "low: {estimand: easi50, arm: placebo, events: 2, patients: 34}",
                            "measures.easi.course.responder_mixture.arms.placebo.responder_fraction"));
  EXPECT_THAT(message,
              HasSubstr("calibration target \"low\" (2 of 34, a rate of 0.0588) cannot be reached"));
  EXPECT_THAT(message, HasSubstr("the nearest rate"));
  EXPECT_THAT(message, HasSubstr("is 0.28"));
}

TEST(Fit, NamesTheTargetThatNoParameterMoves) {
  const std::string message = message_of(
      support::study(k_designs + "calibration: {targets: {easi50_placebo: {events: 20}}, fitted: "
                                 "[safety.any_event.placebo, safety.any_event.hcmsc]}\n"));
  EXPECT_THAT(
      message,
      HasSubstr(
          "calibration target \"easi50_placebo\" (20 of 34, a rate of 0.5882) cannot be reached"));
  EXPECT_THAT(message, HasSubstr("is 0.3235"));
}

TEST(Fit, RefusesWhatCannotBeFitted) {
  const std::string zero = "calibration: {targets: {easi90_placebo: {events: 0}}}\n";
  EXPECT_THAT(message_of(support::study(k_designs + zero)),
              HasSubstr("\"easi90_placebo\" is 0 of 34 (no parameter gives a rate of exactly 0)"));
  const std::string deep = "calibration: {targets: {easi90_placebo: {events: 12}}}\n";
  EXPECT_THAT(message_of(support::study(k_designs + deep)),
              HasSubstr("the deeper response must be the rarer one"));
  const std::string nothing = "calibration: {fitted: []}\n";
  EXPECT_THAT(message_of(support::study(k_designs + nothing)), HasSubstr("names no parameters"));
  const std::string useless =
      "calibration: {fitted: [safety.any_event.placebo, safety.recovery_weeks]}\n";
  EXPECT_THAT(message_of(support::study(k_designs + useless)),
              HasSubstr("\"safety.recovery_weeks\" moves none of the calibration targets"));
}

TEST(Published, NestedResponsesAreMultinomial) {
  const auto study = support::study(k_designs);
  const Matrix covariance = published_covariance(study.spec());
  // Targets: easi50, easi90 of placebo (34), of hcMSC (33), adverse events.
  EXPECT_NEAR(covariance[0][0], 11.0 / 34 * 23 / 34 / 34, 1e-15);
  EXPECT_NEAR(covariance[0][1], 2.0 / 34 * 23 / 34 / 34, 1e-15);
  EXPECT_EQ(covariance[0][1], covariance[1][0]);
  EXPECT_NEAR(covariance[2][3], 8.0 / 33 * 14 / 33 / 33, 1e-15);
  EXPECT_EQ(covariance[0][2], 0);
  EXPECT_EQ(covariance[0][4], 0);
}

TEST(Parameters, HaveTheScaleOfTheirRange) {
  auto study = support::study(k_designs + "calibration: {fitted: [" + k_arms +
                              ".placebo.a, safety.any_event.placebo, "
                              "measures.easi.course.responder_mixture.responder.log_mean]}\n");
  const auto parameters = parameters_of(study);
  ASSERT_EQ(parameters.size(), 3u);
  EXPECT_EQ(parameters[0].scale, ParameterScale::log);
  EXPECT_EQ(parameters[1].scale, ParameterScale::log_odds);
  EXPECT_EQ(parameters[2].scale, ParameterScale::identity);
  for (const auto& parameter : parameters)
    EXPECT_NEAR(from_scale(parameter.scale, to_scale(parameter.scale, parameter.present)),
                parameter.present, 1e-14);
  EXPECT_NEAR(slope_of(ParameterScale::log_odds, 0), 0.25, 1e-15);
}

TEST(Overlay, HoldsTheFittedValuesAtTheirPaths) {
  auto study = support::study(k_designs);
  const auto calibration = fit(study, {});
  const std::string yaml = overlay_yaml(study, calibration, "made by hand");
  EXPECT_THAT(yaml, HasSubstr("# made by hand\n"));
  input::Diagnostics faults;
  const auto overlay = input::parse_document(yaml, "overlay", {}, faults);
  ASSERT_TRUE(faults.empty());
  const auto* a = input::find_path(overlay.root, k_arms + ".placebo.a");
  ASSERT_TRUE(a);
  EXPECT_EQ(std::stod(a->text), calibration.parameters[0].fitted);
  // A study of these values meets the targets.
  auto fitted = support::study(k_designs + yaml);
  EXPECT_TRUE(is_met(check(fitted, {})));
  for (const auto& target : check(fitted, {})) EXPECT_NEAR(target.residual, 0, 2e-6);
}

}  // namespace
}  // namespace trialwright::calibrate
