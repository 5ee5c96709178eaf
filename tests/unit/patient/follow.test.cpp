// Following a cohort: the same bits on every instruction set and in windows of any number, rescue and
// dropout against their closed forms.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "unit/patient/study.hpp"

namespace trialwright::patient::testing {
namespace {

constexpr const char* k_everything =
    "measures: {easi: {site_effects: {intercept_sd: 0.35, effect_sd: 0.25, high_placebo_probability: "
    "0.2, high_placebo_odds_ratio: 2}, stratum_effects: {severity: {intercept: [0, -0.3], effect: [0.1, "
    "0]}}, baseline_effect: -0.1}, dlqi: {pathway: \"null\"}}\n"
    "intercurrent_events: {rescue: {escalation_per_2_weeks: 0.3}, discontinuation: {rate_per_week: "
    "0.1}}\n";

template <class T>
bool same_bytes(const T* a, const T* b, std::size_t n) {
  return std::memcmp(a, b, n * sizeof(T)) == 0;
}

void expect_same(Cohort& a, Cohort& b, std::size_t n) {
  for (std::size_t k = 0; k < a.values.n_columns(); ++k)
    ASSERT_TRUE(same_bytes(a.values[k].data(), b.values[k].data(), n)) << "value " << k;
  for (std::size_t k = 0; k < a.unrescued_ratio.n_columns(); ++k)
    ASSERT_TRUE(same_bytes(a.unrescued_ratio[k].data(), b.unrescued_ratio[k].data(), n)) << k;
  ASSERT_TRUE(same_bytes(a.rescue_weeks.data(), b.rescue_weeks.data(), n));
  ASSERT_TRUE(same_bytes(a.rescue_tier.data(), b.rescue_tier.data(), n));
  ASSERT_TRUE(same_bytes(a.dropout_weeks.data(), b.dropout_weeks.data(), n));
  ASSERT_TRUE(same_bytes(a.discontinuation_weeks.data(), b.discontinuation_weeks.data(), n));
}

// Every kind of truth, course and event; 1,100 patients are two whole windows and a part of one.
TEST(Follow, HasTheSameBitsOnEveryInstructionSet) {
  const std::vector<Truth> truths{EffectMultiplier{0.7}, ConstantOddsRatio{2},
                                  LogOddsRatioDraw{0.6, 0.3, {}, {}, {}},
                                  PosteriorDraw{{{11, 2, 34}, {19, 8, 33}}, 0.5, 0.1}};
  const std::string mixture = "measures: {easi: {course: {model: responder_mixture}}}\n";
  for (const auto& study :
       {overlaid_study(k_everything, "hcmsc_rescue.yaml"), library_study(), overlaid_study(mixture)}) {
    ASSERT_EQ(study.problems, "");
    for (const auto& truth : truths) {
      const bool is_mixture = study.spec->course.model == CourseModel::responder_mixture;
      if (is_mixture && std::holds_alternative<PosteriorDraw>(truth)) continue;
      const auto model = study.model(truth);
      hwy::SetSupportedTargetsForTest(0);
      Cohort expected;
      simulate(model, 1100, 3, all_needs(model), -1, expected);
      for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
        hwy::SetSupportedTargetsForTest(target);
        for (const int n : {37, 1100}) {
          Cohort cohort;
          simulate(model, n, 3, all_needs(model), -1, cohort);
          SCOPED_TRACE(hwy::TargetName(target));
          expect_same(cohort, expected, static_cast<std::size_t>(n));
        }
      }
      hwy::SetSupportedTargetsForTest(0);
    }
  }
}

std::string events(double rescue_slope, double dropout_slope) {
  return fmt::format(
      "intercurrent_events: {{rescue: {{log_odds_per_2_weeks: -2.2, log_odds_slope: {}, first_week: 3, "
      "arm_log_odds: {{hcmsc: -0.4}}}}, dropout: {{rate_per_week: 0.02, log_slope: {}, arm_log_hazard: "
      "{{placebo: 0.5}}}}}}\n",
      rescue_slope, dropout_slope);
}

// Where no slope ties them to the ratio, rescue and dropout have the probabilities stated, rescue only
// of those who are still there: 3.5 standard errors of 200,000 patients, at every visit.
TEST(Follow, ConstantHazardsHaveTheirClosedForm) {
  constexpr int k_patients = 200000;
  const auto model = overlaid_study(events(0, 0), "hcmsc_rescue.yaml").model();
  const auto& weeks = model.visit_weeks();
  Cohort cohort;
  for (int arm = 0; arm < 2; ++arm) {
    simulate(model, k_patients, 1, all_needs(model), arm, cohort);
    const double odds = std::exp(arm == 0 ? -2.2 : -2.6), hazard = 0.02 * std::exp(arm == 0 ? 0.5 : 0);
    double rescued = 0, unrescued = 1, before = 0;
    for (const double week : weeks) {
      const double present = std::exp(-hazard * before);
      const double later =
          week - 0.5 >= 3 ? unrescued * std::pow(1 + odds, -(week - before) / 2) : unrescued;
      rescued += present * (unrescued - later);
      unrescued = later;
      before = week;
      const double gone = 1 - std::exp(-hazard * week);
      double n_rescued = 0, n_gone = 0;
      for (std::size_t i = 0; i < k_patients; ++i) {
        n_rescued += cohort.rescue_weeks[i] < week;
        n_gone += cohort.dropout_weeks[i] < week;
      }
      EXPECT_NEAR(n_rescued / k_patients, rescued,
                  3.5 * std::sqrt(rescued * (1 - rescued) / k_patients) + 1e-12);
      EXPECT_NEAR(n_gone / k_patients, gone, 3.5 * std::sqrt(gone * (1 - gone) / k_patients));
    }
  }
}

// A slope of almost nothing takes the way of events that follow the ratio; the uniforms are the same,
// so but for one patient in a million the weeks are too. (Each of the four combinations of the two
// ways.)
TEST(Follow, EventsByTheRatioMeetThoseThatAreConstant) {
  constexpr int k_patients = 20000;
  const auto constant = overlaid_study(events(0, 0), "hcmsc_rescue.yaml").model();
  Cohort expected, cohort;
  simulate(constant, k_patients, 1, all_needs(constant), -1, expected);
  for (const auto& [rescue, dropout] : {std::pair{1e-9, 1e-9}, {0.0, 1e-9}, {1e-9, 0.0}}) {
    const auto model = overlaid_study(events(rescue, dropout), "hcmsc_rescue.yaml").model();
    simulate(model, k_patients, 1, all_needs(model), -1, cohort);
    int n_other = 0;
    for (std::size_t i = 0; i < k_patients; ++i)
      n_other += cohort.rescue_weeks[i] != expected.rescue_weeks[i] ||
                 cohort.dropout_weeks[i] != expected.dropout_weeks[i] ||
                 cohort.rescue_tier[i] != expected.rescue_tier[i] ||
                 cohort.observed_ratio[7][i] != expected.observed_ratio[7][i];
    EXPECT_LE(n_other, 1);
  }
}

// Who was rescued at visit j has the last tier at the end unless the first was another (85%) and no
// later interval raised it: (1 - 0.2)^(weeks left / 2).
TEST(Follow, TiersRiseAsStated) {
  constexpr int k_patients = 100000;
  const auto study =
      overlaid_study("intercurrent_events: {rescue: {escalation_per_2_weeks: 0.2}, dropout: null}\n",
                     "hcmsc_rescue.yaml");
  ASSERT_EQ(study.problems, "");
  const auto model = study.model();
  Cohort cohort;
  simulate(model, k_patients, 1, all_needs(model), 0, cohort);
  double n_last = 0, expected = 0, variance = 0;
  for (std::size_t i = 0; i < k_patients; ++i) {
    if (cohort.rescue_weeks[i] == k_never) continue;
    const double left = model.visit_weeks().back() - (cohort.rescue_weeks[i] + 0.5);
    const double p = 1 - 0.85 * std::pow(0.8, left / 2);
    n_last += cohort.rescue_tier[i] == 1;
    expected += p;
    variance += p * (1 - p);
  }
  EXPECT_GT(expected, 10000);
  EXPECT_NEAR(n_last, expected, 3.5 * std::sqrt(variance));
}

// Constant dropout needs no visit: those of one visit alone are those of a whole plan.
TEST(Follow, ConstantDropoutIsTheSameWhateverIsRead) {
  const auto model = overlaid_study("intercurrent_events: {dropout: {rate_per_week: 0.05}}\n").model();
  Cohort all, one;
  simulate(model, 3000, 2, all_needs(model), -1, all);
  const auto visit = visit_at(model, 12);
  Needs needs = needs_of(model, 0, visit);
  needs.intercurrent_events = true;
  simulate(model, 3000, 2, needs, -1, one);
  int gone = 0;
  for (std::size_t i = 0; i < 3000; ++i) {
    ASSERT_EQ(one.values[visit][i], all.values[visit][i]);
    if (all.dropout_weeks[i] < 12) {
      ++gone;
      ASSERT_EQ(one.dropout_weeks[i], all.dropout_weeks[i]);
    } else {
      ASSERT_EQ(one.dropout_weeks[i], k_never);
    }
  }
  EXPECT_GT(gone, 1000);
}

}  // namespace
}  // namespace trialwright::patient::testing
