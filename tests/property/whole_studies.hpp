// Whole studies, small ones, that between them use everything a study can have: what the properties of
// the program are tested on.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "scenario/study.hpp"

namespace trialwright::property {

struct WholeStudy {
  std::string name;
  std::string extends;   // relative to configs/
  std::string sections;  // but `simulation`
  int n_trials = 100;
  std::string engine = "auto";
};

inline std::ostream& operator<<(std::ostream& out, const WholeStudy& one) {
  return out << one.name;
}
inline std::string name_of(const testing::TestParamInfo<WholeStudy>& info) {
  return info.param.name;
}

inline scenario::Study read(const WholeStudy& one, int n_trials, int seed = 20261123) {
  return scenario::Study::parse(
      fmt::format("schema: 1\nextends: {}\n{}simulation: {{trials: {}, seed: {}, engine: {}}}\n",
                  one.extends, one.sections, n_trials, seed, one.engine),
      one.name, TRIALWRIGHT_SOURCE_DIR "/configs", {});
}

// One design: `rest` goes on after the patients.
inline std::string design(int n_patients, const std::string& rest,
                          const std::string& arms = "{placebo: 1, hcmsc: 1}") {
  return fmt::format("{{kind: fixed, arms: {}, patients: {}, {}}}", arms, n_patients, rest);
}
inline std::string one_design(int n_patients, const std::string& rest,
                              const std::string& scenarios = "{reported: {effect: 1}}",
                              const std::string& arms = "{placebo: 1, hcmsc: 1}") {
  return fmt::format("designs: {{only: {}}}\nscenarios: {}\n", design(n_patients, rest, arms),
                     scenarios);
}

// One patient an arm, and columns whose ends fill no vector.
inline std::string every_size(const std::string& rest) {
  return one_design(2, rest) + "sweep: {designs.only.patients: [2049, 1000, 300, 33, 7, 2]}\n";
}

inline constexpr const char* k_two_regions =
    "recruitment: {regions: {japan: {sites: 9, startup_months: {mean: 4, sd: 1}, "
    "screened_per_site_month: {mean: 0.9, shape: 1.5}}}}\n";
inline constexpr const char* k_effects_of_places =
    "measures: {easi: {site_effects: {intercept_sd: 0.35, effect_sd: 0.25, high_placebo_probability: "
    "0.1, high_placebo_odds_ratio: 2}, stratum_effects: {severity: {intercept: [0, -0.3], effect: [0.1, "
    "0]}}, region_effects: {effect_sd: 0.2, effect: {japan: 0.3}}, baseline_effect: -0.2}}\n";
inline constexpr const char* k_constant_dropout =
    "intercurrent_events: {dropout: {rate_per_week: 0.02, arm_log_hazard: {placebo: 0.5}}}\n";
inline constexpr const char* k_every_test =
    "analyses:\n"
    "  yates: {estimand: easi50, method: chi_square_yates, effect: risk_ratio, interval: wald}\n"
    "  pooled: {estimand: easi50, method: z_pooled, sides: 1, alpha: 0.025, interval: "
    "miettinen_nurminen}\n"
    "  unpooled: {estimand: easi50, method: z_unpooled, sides: 1, alpha: 0.025, margin: 0.05}\n"
    "  fisher: {estimand: easi50, method: fisher, effect: odds_ratio, interval: miettinen_nurminen}\n"
    "  midp: {estimand: easi75, method: fisher_midp, effect: risk_ratio, interval: miettinen_nurminen}\n"
    "  boschloo: {estimand: easi50, method: boschloo, sides: 1, alpha: 0.025}\n"
    "  exact_z: {estimand: easi75, method: z_pooled_exact}\n"
    "  cmh: {estimand: easi50, method: cmh, strata: [severity], effect: odds_ratio}\n"
    "  score: {estimand: any_ae, method: farrington_manning, sides: 1, alpha: 0.025, margin: 0.15, "
    "effect: odds_ratio, interval: wald}\n";
inline constexpr const char* k_name_every_test =
    "primary: easi50_superiority, secondary: [yates, pooled, unpooled, fisher, midp, boschloo, exact_z, "
    "cmh, score]";
inline constexpr const char* k_three_arms =
    "arms: {second: {infusion_weeks: [0, 2, 4]}}\n"
    "safety: {any_event: {second: 0.28}, infusion_reaction: {second: 0.05}}\n"
    "measures: {easi: {course: {tau_weeks: {second: 4}, kumaraswamy: {arms: {second: {a: 0.6, b: "
    "1.08}}}, responder_mixture: {arms: {second: {responder_fraction: 0.3}}}}}}\n"
    "analyses: {easi50_superiority: {arm: hcmsc}, second_best: {estimand: easi50, arm: second, against: "
    "hcmsc}}\n";
inline constexpr const char* k_drawn_truths =
    "{reported: {truth: {draw: log_odds_ratio, mean: 1.043, sd: 0.508, control: [11.5, 23.5]}}, "
    "shrunk: {truth: {draw: log_odds_ratio, mean: 1.043, sd: 0.508, prior: {mean: 0.35, sd: 0.45}}}, "
    "two_rates: {truth: {draw: beta_rates, arms: {placebo: [11.5, 23.5], hcmsc: [19.5, 14.5]}}}, "
    "posterior: {truth: {draw: calibration_posterior}}, odds: {odds_ratio: 2}}";

inline std::vector<WholeStudy> whole_studies() {
  const std::string hcmsc = "library/hcmsc.yaml", rescue = "library/hcmsc_rescue.yaml";
  const std::string easi50 = "primary: easi50_superiority";
  const std::string many =
      "primary: easi50_superiority, secondary: [easi75_superiority, iga01_superiority, "
      "nrs4_superiority, ae_noninferiority]";
  const std::string places = std::string(k_two_regions) + k_effects_of_places;
  const std::string stratified =
      "analyses: {cmh: {estimand: easi50, method: cmh, strata: [severity, "
      "region]}}\n";
  return {
      {"plain_counts", hcmsc, every_size(easi50), 3000, "counts"},
      {"plain_patients", hcmsc, every_size(easi50), 60, "patients"},
      {"every_test_counts", hcmsc, k_every_test + one_design(51, k_name_every_test), 500, "counts"},
      {"every_test_patients", hcmsc, k_every_test + one_design(51, k_name_every_test), 100, "patients"},
      {"rescue_and_dropout", rescue, every_size(many), 25},
      {"without_rescue", "library/hcmsc_rescue_nri.yaml",
       "analyses: {nri: {estimand: easi50_nri}, deep_nri: {estimand: easi90_nri}}\n" +
           one_design(133, "primary: nri, secondary: [deep_nri, easi50_superiority]")},
      {"sites_and_regions", hcmsc,
       places + stratified +
           one_design(133,
                      "primary: cmh, secondary: [easi50_superiority], randomisation: {method: "
                      "permuted_block, block_size: 4, strata: [region]}")},
      {"sites_rescue_and_dropout", rescue,
       places + stratified +
           one_design(300, many + ", randomisation: {method: permuted_block, block_size: 6, strata: "
                                  "[site, severity]}"),
       40},
      {"minimisation", hcmsc,
       k_two_regions + stratified +
           one_design(99,
                      "primary: cmh, randomisation: {method: minimisation, strata: [severity, site, "
                      "region], imbalance: variance}")},
      {"grades_patients", rescue, one_design(101, "primary: iga01_superiority"), 100},
      {"grades_counts", hcmsc, k_constant_dropout + one_design(101, "primary: iga01_superiority"), 500,
       "counts"},
      {"dropout_and_strata_counts", hcmsc,
       std::string(k_constant_dropout) +
           "estimands: {easi75: {dropout: non_response}}\n"
           "analyses: {cmh: {estimand: easi50, method: cmh, strata: [severity]}}\n" +
           one_design(77,
                      "primary: cmh, secondary: [easi75_superiority, ae_noninferiority], "
                      "randomisation: {method: simple}"),
       500, "counts"},
      {"adverse_events", "[library/hcmsc.yaml, library/safety_global_ph3.yaml]",
       "endpoints: {serious: {kind: adverse_event, weeks: 12, serious: true}}\n"
       "estimands: {serious: {endpoint: serious, rescue: treatment_policy, discontinuation: "
       "treatment_policy, dropout: treatment_policy}}\n"
       "analyses: {serious: {estimand: serious, method: farrington_manning, sides: 1, alpha: 0.025, "
       "margin: 0.1}}\n" +
           one_design(133, "primary: ae_noninferiority, secondary: [serious]")},
      {"drawn_truths", hcmsc, one_design(67, easi50, k_drawn_truths)},
      {"drawn_truths_with_rescue", rescue, one_design(67, easi50, k_drawn_truths), 60},
      {"discontinuation", rescue,
       "intercurrent_events: {rescue: {log_odds_slope: 1.7, escalation_per_2_weeks: 0.1}, dropout: {log_slope: 0.9}, discontinuation: {rate_per_week: 0.01, after_grade_3_event: 0.2}}\n" +
           one_design(133, many)},
      {"responder_mixture", rescue,
       "measures: {easi: {course: {model: responder_mixture}}}\n" + one_design(133, many)},
      {"three_arms", hcmsc,
       k_three_arms + one_design(99, "primary: easi50_superiority, secondary: [second_best]",
                                 "{reported: {effect: 1}, null: {effect: 0}}",
                                 "{placebo: 1, hcmsc: 1, second: 2}")},
  };
}

// Those that name this engine.
inline std::vector<WholeStudy> studies_of(const std::string& engine) {
  auto all = whole_studies();
  std::erase_if(all, [&](const auto& one) { return one.engine != engine; });
  return all;
}

}  // namespace trialwright::property
