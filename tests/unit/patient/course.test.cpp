// The course in time, visit correlation and truths.
#include "patient/course.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "math/elementary.hpp"
#include "patient/course_truth.hpp"
#include "unit/patient/study.hpp"

namespace trialwright::patient::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// DOMAIN section 3, its parameters (fitted without the score's grid): EASI50 by weeks
// 2, 4, 6, 8, 12, and EASI75 of the active arm, in whole percents, some of them a point high;
// and F(r^(1/g)) in closed form, from which the score's grid moves the rates by up to 0.15 points.
TEST(Course, EasiByWeekIsAsTabulated) {
  const std::string arms = "measures.easi.course.kumaraswamy.arms.";
  const auto model =
      library_study("hcmsc.yaml", {arms + "placebo.a=1.06376", arms + "placebo.b=1.05015",
                                   arms + "hcmsc.a=0.54864", arms + "hcmsc.b=1.08189"})
          .model();
  const std::array<double, 5> placebo{18, 27, 31, 32, 32}, active{34, 48, 53, 55, 58},
      active75{14, 27, 34, 37, 40};
  for (int visit = 0; visit < 5; ++visit) {
    const auto i = static_cast<std::size_t>(visit);
    EXPECT_NEAR(100 * *model.response_probability(0, {0, visit, 0.50}), placebo[i], 0.7);
    EXPECT_NEAR(100 * *model.response_probability(1, {0, visit, 0.50}), active[i], 0.7);
    EXPECT_NEAR(100 * *model.response_probability(1, {0, visit, 0.25}), active75[i], 0.7);
    const double week = model.visit_weeks()[i],
                 g = (1 - std::exp(-week / 2.5)) / (1 - std::exp(-12 / 2.5));
    const double closed = 1 - std::pow(1 - std::pow(std::pow(0.5, 1 / g) / 1.5, 1.06376), 1.05015);
    EXPECT_NEAR(*model.response_probability(0, {0, visit, 0.50}), closed, 0.0015);
  }
  EXPECT_EQ(*model.response_probability(1, {0, 4, 0.5}), *model.response_probability(1, {0, 7, 0.5}));
  EXPECT_EQ(course_exponent(12, 4, 12), 1);
  EXPECT_NEAR(course_exponent(4, 4, 12), (1 - std::exp(-1.0)) / (1 - std::exp(-3.0)), 1e-15);
}

TEST(Course, VisitCorrelationIsAsStated) {
  const auto study = library_study();
  const auto& correlation = study.spec->course.correlation;
  EXPECT_NEAR(correlation.correlation(0, 2), 0.81, 0.005);    // 4 weeks
  EXPECT_NEAR(correlation.correlation(0, 3), 0.762, 0.0005);  // 6 weeks
  EXPECT_NEAR(correlation.correlation(3, 5), 0.725, 0.005);   // 8 weeks
  EXPECT_NEAR(correlation.correlation(4, 7), 0.67, 0.005);    // 12 weeks
  EXPECT_EQ(correlation.correlation(4, 4), 1);
}

TEST(CourseTruth, RefusesWhatIsNotMonotone) {
  const auto study = library_study();
  EXPECT_THAT(study.refusal(EffectMultiplier{3}),
              AllOf(HasSubstr("an effect of 3 is not possible for arm \"hcmsc\""),
                    HasSubstr("largest possible effect is 2.0")));
  EXPECT_EQ(study.refusal(EffectMultiplier{1.5}), "");
  EXPECT_THAT(library_study("hcmsc.yaml", {"measures.easi.course.model=responder_mixture"})
                  .refusal(PosteriorDraw{}),
              HasSubstr("kumaraswamy"));
}

TEST(CourseTruth, TimeConstantIsTemperedGeometrically) {
  const auto study = library_study();
  input::Diagnostics faults;
  const auto truth = [&](double effect) {
    return CourseTruth(study.spec->course, study.spec->arms, EffectMultiplier{effect},
                       CourseTruth::Variants::full_only, faults, {});
  };
  EXPECT_EQ(truth(0).exponent(1, 0), course_exponent(2, 2.5, 12));
  EXPECT_EQ(truth(1).exponent(1, 0), course_exponent(2, 4, 12));
  EXPECT_NEAR(truth(0.5).exponent(1, 0), course_exponent(2, std::sqrt(10.0), 12), 1e-14);
  EXPECT_EQ(truth(0.5).exponent(0, 0), course_exponent(2, 2.5, 12));
}

TEST(CourseTruth, NullIsNull) {
  const auto study = library_study();
  EXPECT_TRUE(study.model(EffectMultiplier{0}).is_null());
  EXPECT_TRUE(study.model(ConstantOddsRatio{1}).is_null());
  EXPECT_FALSE(study.model(EffectMultiplier{1}).is_null());
  // Patient for patient, whatever shifts there are.
  const auto shifted = overlaid_study(
      "measures: {easi: {site_effects: {intercept_sd: 0.35, effect_sd: 0.25, "
      "high_placebo_probability: 0.3, high_placebo_odds_ratio: 2}, "
      "stratum_effects: {severity: {intercept: [0, -0.4], effect: [0.3, 0]}}, "
      "region_effects: {effect_sd: 0.2, effect: {korea: 0.5}}, baseline_effect: -0.2}}\n");
  ASSERT_EQ(shifted.problems, "");
  for (const Truth& truth : {Truth{EffectMultiplier{0}}, Truth{ConstantOddsRatio{1}}}) {
    const auto model = shifted.model(truth);
    Cohort active, control;
    simulate(model, 500, 1, all_needs(model), 1, active);
    simulate(model, 500, 1, all_needs(model), 0, control);
    for (std::size_t visit = 0; visit < 8; ++visit)
      for (std::size_t i = 0; i < 500; ++i)
        ASSERT_EQ(active.values[visit][i], control.values[visit][i]);
    EXPECT_FALSE(model.patients_are_independent());
    EXPECT_FALSE(model.response_probability(0, {0, 0, 0.5}).has_value());
  }
}

// At the full effect a high-placebo site raises the control alone: the site's odds ratio
// 2 on the control's law.
TEST(CourseTruth, HighPlaceboSitesRaiseTheControl) {
  const auto model = overlaid_study(
                         "measures: {easi: {site_effects: {high_placebo_probability: 1, "
                         "high_placebo_odds_ratio: 2}}}\n")
                         .model();
  const auto plain = library_study().model();
  const Needs needs = needs_of(model, 0, 4);
  Cohort raised, as_it_was;
  for (int arm = 0; arm < 2; ++arm) {
    simulate(model, 20000, 1, needs, arm, raised);
    simulate(plain, 20000, 1, needs, arm, as_it_was);
    double responders = 0;
    for (std::size_t i = 0; i < 20000; ++i) {
      if (arm == 1) {
        ASSERT_EQ(raised.values[4][i], as_it_was.values[4][i]);
      }
      responders += raised.unrescued_ratio[4][i] <= 0.5;
    }
    const double odds = arm == 0 ? 2 * 11.0 / 23 : 19.0 / 14, rate = odds / (1 + odds);
    EXPECT_NEAR(responders / 20000, rate, 3.5 * std::sqrt(rate * (1 - rate) / 20000));
  }
}

std::string drift(const char* log_odds_per_year) {
  return fmt::format("measures: {{easi: {{calendar_drift: {{log_odds_per_year: {}}}}}}}\n",
                     log_odds_per_year);
}

// Each half of a trial's patients, in the order of their dates, responds as the closed form says at
// these dates: 60,000 patients an arm, 3.5 standard errors (4 comparisons; a drift that is off by a
// tenth moves the second halves by 7 or more).
TEST(CourseTruth, CalendarDriftMovesResponseByTheDate) {
  const auto study = overlaid_study(drift("1.5"));
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  constexpr std::size_t k_patients = 600;
  for (int arm = 0; arm < 2; ++arm) {
    const double calibrated = log_odds(study.spec->course.laws[static_cast<std::size_t>(arm)], 0.5);
    std::array<double, 2> responders{}, expected{}, variance{};
    Cohort cohort;
    for (std::uint64_t trial = 0; trial < 100; ++trial) {
      simulate(model, k_patients, trial, needs_of(model, 0, 4), arm, cohort);
      for (std::size_t i = 0; i < k_patients; ++i) {
        // Openings vary, so that the first date is that of a site that opens at once: two weeks of
        // screening.
        const double years = cohort.randomised_months[i] / 12 - 2 * 7 / 365.25;
        const double p = 1 / (1 + std::exp(-(calibrated + 1.5 * years)));
        const std::size_t half = i < k_patients / 2 ? 0 : 1;
        responders[half] += cohort.unrescued_ratio[4][i] <= 0.5;
        expected[half] += p;
        variance[half] += p * (1 - p);
      }
    }
    for (std::size_t half = 0; half < 2; ++half)
      EXPECT_NEAR(responders[half], expected[half], 3.5 * std::sqrt(variance[half]));
    EXPECT_GT(expected[1] - expected[0], 35 * std::sqrt(variance[1]));
  }
}

TEST(CourseTruth, CalendarDriftActsOnAllArmsAlike) {
  const auto study = overlaid_study(drift("-0.3"));
  const auto model = study.model(EffectMultiplier{0});
  EXPECT_TRUE(model.is_null());
  EXPECT_TRUE(model.drifts_with_calendar());
  EXPECT_FALSE(model.patients_are_independent());
  EXPECT_TRUE(model.makes_calendar(needs_of(model, 0, 4)));
  const ResponseCondition condition{0, 4, 0.5};
  EXPECT_THAT(model.response_law(0, {&condition, 1}, {}).why_not,
              HasSubstr("drifts with the calendar"));
  Cohort active, control;
  simulate(model, 300, 1, needs_of(model, 0, 4), 1, active);
  simulate(model, 300, 1, needs_of(model, 0, 4), 0, control);
  for (std::size_t i = 0; i < 300; ++i) ASSERT_EQ(active.values[4][i], control.values[4][i]);
}

TEST(CourseTruth, NoCalendarDriftChangesNothing) {
  const auto model = overlaid_study(drift("0")).model();
  const auto plain = library_study().model();
  EXPECT_FALSE(model.drifts_with_calendar());
  EXPECT_TRUE(model.patients_are_independent());
  Cohort a, b;
  simulate(model, 300, 1, all_needs(model), -1, a);
  simulate(plain, 300, 1, all_needs(plain), -1, b);
  for (std::size_t visit = 0; visit < 8; ++visit)
    for (std::size_t i = 0; i < 300; ++i) ASSERT_EQ(a.values[visit][i], b.values[visit][i]);
}

TEST(CourseTruth, CalendarDriftNeedsACalendar) {
  EXPECT_THAT(library_study("hcmsc.yaml", {"recruitment=null",
                                           "measures.easi.calendar_drift={log_odds_per_year: 0.3}"})
                  .problems,
              HasSubstr("needs the section recruitment"));
}

double responders(const PatientModel& model, int arm, double week) {
  constexpr int k_patients = 20000;
  const auto visit = visit_at(model, week);
  Cohort cohort;
  simulate(model, k_patients, 1, needs_of(model, 0, visit), arm, cohort);
  int n = 0;
  for (std::size_t i = 0; i < k_patients; ++i) n += cohort.unrescued_ratio[visit][i] <= 0.5;
  return static_cast<double>(n) / k_patients;
}

// Two truths share their patients, so a stronger one has at least the responders of a weaker one,
// patient by patient; and a treatment that works is nowhere worse than the control.
TEST(CourseTruth, MoreEffectIsNeverLessWhereSitesAreHighPlacebo) {
  for (const double high_placebo : {2.0, 4.0}) {
    const auto study =
        overlaid_study(fmt::format("measures: {{easi: {{site_effects: {{high_placebo_probability: 1, "
                                   "high_placebo_odds_ratio: {}}}}}}}\n",
                                   high_placebo));
    const double control = responders(study.model(ConstantOddsRatio{1}), 0, 12);
    double before = 0;
    for (const double ratio : {0.25, 0.5, 1.0, 1.5, 2.0, 2.84, 4.0, 5.0, 8.0, 20.0}) {
      const double now = responders(study.model(ConstantOddsRatio{ratio}), 1, 12);
      EXPECT_GE(now, before) << ratio;
      if (ratio == 1) {
        EXPECT_EQ(now, control);
      }
      if (ratio > 1) {
        EXPECT_GE(now, control) << ratio;
      }
      before = now;
    }
    before = 0;
    for (const double effect : {0.0, 0.5, 1.0, 1.2, 1.5}) {
      const double now = responders(study.model(EffectMultiplier{effect}), 1, 12);
      EXPECT_GE(now, std::max(before, control)) << effect;
      before = now;
    }
  }
}

// DOMAIN section 3: ln(odds ratio) of EASI50 as published, ln(19/14 / (11/23)) = 1.043.
// At the calibrated odds ratio the active arm has its own time constant, at 1 the control's,
// between them by the quotient of the logarithms.
TEST(CourseTruth, OddsRatiosTakeTheirShareOfTheTimeConstant) {
  const auto study = library_study();
  input::Diagnostics faults;
  const double calibrated =
      log_odds(study.spec->course.laws[1], 0.5) - log_odds(study.spec->course.laws[0], 0.5);
  EXPECT_NEAR(calibrated, 1.043, 0.003);
  const auto truth = [&](double part) {
    return CourseTruth(study.spec->course, study.spec->arms,
                       ConstantOddsRatio{std::exp(part * calibrated)}, CourseTruth::Variants::full_only,
                       faults, {});
  };
  EXPECT_EQ(truth(0).exponent(1, 1), course_exponent(4, 2.5, 12));
  EXPECT_NEAR(truth(1).exponent(1, 1), course_exponent(4, 4, 12), 1e-12);
  EXPECT_EQ(truth(1.5).exponent(1, 1), course_exponent(4, 4, 12));
  EXPECT_EQ(truth(-0.5).exponent(1, 1), course_exponent(4, 2.5, 12));
  EXPECT_NEAR(truth(0.5).exponent(1, 1), course_exponent(4, std::sqrt(10.0), 12), 1e-12);
  EXPECT_EQ(truth(1).exponent(0, 1), course_exponent(4, 2.5, 12));
  // Week 4 in closed form, from which the score's grid moves the rate by up to 0.15 points;
  // the calibrated law, of another shape, has 2.8 points more.
  // (With the control's time constant: 3.5 points less.)
  const auto ratio = study.model(ConstantOddsRatio{2.84}), effect = study.model();
  const double bound = std::pow(0.5, 1 / course_exponent(4, 4, 12));
  EXPECT_NEAR(*ratio.response_probability(1, {0, 1, 0.5}),
              math::logistic(log_odds(study.spec->course.laws[0], bound) + std::log(2.84)), 0.0015);
  EXPECT_NEAR(*ratio.response_probability(1, {0, 1, 0.5}), *effect.response_probability(1, {0, 1, 0.5}),
              0.03);
  // A truth that draws the odds ratio, without error, is that odds ratio, patient by patient.
  EXPECT_EQ(responders(study.model(LogOddsRatioDraw{std::log(2.84), 0, {}, {}, {}}), 1, 4),
            responders(ratio, 1, 4));
  EXPECT_EQ(responders(study.model(LogOddsRatioDraw{0, 0, {}, {}, {}}), 1, 4),
            responders(study.model(ConstantOddsRatio{1}), 1, 4));
}

// Where infusions stop, the drawn odds ratio's time constant is shared out as a stated one's is.
TEST(CourseTruth, StoppedInfusionsTakeTheirShareOfADrawnTimeConstant) {
  const auto study = overlaid_study("intercurrent_events: {discontinuation: {rate_per_week: 0.2}}\n");
  const auto stated = study.model(ConstantOddsRatio{2}),
             drawn = study.model(LogOddsRatioDraw{std::log(2.0), 0, {}, {}, {}});
  Cohort a, b;
  simulate(stated, 2000, 1, all_needs(stated), 1, a);
  simulate(drawn, 2000, 1, all_needs(drawn), 1, b);
  for (std::size_t visit = 0; visit < stated.visit_weeks().size(); ++visit)
    for (std::size_t i = 0; i < 2000; ++i)
      // Two tables and an exponent in single precision.
      ASSERT_NEAR(a.unrescued_ratio[visit][i], b.unrescued_ratio[visit][i], 2e-6);
}

// What multiplies effect terms stays in [0, 2] even where the calibrated odds ratio is next to 1.
TEST(CourseTruth, EffectTermsDoNotExplodeWhereTheCalibratedEffectIsSmall) {
  for (const double b : {1.0473, 1.0474, 1.12, 1.0, 1.08}) {
    const auto study = library_study(
        "hcmsc.yaml", {"measures.easi.course.kumaraswamy.arms.hcmsc.a=1.06363",
                       fmt::format("measures.easi.course.kumaraswamy.arms.hcmsc.b={}", b)});
    input::Diagnostics faults;
    double before = -1;
    const bool is_better = b >= 1.0473;
    for (const double ratio : {0.5, 0.99, 1.0, 1.001, 1.01, 1.1, 2.0, 10.0}) {
      const CourseTruth truth(study.spec->course, study.spec->arms, ConstantOddsRatio{ratio},
                              CourseTruth::Variants::full_only, faults, {});
      const double scale = truth.scale(truth.draw({}, 0), 1, truth.full_variant(1));
      EXPECT_GE(scale, 0);
      EXPECT_LE(scale, 2);
      if (ratio == 1) {
        EXPECT_EQ(scale, 0);
      }
      if (is_better) {
        EXPECT_GE(scale, before);
      }
      if (std::abs(ratio - 1) < 0.002) {
        EXPECT_LT(scale, 0.011);
      }
      before = scale;
    }
  }
}

// Means over 20,000 trials of the rates drawn, against the Beta's and the normal's own.
TEST(CourseTruth, DrawsHaveTheirMeans) {
  const auto study = library_study();
  input::Diagnostics faults;
  const auto key = rng::key_from_seed(7);
  const auto& course = study.spec->course;
  const auto compiled = [&](const Truth& truth) {
    return CourseTruth(course, study.spec->arms, truth, CourseTruth::Variants::full_only, faults, {});
  };
  constexpr int k_trials = 20000;
  const auto beta = compiled(BetaRatesDraw{{11.5, 19.5}, {23.5, 14.5}});
  const auto posterior = compiled(PosteriorDraw{{{11, 2, 34}, {19, 8, 33}}, 0.5, 0.1});
  const auto log_ratio = compiled(LogOddsRatioDraw{0.655, 0.337, 11.5, 23.5});
  std::array<double, 2> rates{}, fifties{}, nineties{};
  double mean = 0, square = 0, control = 0;
  for (std::uint64_t trial = 0; trial < k_trials; ++trial) {
    const auto beta_truth = beta.draw(key, trial), posterior_truth = posterior.draw(key, trial);
    for (std::size_t arm = 0; arm < 2; ++arm) {
      rates[arm] += math::logistic(log_odds(course.laws[arm], 0.5) + beta_truth.shift[arm]);
      fifties[arm] += probability(posterior_truth.drawn[arm], 0.5);
      nineties[arm] += probability(posterior_truth.drawn[arm], 0.1);
    }
    const auto truth = log_ratio.draw(key, trial);
    mean += truth.shift[1] - truth.shift[0];
    square += (truth.shift[1] - truth.shift[0]) * (truth.shift[1] - truth.shift[0]);
    control += math::logistic(log_odds(course.laws[0], 0.5) + truth.shift[0]);
  }
  EXPECT_TRUE(beta.is_drawn());
  // Standard errors: rates 0.0006, log odds ratio 0.0024.
  EXPECT_NEAR(rates[0] / k_trials, 11.5 / 35, 0.0025);
  EXPECT_NEAR(rates[1] / k_trials, 19.5 / 34, 0.0025);
  EXPECT_NEAR(control / k_trials, 11.5 / 35, 0.0025);
  EXPECT_NEAR(mean / k_trials, 0.655, 0.009);
  EXPECT_NEAR(std::sqrt(square / k_trials - mean * mean / k_trials / k_trials), 0.337, 0.006);
  // Jeffreys-Dirichlet: (responders + 1) / (patients + 3/2) and (deep + 1/2) / (patients + 3/2).
  EXPECT_NEAR(fifties[0] / k_trials, 12 / 35.5, 0.0025);
  EXPECT_NEAR(fifties[1] / k_trials, 20 / 34.5, 0.0025);
  EXPECT_NEAR(nineties[0] / k_trials, 2.5 / 35.5, 0.0015);
  EXPECT_NEAR(nineties[1] / k_trials, 8.5 / 34.5, 0.0025);
}

TEST(Course, RefusesWhatCannotBe) {
  const auto problems = [](const std::string& change) {
    return library_study("hcmsc.yaml", {change}).problems;
  };
  EXPECT_THAT(problems("measures.easi.visits_weeks=[2, 2, 4]"), HasSubstr("increase"));
  EXPECT_THAT(problems("measures.easi.course.model=kumaraswami"), HasSubstr("kumaraswamy"));
  EXPECT_THAT(problems("measures.easi.course.kumaraswamy.arms={placebo: {a: 1, b: 1}}"),
              HasSubstr("arm \"hcmsc\" has no parameters"));
  EXPECT_THAT(problems("measures.easi.course.tau_weeks={placebo: 2.5}"), HasSubstr("hcmsc"));
  EXPECT_THAT(problems("measures.easi.visit_correlation.floor=1.2"), HasSubstr("floor"));
  EXPECT_THAT(problems("measures.easi.kind=graded"), HasSubstr("no measure is of kind course"));
  EXPECT_THAT(problems("arms.placebo.control=false"), HasSubstr("no arm is the control"));
  EXPECT_THAT(problems("measures.easi.baseline=iga"), HasSubstr("cannot be a graded covariate"));
  EXPECT_THAT(problems("measures.iga.baseline=age"), HasSubstr("graded of \"easi\""));
  EXPECT_THAT(problems("measures.pruritus_nrs.change_correlation={dlqi: -0.9}"),
              HasSubstr("not positive definite"));
}

}  // namespace
}  // namespace trialwright::patient::testing
