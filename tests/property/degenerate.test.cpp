// Where something is extreme: nobody or everybody responds, arms of one patient, very many patients.
#include <gtest/gtest.h>

#include <cmath>

#include "engine/run_study.hpp"
#include "property/whole_studies.hpp"
#include "report/json.hpp"
#include "support/vector_targets.hpp"
#include "trialwright/error.hpp"

namespace trialwright::property {
namespace {

// Patients of EASI 16 to 30, which never rises by more than half: all end at 50 at most, and none
// improves by 40 points.
constexpr const char* k_all_and_none =
    "population: {eligibility: {easi: {maximum: 30}}}\n"
    "endpoints: {all: {kind: responder, measure: easi, week: 12, at_most: 50}, none: {kind: responder, "
    "measure: easi, week: 12, improvement: 40}}\n"
    "estimands:\n"
    "  all: {endpoint: all, rescue: treatment_policy, discontinuation: treatment_policy, dropout: "
    "missing}\n"
    "  none: {endpoint: none, rescue: treatment_policy, discontinuation: treatment_policy, dropout: "
    "missing}\n"
    "analyses: {all: {estimand: all}, none: {estimand: none}, exact: {estimand: all, method: boschloo}, "
    "ratio: {estimand: none, effect: risk_ratio}}\n";

Results results_of(const WholeStudy& one) {
  auto study = read(one, one.n_trials);
  return engine::run_study(study, 2, nullptr);
}

const Metric& metric(const Results& results, const std::string& name, const std::string& hypothesis,
                     const std::string& arm = "") {
  for (const auto& one : results.points.front().metrics)
    if (one.metric == name && one.hypothesis == hypothesis && one.arm == arm) return one;
  throw std::logic_error("no " + name + " of " + hypothesis + " " + arm);
}

class Degenerate : public testing::TestWithParam<std::string> {};

TEST_P(Degenerate, AllRespondOrNobody) {
  for (const int n_patients : {2, 3, 50}) {
    const auto results = results_of(
        {"all_or_none", "library/hcmsc.yaml",
         k_all_and_none + one_design(n_patients, "primary: all, secondary: [none, exact, ratio]"), 2000,
         GetParam()});
    const auto& point = results.points.front();
    EXPECT_EQ(point.engine, GetParam());
    EXPECT_EQ(point.n_failed_analyses, 0u);
    for (const char* arm : {"placebo", "hcmsc"}) {
      EXPECT_EQ(metric(results, "event_rate", "all", arm).estimate, 1);
      EXPECT_EQ(metric(results, "event_rate", "none", arm).estimate, 0);
    }
    for (const char* analysis : {"all", "none", "exact", "ratio"})
      EXPECT_EQ(metric(results, "power", analysis).estimate, 0) << analysis;
    EXPECT_EQ(metric(results, "mean_estimate", "all").estimate, 0);
    EXPECT_EQ(report::write_json(report::read_json(report::write_json(results))),
              report::write_json(results));
  }
}

// An arm of one patient beside one of 59; and, by simple randomisation of two, arms without anyone,
// half of the time, whose analysis then fails.
TEST_P(Degenerate, AnArmOfOneOrNone) {
  const auto one = results_of({"one", "library/hcmsc.yaml",
                               one_design(60, "primary: easi50_superiority", "{reported: {effect: 1}}",
                                          "{placebo: 59, hcmsc: 1}"),
                               20000, GetParam()});
  EXPECT_EQ(one.points.front().engine, GetParam());
  EXPECT_EQ(one.points.front().n_failed_analyses, 0u);
  auto study = read({"one", "library/hcmsc.yaml",
                     one_design(60, "primary: easi50_superiority", "{reported: {effect: 1}}",
                                "{placebo: 59, hcmsc: 1}")},
                    1);
  const auto plan = study.plan(study.points().front());
  const auto rates = plan->exact_rates(plan->analyses.front());
  ASSERT_TRUE(rates);
  // False alarms: 3.5 standard errors, 4.7e-4 each.
  EXPECT_NEAR(metric(one, "event_rate", "easi50_superiority", "hcmsc").estimate, rates->rate_1,
              3.5 * std::sqrt(rates->rate_1 * (1 - rates->rate_1) / 20000));
  EXPECT_NEAR(metric(one, "event_rate", "easi50_superiority", "placebo").estimate, rates->rate_0,
              3.5 * std::sqrt(rates->rate_0 * (1 - rates->rate_0) / 20000 / 59));

  const auto none =
      results_of({"none", "library/hcmsc.yaml",
                  one_design(2, "primary: easi50_superiority, randomisation: {method: simple}"), 20000,
                  GetParam()});
  EXPECT_EQ(none.points.front().engine, GetParam());
  EXPECT_NEAR(static_cast<double>(none.points.front().n_failed_analyses) / 20000, 0.5,
              3.5 * 0.5 / std::sqrt(20000));
}

INSTANTIATE_TEST_SUITE_P(Engines, Degenerate, testing::Values("counts", "patients"),
                         [](const auto& one) { return one.param; });

// 20,000 patients as counts: drawn, or refused with a reason; never wrong.
TEST(VeryManyPatients, AreDrawnAsCountsOrRefusedWithAReason) {
  const std::string easi50 = "primary: easi50_superiority";
  const std::string nested =
      "primary: easi50_superiority, secondary: [easi75_superiority, "
      "easi90_superiority]";
  int n_drawn = 0, n_refused = 0;
  for (const std::string& sections :
       {one_design(20000, easi50), one_design(20000, nested),
        one_design(20000, easi50 + ", randomisation: {method: simple}"),
        k_constant_dropout + one_design(20000, nested + ", randomisation: {method: simple}")}) {
    const WholeStudy one{"many", "library/hcmsc.yaml", sections, 20000, "counts"};
    try {
      const auto results = results_of(one);
      ++n_drawn;
      EXPECT_EQ(results.points.front().engine, "counts");
      EXPECT_GT(metric(results, "power", "easi50_superiority").estimate, 0.999);
    } catch (const Error& error) {
      ++n_refused;
      EXPECT_EQ(error.status(), ExitStatus::bad_input);
      EXPECT_NE(std::string(error.what()).find("cannot be drawn as counts ("), std::string::npos)
          << error.what();
      auto automatic = one;
      automatic.engine = "auto";
      automatic.n_trials = 20;
      EXPECT_EQ(results_of(automatic).points.front().engine, "patients");
    }
  }
  EXPECT_GE(n_drawn, 1);
  RecordProperty("refused", n_refused);
}

// 30,000 patients one by one, on every instruction set, against the exact rates: 3.5 standard errors at
// 40 trials are 0.0024, false alarms 9.3e-4 for both.
TEST(VeryManyPatients, AreSimulatedOneByOne) {
  const WholeStudy one{"many", "library/hcmsc.yaml", one_design(30000, "primary: easi50_superiority"),
                       40, "patients"};
  auto study = read(one, one.n_trials);
  const auto plan = study.plan(study.points().front());
  const auto rates = plan->exact_rates(plan->analyses.front());
  ASSERT_TRUE(rates);
  const auto results = results_of(one);
  const double n = 40 * 15000;
  EXPECT_NEAR(metric(results, "event_rate", "easi50_superiority", "hcmsc").estimate, rates->rate_1,
              3.5 * std::sqrt(rates->rate_1 * (1 - rates->rate_1) / n));
  EXPECT_NEAR(metric(results, "event_rate", "easi50_superiority", "placebo").estimate, rates->rate_0,
              3.5 * std::sqrt(rates->rate_0 * (1 - rates->rate_0) / n));
  for (const char* library : {"library/hcmsc.yaml", "library/hcmsc_rescue.yaml"}) {
    auto large = one;
    large.extends = library;
    large.n_trials = 4;
    const std::string text = report::write_json(results_of(large));
    test::for_each_target([&] { EXPECT_EQ(report::write_json(results_of(large)), text); });
  }
}

}  // namespace
}  // namespace trialwright::property
