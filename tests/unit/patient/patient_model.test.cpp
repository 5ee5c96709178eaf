// Whole cohorts: addressed draws, what needs skip, events of one patient, recruitment.
#include "patient/patient_model.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "unit/patient/study.hpp"

namespace trialwright::patient::testing {
namespace {

using ::testing::HasSubstr;

// Everything that can happen, at once.
Study eventful() {
  return overlaid_study(
      "measures: {easi: {site_effects: {intercept_sd: 0.35, effect_sd: 0.25}, stratum_effects: "
      "{severity: {intercept: [0, -0.3]}}, baseline_effect: -0.1}, dlqi: {pathway: \"null\"}}\n"
      "intercurrent_events: {rescue: {escalation_per_2_weeks: 0.3}, "
      "discontinuation: {rate_per_week: 0.1, after_grade_3_event: 0.5}}\n"
      "safety: {any_event: {placebo: 0.7, hcmsc: 0.8}, grades: [0.3, 0.3, 0.3, 0.1]}\n",
      "hcmsc_rescue.yaml");
}

std::vector<double> facts(const Cohort& cohort, std::size_t i, std::size_t n_values) {
  std::vector<double> all{cohort.rescue_weeks[i],
                          static_cast<double>(cohort.rescue_tier[i]),
                          cohort.discontinuation_weeks[i],
                          cohort.dropout_weeks[i],
                          static_cast<double>(cohort.site[i]),
                          cohort.randomised_months[i]};
  for (std::size_t covariate = 0; covariate < cohort.covariates.n_columns(); ++covariate)
    all.push_back(cohort.covariates[covariate][i]);
  for (std::size_t value = 0; value < n_values; ++value) all.push_back(cohort.values[value][i]);
  for (const auto& event : cohort.adverse_events)
    if (event.patient == static_cast<int>(i))
      all.insert(all.end(), {event.week, event.recovered_week, 1.0 * event.category, 1.0 * event.grade,
                             1.0 * event.serious});
  return all;
}

TEST(PatientModel, APatientIsTheSameInAnyCompanyAndAgain) {
  const auto study = eventful();
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  const std::size_t n_values = model.measures().size() * model.visit_weeks().size();
  Cohort many, few, again;
  simulate(model, 300, 17, all_needs(model), -1, many);
  simulate(model, 40, 17, all_needs(model), -1, few);
  simulate(model, 300, 18, all_needs(model), -1, again);
  EXPECT_NE(facts(again, 3, n_values), facts(many, 3, n_values));
  simulate(model, 300, 17, all_needs(model), -1, again);
  for (std::size_t i = 0; i < 300; ++i) {
    ASSERT_EQ(facts(again, i, n_values), facts(many, i, n_values)) << i;
    if (i < 40) {
      ASSERT_EQ(facts(few, i, n_values), facts(many, i, n_values)) << i;
    }
  }
}

TEST(PatientModel, NeedsMoveNoDraw) {
  const auto study = eventful();
  const auto model = study.model();
  const std::size_t n_visits = model.visit_weeks().size();
  Cohort full, reduced;
  simulate(model, 400, 5, all_needs(model), -1, full);
  for (std::size_t measure = 0; measure < model.measures().size(); ++measure)
    for (const std::size_t visit : {std::size_t{1}, std::size_t{4}}) {
      Needs needs = needs_of(model, measure, visit);
      needs.intercurrent_events = true;
      needs.covariates.assign(model.covariates().size(), false);
      simulate(model, 400, 5, needs, -1, reduced);
      const double week = model.visit_weeks()[visit];
      const auto baseline = static_cast<std::size_t>(model.measures()[measure].baseline_covariate);
      EXPECT_TRUE(reduced.adverse_events.empty());
      for (std::size_t i = 0; i < 400; ++i) {
        ASSERT_EQ(reduced.values[measure * n_visits + visit][i],
                  full.values[measure * n_visits + visit][i]);
        ASSERT_EQ(reduced.covariates[baseline][i], full.covariates[baseline][i]);
        ASSERT_EQ(reduced.rescue_weeks[i] < week, full.rescue_weeks[i] < week);
        ASSERT_EQ(reduced.dropout_weeks[i] < week, full.dropout_weeks[i] < week);
        ASSERT_EQ(reduced.discontinuation_weeks[i], full.discontinuation_weeks[i]);
        ASSERT_EQ(reduced.strata[0][i], full.strata[0][i]);
      }
    }
  // Adverse events alone: those that dropout hides stay hidden.
  Needs needs;
  needs.calendar = needs.sites = false;
  simulate(model, 400, 5, needs, -1, reduced);
  ASSERT_EQ(reduced.adverse_events.size(), full.adverse_events.size());
  for (std::size_t i = 0; i < full.adverse_events.size(); ++i)
    EXPECT_EQ(reduced.adverse_events[i].week, full.adverse_events[i].week);
}

TEST(PatientModel, ScoresAreOnTheirGridsAndFollowTheRatios) {
  const auto study = eventful();
  const auto model = study.model();
  const std::size_t n_visits = model.visit_weeks().size();
  Cohort cohort;
  simulate(model, 2000, 1, all_needs(model), -1, cohort);
  const auto& rescue = *study.spec->events.rescue;
  for (std::size_t i = 0; i < 2000; ++i)
    for (std::size_t visit = 0; visit < n_visits; ++visit) {
      const double week = model.visit_weeks()[visit];
      const float unrescued = cohort.unrescued_ratio[visit][i];
      const float observed = cohort.observed_ratio[visit][i];
      if (cohort.rescue_weeks[i] > week) {
        EXPECT_EQ(observed, unrescued);
      } else {
        EXPECT_TRUE(observed == unrescued * static_cast<float>(rescue.tiers[0].ratio_multiplier) ||
                    observed == unrescued * static_cast<float>(rescue.tiers[1].ratio_multiplier));
      }
      const double raw = std::min(observed * cohort.covariates[0][i], 72.0);
      EXPECT_NEAR(cohort.values[visit][i], raw, 0.05 + 1e-9);
      EXPECT_EQ(cohort.values[visit][i] * 10, std::round(cohort.values[visit][i] * 10));
      for (std::size_t measure = 0; measure < model.measures().size(); ++measure) {
        EXPECT_GE(cohort.values[measure * n_visits + visit][i], model.measures()[measure].minimum);
        EXPECT_LE(cohort.values[measure * n_visits + visit][i], model.measures()[measure].maximum);
      }
    }
}

TEST(PatientModel, EventsKeepTheirOrder) {
  const auto study = eventful();
  const auto model = study.model();
  Cohort cohort;
  simulate(model, 5000, 2, all_needs(model), -1, cohort);
  int rescued = 0, escalated = 0, gone = 0, stopped = 0;
  for (std::size_t i = 0; i < 5000; ++i) {
    const double rescue = cohort.rescue_weeks[i], dropout = cohort.dropout_weeks[i];
    if (rescue < k_never && dropout < k_never) {
      EXPECT_LE(rescue, dropout);
    }
    EXPECT_EQ(rescue < k_never, cohort.rescue_tier[i] >= 0);
    rescued += rescue < k_never;
    escalated += cohort.rescue_tier[i] == 1;
    gone += dropout < k_never;
    stopped += cohort.discontinuation_weeks[i] < k_never;
    if (cohort.discontinuation_weeks[i] < k_never) {
      EXPECT_LT(cohort.discontinuation_weeks[i], 4);
    }
  }
  EXPECT_GT(escalated, 0.3 * rescued);
  EXPECT_GT(gone, 400);
  // 1 - exp(-0.4) = 0.33 by the rate, more by grave events.
  EXPECT_GT(stopped, 5000 * 0.33);
  int previous = 0;
  double week = 0;
  for (const auto& event : cohort.adverse_events) {
    EXPECT_GE(event.patient, previous);
    if (event.patient != previous) week = 0;
    EXPECT_GE(event.week, week);
    EXPECT_GT(event.recovered_week, event.week);
    EXPECT_LE(event.week, cohort.dropout_weeks[static_cast<std::size_t>(event.patient)]);
    // No reaction to an infusion that was not given.
    if (model.adverse_event_categories()[static_cast<std::size_t>(event.category)] ==
        "infusion_reaction") {
      EXPECT_LT(event.week,
                cohort.discontinuation_weeks[static_cast<std::size_t>(event.patient)] + 1.0 / 7);
    }
    if (event.serious) {
      EXPECT_GE(event.grade, 3);
    }
    previous = event.patient;
    week = event.week;
  }
}

// A patient with k of 3 infusions has k/3 of the effect: with everybody stopped in the first two weeks
// (k = 1) the active arm's rate is that of the law tempered to 1/3.
TEST(PatientModel, StoppedInfusionsTakeTheirShareOfTheEffect) {
  const auto all_stop = overlaid_study("intercurrent_events: {discontinuation: {rate_per_week: 10}}\n");
  ASSERT_EQ(all_stop.problems, "");
  const auto third = library_study().model(EffectMultiplier{1.0 / 3});
  for (const Truth& truth : {Truth{EffectMultiplier{1}}, Truth{ConstantOddsRatio{3}}}) {
    const auto model = all_stop.model(truth);
    EXPECT_FALSE(model.response_probability(1, {0, 4, 0.5}).has_value());
    Needs needs = needs_of(model, 0, 4);
    needs.intercurrent_events = true;
    Cohort cohort;
    simulate(model, 200000, 0, needs, 1, cohort);
    double responders = 0;
    for (std::size_t i = 0; i < 200000; ++i)
      responders += cohort.values[4][i] <= 0.5 * cohort.covariates[0][i] + 1e-9;
    const double expected = std::holds_alternative<EffectMultiplier>(truth)
                                ? *third.response_probability(1, {0, 4, 0.5})
                                : *library_study()
                                       .model(ConstantOddsRatio{std::cbrt(3.0)})
                                       .response_probability(1, {0, 4, 0.5});
    EXPECT_NEAR(responders / 200000, expected, 3.5 * std::sqrt(0.25 / 200000));
  }
}

TEST(PatientModel, NullPathwayHasNoTreatmentEffect) {
  const auto model = overlaid_study("measures: {dlqi: {pathway: \"null\"}}\n").model();
  const auto mediated = library_study().model();
  const std::size_t n_visits = model.visit_weeks().size();
  Cohort active, control, with_effect;
  simulate(model, 3000, 1, all_needs(model), 1, active);
  simulate(model, 3000, 1, all_needs(model), 0, control);
  simulate(mediated, 3000, 1, all_needs(mediated), 1, with_effect);
  double moved = 0;
  for (std::size_t i = 0; i < 3000; ++i) {
    EXPECT_EQ(active.values[4 * n_visits + 4][i], control.values[4 * n_visits + 4][i]);
    moved += with_effect.values[4 * n_visits + 4][i] - control.values[4 * n_visits + 4][i];
  }
  EXPECT_LT(moved / 3000, -1);
}

TEST(PatientModel, ExactAdverseEventProbabilityIsSimulated) {
  const auto model = library_study().model();
  Needs needs;
  Cohort cohort;
  for (int arm = 0; arm < 2; ++arm) {
    simulate(model, 200000, 0, needs, arm, cohort);
    for (const double week : {0.1, 2.07, 12.0, 24.0}) {
      std::set<int> patients;
      for (const auto& event : cohort.adverse_events)
        if (event.week < week) patients.insert(event.patient);
      const double exact = *model.adverse_event_probability(arm, week);
      EXPECT_NEAR(static_cast<double>(patients.size()) / 200000, exact,
                  3.5 * std::sqrt(exact * (1 - exact) / 200000))
          << week;
    }
  }
}

TEST(PatientModel, ReadsNoEventsThatContradict) {
  const auto problems = [](const std::string& change, const std::string& file = "hcmsc.yaml") {
    return library_study(file, {change}).problems;
  };
  EXPECT_THAT(problems("safety.any_event.hcmsc=0.1"),
              HasSubstr("already give arm \"hcmsc\" more events"));
  EXPECT_THAT(problems("safety.categories.skin.share=0.3"), HasSubstr("shares sum to 1.1"));
  EXPECT_THAT(problems("safety.grades=[0.6, 0.3, 0.05, 0.01]"), HasSubstr("grades 1 to 4 sum to 0.96"));
  EXPECT_THAT(problems("safety.any_event.hcmsc=28"), HasSubstr("any_event"));
  EXPECT_THAT(problems("intercurrent_events.rescue.tiers.topical.probability=0.5", "hcmsc_rescue.yaml"),
              HasSubstr("sum to 0.65"));
  EXPECT_THAT(problems("intercurrent_events.rescue.weeks_before_visit=2", "hcmsc_rescue.yaml"),
              HasSubstr("between two visits"));
  EXPECT_THAT(problems("intercurrent_events.rescue.arm_log_odds={placbo: 1}", "hcmsc_rescue.yaml"),
              HasSubstr("placebo"));
  EXPECT_FALSE(
      library_study("hcmsc_rescue.yaml", {"intercurrent_events.rescue.arm_log_odds={placebo: 1}"})
          .model(EffectMultiplier{0})
          .is_null());
  EXPECT_EQ(problems("intercurrent_events.rescue=null", "hcmsc_rescue.yaml"), "");
}

// Faults, never a crash, whatever is missing.
TEST(PatientModel, ReadsStudiesWithHolesAsFaults) {
  for (const char* change : {"population={}",
                             "population=null",
                             "population.covariates={}",
                             "population.covariates.easi={}",
                             "population.covariates.iga={distribution: graded}",
                             "population.strata.severity={}",
                             "arms={}",
                             "arms=null",
                             "arms.placebo=7",
                             "measures={}",
                             "measures=null",
                             "measures.easi={}",
                             "measures.easi={kind: course}",
                             "measures.easi.course={}",
                             "measures.easi.course.kumaraswamy={}",
                             "measures.easi.course.kumaraswamy.arms={}",
                             "measures.easi.visit_correlation={}",
                             "measures.easi.visits_weeks=[]",
                             "measures.bsa={kind: shifted}",
                             "measures.iga={}",
                             "measures.easi.maximum=-1",
                             "recruitment.regions={}",
                             "recruitment={}",
                             "recruitment.regions.korea={}",
                             "safety={}",
                             "safety.categories={}",
                             "safety.grades=[1]",
                             "intercurrent_events={rescue: {}}",
                             "intercurrent_events={dropout: {}, discontinuation: {}}",
                             "measures.easi.stratum_effects={severity: {intercept: [1]}}",
                             "measures.easi.stratum_effects={age: {}}",
                             "measures.easi.region_effects={intercept: {japan: 1}}",
                             "population.correlation={easi: 3}"})
    EXPECT_NE(library_study("hcmsc.yaml", {change}).problems, "") << change;
  for (const char* change :
       {"recruitment=null", "safety=null", "population.eligibility=null", "population.strata=null",
        "population.correlation=null", "measures.easi.stratum_effects=null"})
    EXPECT_EQ(library_study("hcmsc.yaml", {change}).problems, "") << change;
}

TEST(Recruitment, RespectsCapsAndOrder) {
  const auto study = overlaid_study(
      "recruitment: {regions: {korea: {sites: 3, maximum_patients_per_site: 10}, japan: {sites: 2, "
      "startup_months: "
      "{mean: 6, sd: 0}, screened_per_site_month: {mean: 2}, maximum_patients: 15}}}\n");
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  EXPECT_EQ(model.capacity(), 45);
  EXPECT_EQ(model.n_sites(), 5);
  Cohort cohort;
  simulate(model, 45, 0, all_needs(model), -1, cohort);
  std::vector<int> by_site(5), by_region(2);
  for (std::size_t i = 0; i < 45; ++i) {
    ++by_site[static_cast<std::size_t>(cohort.site[i])];
    ++by_region[static_cast<std::size_t>(cohort.region[i])];
    if (i > 0) {
      EXPECT_GE(cohort.randomised_months[i], cohort.randomised_months[i - 1]);
    }
    if (cohort.region[i] == 1) {
      EXPECT_GE(cohort.randomised_months[i], 6 + 2 / 4.35);
    }
  }
  EXPECT_EQ(*std::max_element(by_site.begin(), by_site.begin() + 3), 10);
  EXPECT_EQ(by_region, (std::vector<int>{30, 15}));
  EXPECT_GT(cohort.n_screened, 45);
  EXPECT_EQ(library_study().model().capacity(), std::numeric_limits<std::int64_t>::max());
}

// Screened patients per randomised one: 1 / (1 - 0.22).
TEST(Recruitment, ScreensAsManyAsFail) {
  const auto model = library_study().model();
  Cohort cohort;
  simulate(model, 20000, 0, all_needs(model), -1, cohort);
  const double share = 20000.0 / cohort.n_screened;
  EXPECT_NEAR(share, 0.78, 3.5 * std::sqrt(0.78 * 0.22 / cohort.n_screened));
}

}  // namespace
}  // namespace trialwright::patient::testing
