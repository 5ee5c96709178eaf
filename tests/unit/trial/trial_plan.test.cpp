// When a null hypothesis is true, and when there is an exact power.
#include "trial/trial_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/studies.hpp"

namespace trialwright::trial {
namespace {

using ::testing::HasSubstr;

bool is_null(const std::string& sections, const std::string& scenario = "{effect: 0}") {
  const auto plan = support::plan(sections + support::sections(60, scenario));
  return plan->is_null(plan->analyses[0]);
}

// Study sections in which infusions stop; composite where the estimand counts that as no response.
std::string stopping(const std::string& events, const std::string& strategy, const std::string& more) {
  return "intercurrent_events: {discontinuation: " + events +
         "}\nestimands: {easi50: {discontinuation: " + strategy + "}}\n" + more;
}

const std::string k_no_placebo_infusions = "arms: {placebo: {infusion_weeks: []}}\n";
const std::string k_same_events =
    "safety: {any_event: {placebo: 0.3, hcmsc: 0.3}, infusion_reaction: {placebo: 0.02, hcmsc: 0.02}}\n";

TEST(TrialPlan, NoNullWhereTheArmsStopTheirInfusionsDifferently) {
  const std::string by_time = "{rate_per_week: 0.2}",
                    by_events = "{rate_per_week: 0, after_grade_3_event: 1}";
  EXPECT_TRUE(is_null(stopping(by_time, "composite", "")));
  EXPECT_FALSE(is_null(stopping(by_time, "composite", k_no_placebo_infusions)));
  EXPECT_FALSE(is_null(stopping(by_events, "composite", "")));
  EXPECT_TRUE(is_null(stopping(by_events, "composite", k_same_events)));
  EXPECT_FALSE(is_null(stopping(by_events, "composite", k_same_events + k_no_placebo_infusions)));
  EXPECT_FALSE(is_null(stopping(
      by_events, "composite",
      "safety: {any_event: {placebo: 0.3, hcmsc: 0.3}, infusion_reaction: {placebo: 0.02, hcmsc: "
      "0.05}}\n")));
  // A category's own incidence, at the same total.
  EXPECT_FALSE(is_null(stopping(
      by_events, "composite",
      "safety: {any_event: {placebo: 0.3, hcmsc: 0.3}, infusion_reaction: {placebo: 0.02, hcmsc: 0.02}, "
      "categories: {fever: {incidence: {placebo: 0.01, hcmsc: 0.02}}}}\n")));
}

// Without an effect to lose, stopping changes nothing that counts as measured.
TEST(TrialPlan, NullWhateverStopsWhereStoppingDoesNotCount) {
  EXPECT_TRUE(is_null(stopping("{rate_per_week: 0.2, after_grade_3_event: 1}", "treatment_policy",
                               k_no_placebo_infusions)));
  EXPECT_FALSE(is_null(stopping("{rate_per_week: 0.2}", "treatment_policy", ""), "{effect: 0.1}"));
}

TEST(TrialPlan, TwoActiveArmsUnderOneOddsRatioHaveACommonRate) {
  const auto plan = [](const std::string& scenario) {
    return support::plan(
        "arms: {second: {infusion_weeks: [0, 2, 4]}}\n"
        "safety: {any_event: {second: 0.28}, infusion_reaction: {second: 0.05}}\n"
        "measures: {easi: {course: {tau_weeks: {second: 4}, kumaraswamy: {arms: {second: {a: 0.6, b: "
        "1.08}}}, responder_mixture: {arms: {second: {responder_fraction: 0.3}}}}}}\n"
        "analyses: {cmh: {estimand: easi50, method: cmh, strata: [severity], arm: hcmsc, against: "
        "second}}\n"
        "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1, second: 1}, patients: 90, primary: "
        "cmh}}\n"
        "scenarios: {truth: " +
        scenario + "}\n");
  };
  const auto ratio = plan("{odds_ratio: 2}"), effect = plan("{effect: 1}");
  EXPECT_TRUE(ratio->has_common_rate(ratio->analyses[0]));
  EXPECT_TRUE(ratio->is_null(ratio->analyses[0]));
  EXPECT_FALSE(effect->has_common_rate(effect->analyses[0]));
}

// A harm that is more frequent under treatment is a true null hypothesis one-sided, but no common rate.
TEST(TrialPlan, ATrueNullHypothesisNeedsNoCommonRate) {
  const auto plan = support::plan(
      "analyses: {fewer: {estimand: any_ae, method: z_pooled, sides: 1, alpha: 0.025}}\n"
      "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 60, primary: fewer}}\n"
      "scenarios: {truth: {effect: 0}}\n");
  EXPECT_TRUE(plan->is_null(plan->analyses[0]));
  EXPECT_FALSE(plan->has_common_rate(plan->analyses[0]));
}

std::string why_not(const std::string& sections) {
  const auto plan = support::plan(sections);
  return plan->exact_power(plan->analyses[0]).why_not;
}

std::string design(const std::string& primary, int patients, const std::string& more = "") {
  return "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: " +
         std::to_string(patients) + ", primary: " + primary + more +
         "}}\nscenarios: {truth: {effect: 1}}\n";
}

TEST(TrialPlan, SaysWhereTheEndpointHasNoClosedForm) {
  const std::string reason = "this endpoint has no closed form";
  const std::string harm =
      "endpoints: {harm: {kind: adverse_event, weeks: 24, serious: true}}\n"
      "estimands: {harm: {endpoint: harm, rescue: treatment_policy, discontinuation: treatment_policy, "
      "dropout: treatment_policy}}\n"
      "analyses: {harm: {estimand: harm, method: fisher}}\n";
  EXPECT_EQ(why_not(harm + design("harm", 60)), reason);
  EXPECT_EQ(why_not("endpoints: {low: {kind: responder, measure: pruritus_nrs, week: 12, at_most: 1}}\n"
                    "estimands: {low: {endpoint: low, rescue: treatment_policy, discontinuation: "
                    "treatment_policy, dropout: missing}}\n"
                    "analyses: {low: {estimand: low, method: fisher}}\n" +
                    design("low", 60)),
            reason);
  EXPECT_EQ(why_not(design("easi50_superiority", 60)), "");
}

TEST(TrialPlan, EnumeratesNoMoreThanASecondsTables) {
  const std::string drawn_sizes = ", randomisation: {method: simple}";
  const std::string reason = "enumerating this many tables would take too long";
  EXPECT_EQ(why_not(design("easi50_superiority", 4000)), "");
  EXPECT_EQ(why_not(design("easi50_superiority", 4002)), reason);
  EXPECT_EQ(why_not(design("easi50_superiority", 4000, drawn_sizes)), reason);
  EXPECT_EQ(why_not(design("easi50_superiority", 600, drawn_sizes)), "");
}

}  // namespace
}  // namespace trialwright::trial
