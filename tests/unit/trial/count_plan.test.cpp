// Counts instead of patients: the same law as the patients', its marginals, and what is refused.
#include "trial/count_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>
#include <numeric>
#include <utility>

#include "support/studies.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::trial {
namespace {

using ::testing::HasSubstr;
using Counts = std::vector<std::int32_t>;
constexpr std::int32_t k_most = 64;     // counts in the comparisons are below
using Histogram = std::vector<double>;  // of pairs of counts, [first * k_most + second]

constexpr std::uint64_t k_patient_trials = 60'000;
constexpr std::uint64_t k_compared_trials = 1 << 18;
constexpr std::uint64_t k_count_trials = 1 << 20;

std::shared_ptr<const CountPlan> counts_of(const TrialPlan& plan) {
  auto attempt = CountPlan::make(plan);
  EXPECT_EQ(attempt.why_not, "");
  return attempt.plan;
}

std::string why_not(const std::string& sections) {
  const auto plan = support::plan(sections);
  const auto attempt = CountPlan::make(*plan);
  EXPECT_EQ(attempt.plan == nullptr, !attempt.why_not.empty());
  return attempt.why_not;
}

// A trial of patients in the columns of the law.
void read_patients(const TrialPlan& plan, const CountPlan& law, const Workspace& workspace,
                   Counts& columns) {
  columns.assign(law.n_columns(), 0);
  for (std::size_t i = 0; i < law.arms().size(); ++i) {
    columns[law.arms()[i].events] = workspace.outcome.counts[i].events;
    columns[law.arms()[i].patients] = workspace.outcome.counts[i].patients;
  }
  for (std::size_t a = 0; a < plan.analyses.size(); ++a)
    for (std::size_t s = 0; s < law.strata()[a].size(); ++s) {
      const auto& cells = law.strata()[a][s];
      const auto& table = workspace.strata[a][s];
      columns[cells.active.events] = table.responders_1;
      columns[cells.active.patients] = table.n_1;
      columns[cells.control.events] = table.responders_0;
      columns[cells.control.patients] = table.n_0;
    }
}

// Pearson's two-sample statistic; cells that expect fewer than 8 of the smaller sample are put
// together.
double two_sample_p_value(const Histogram& a, const Histogram& b) {
  const double n_a = std::accumulate(a.begin(), a.end(), 0.0);
  const double n_b = std::accumulate(b.begin(), b.end(), 0.0);
  double statistic = 0, cells = 0;
  std::pair<double, double> few{};
  const auto add = [&](const std::pair<double, double>& seen) {
    const double share = (seen.first + seen.second) / (n_a + n_b);
    if (share == 0) return;
    const double in_a = n_a * share, in_b = n_b * share;
    statistic += (seen.first - in_a) * (seen.first - in_a) / in_a +
                 (seen.second - in_b) * (seen.second - in_b) / in_b;
    ++cells;
  };
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (n_a * (a[i] + b[i]) / (n_a + n_b) >= 8) {
      add({a[i], b[i]});
    } else {
      few.first += a[i];
      few.second += b[i];
    }
  }
  add(few);
  if (cells < 2) return 1;
  return boost::math::cdf(
      boost::math::complement(boost::math::chi_squared_distribution<double>(cells - 1), statistic));
}

// Every column's distribution, and every pair of columns', by patients and by counts. A fault of 0.5
// points in a rate among 20 patients has noncentrality 57 000 * 20 * 0.005^2 / 0.24 = 119 of about 20
// cells, and is noticed with probability above 0.999 at 1e-6 false alarms a column; with at most 300
// pairs a study together 3e-4. The rejection rates of the primary analysis differ by at most 4 standard
// errors (false alarms 6e-5).
void expect_same_law(const TrialPlan& plan) {
  const auto law = counts_of(plan);
  ASSERT_TRUE(law);
  const std::size_t n_columns = law->n_columns();
  std::vector<Histogram> by_patients(n_columns * n_columns, Histogram(k_most * k_most));
  auto by_counts = by_patients;
  const auto add = [&](const Counts& columns, std::vector<Histogram>& histograms) {
    for (std::size_t i = 0; i < n_columns; ++i)
      for (std::size_t j = i; j < n_columns; ++j)
        ++histograms[i * n_columns + j][static_cast<std::size_t>(columns[i] * k_most + columns[j])];
  };
  Workspace workspace;
  workspace.prepare(plan);
  Counts columns;
  double rejected_patients = 0, rejected_counts = 0;
  const auto& primary = plan.analyses[0];
  const auto is_rejected = [&](std::span<const analysis::TwoByTwo> tables) {
    return analyse_counts(primary, tables, workspace.test_caches[0]).rejected ? 1.0 : 0.0;
  };
  for (std::uint64_t trial = 0; trial < k_patient_trials; ++trial) {
    simulate_counts(plan, trial, workspace);
    read_patients(plan, *law, workspace, columns);
    add(columns, by_patients);
    rejected_patients +=
        is_rejected(primary.strata.empty()
                        ? std::span<const analysis::TwoByTwo>{&workspace.outcome.analyses[0].table, 1}
                        : std::span<const analysis::TwoByTwo>{workspace.strata[0]});
  }
  CountPlan::Workspace drawn;
  std::vector<analysis::TwoByTwo> tables;
  const auto read_tables = [&] {
    const auto table = [&](const CountPlan::Cell& active, const CountPlan::Cell& control) {
      tables.push_back({columns[active.events], columns[active.patients], columns[control.events],
                        columns[control.patients]});
    };
    tables.clear();
    for (const auto& stratum : law->strata()[0]) table(stratum.active, stratum.control);
    const auto at = [&](int arm) {
      const auto place = std::find(plan.arms.begin(), plan.arms.end(), arm) - plan.arms.begin();
      return law->arms()[static_cast<std::size_t>(primary.i_estimand) * plan.arms.size() +
                         static_cast<std::size_t>(place)];
    };
    if (tables.empty()) table(at(primary.arm_1), at(primary.arm_0));
  };
  for (std::uint64_t trial = 0; trial < k_compared_trials; trial += 1024) {
    law->draw(plan.key, trial, 1024, drawn);
    for (std::size_t i = 0; i < 1024; ++i) {
      for (std::size_t c = 0; c < n_columns; ++c) {
        columns[c] = drawn.counts[c][i];
        ASSERT_GE(columns[c], law->range(c).lowest);
        ASSERT_LE(columns[c], law->range(c).highest);
      }
      add(columns, by_counts);
      read_tables();
      rejected_counts += is_rejected(tables);
    }
  }
  for (std::size_t i = 0; i < n_columns; ++i)
    for (std::size_t j = i; j < n_columns; ++j)
      EXPECT_GT(two_sample_p_value(by_patients[i * n_columns + j], by_counts[i * n_columns + j]), 1e-6)
          << "columns " << i << ", " << j;
  const double n_a = k_patient_trials, n_b = k_compared_trials;
  const double power = (rejected_patients + rejected_counts) / (n_a + n_b);
  EXPECT_NEAR(rejected_patients / n_a, rejected_counts / n_b,
              4 * std::sqrt(power * (1 - power) * (1 / n_a + 1 / n_b)));
}

std::string design(int n_patients, const std::string& analyses, const std::string& more = "",
                   const std::string& arms = "{placebo: 1, hcmsc: 1}") {
  return "designs: {fixed: {kind: fixed, arms: " + arms + ", patients: " + std::to_string(n_patients) +
         ", " + analyses + more + "}}\nscenarios: {truth: {effect: 1}}\n";
}

const std::string k_nested = "primary: easi50_superiority, secondary: [easi75_superiority]";

TEST(CountPlan, PlainRatesAreTheModels) {
  const auto plan = support::plan(design(67, "primary: easi50_superiority"));
  const auto law = counts_of(*plan);
  const auto rates = *plan->exact_rates(plan->analyses[0]);
  CountPlan::Workspace workspace;
  double events[2] = {}, n_trials = 0;
  for (std::uint64_t trial = 0; trial < (1 << 21); trial += 1024) {
    law->draw(plan->key, trial, 1024, workspace);
    for (std::size_t i = 0; i < 1024; ++i)
      for (std::size_t a = 0; a < 2; ++a) events[a] += workspace.counts[law->arms()[a].events][i];
    n_trials += 1024;
  }
  // 34 on placebo, 33 active; 3.5 standard errors (false alarms 1e-3) are 0.00024.
  EXPECT_NEAR(events[0] / n_trials / 34, rates.rate_0, 0.00024);
  EXPECT_NEAR(events[1] / n_trials / 33, rates.rate_1, 0.00024);
  EXPECT_EQ(law->n_columns(), 4u);
  EXPECT_EQ(law->range(law->arms()[0].patients).lowest, 34);
  EXPECT_EQ(law->range(law->arms()[1].patients).highest, 33);
}

TEST(CountPlan, NestedRespondersInStrataHaveThePatientsLaw) {
  expect_same_law(*support::plan(
      "measures: {easi: {stratum_effects: {severity: {intercept: [0.2, -0.4], effect: [0.3, 0]}}}}\n"
      "analyses: {cmh: {estimand: easi50, method: cmh, strata: [severity]}}\n" +
      design(40, "primary: cmh, secondary: [easi75_superiority]")));
}

const std::string k_dropout =
    "intercurrent_events: {dropout: {rate_per_week: 0.02, arm_log_hazard: {placebo: 0.5}}}\n";

TEST(CountPlan, DropoutAndAdverseEventsHaveThePatientsLaw) {
  expect_same_law(*support::plan(k_dropout + "estimands: {easi75: {dropout: non_response}}\n" +
                                 design(40,
                                        "primary: easi50_superiority, secondary: [easi75_superiority, "
                                        "ae_noninferiority], randomisation: {method: simple}")));
}

TEST(CountPlan, ValuesPointsAndBaselineEffectsHaveThePatientsLaw) {
  expect_same_law(*support::plan(
      "endpoints: {low: {kind: responder, measure: easi, week: 8, at_most: 10}, points: {kind: "
      "responder, measure: easi, week: 8, improvement: 9.5, reduction: 0.2}}\n"
      "estimands: {low: {endpoint: low, rescue: treatment_policy, discontinuation: treatment_policy, "
      "dropout: missing}, points: {endpoint: points, rescue: treatment_policy, discontinuation: "
      "treatment_policy, dropout: missing}}\n"
      "analyses: {low: {estimand: low}, points: {estimand: points}}\n"
      "measures: {easi: {baseline_effect: -0.5}}\n" +
      design(42, "primary: low, secondary: [points]",
             ", randomisation: {method: permuted_block, block_size: 6}", "{placebo: 1, hcmsc: 2}")));
}

TEST(CountPlan, GradesHaveThePatientsLaw) {
  expect_same_law(*support::plan(
      k_dropout + "analyses: {cmh: {estimand: iga01, method: cmh, strata: [severity]}}\n" +
      design(40, "primary: cmh, secondary: [easi75_superiority, iga01_superiority]")));
}

TEST(CountPlan, AnIncompleteBlockLeavesTheSizesRandom) {
  expect_same_law(*support::plan(design(39, "primary: easi50_superiority",
                                        ", randomisation: {method: permuted_block, block_size: 10}")));
}

// The probability of rejection by counts is the exact power: 3.5 standard errors of 2^20 trials are at
// most 0.17 points (false alarms 5e-4).
TEST(CountPlan, RejectsWithTheExactPower) {
  for (const std::string& sections :
       {design(67, "primary: easi50_superiority"),
        k_dropout + "estimands: {easi50: {dropout: non_response}}\n" +
            design(100, "primary: easi50_superiority", ", randomisation: {method: simple}")}) {
    const auto plan = support::plan(sections);
    const auto exact = plan->exact_power(plan->analyses[0]);
    ASSERT_TRUE(exact.power) << exact.why_not;
    const auto law = counts_of(*plan);
    CountPlan::Workspace workspace;
    analysis::BinaryTest::Cache cache;
    double rejected = 0;
    for (std::uint64_t trial = 0; trial < k_count_trials; trial += 1024) {
      law->draw(plan->key, trial, 1024, workspace);
      for (std::size_t i = 0; i < 1024; ++i) {
        const auto& control = law->arms()[0];
        const auto& active = law->arms()[1];
        const analysis::TwoByTwo table{
            workspace.counts[active.events][i], workspace.counts[active.patients][i],
            workspace.counts[control.events][i], workspace.counts[control.patients][i]};
        rejected += analyse_counts(plan->analyses[0], {&table, 1}, cache).rejected ? 1 : 0;
      }
    }
    EXPECT_NEAR(rejected / k_count_trials, *exact.power,
                3.5 * std::sqrt(*exact.power * (1 - *exact.power) / k_count_trials));
  }
}

TEST(CountPlan, SaysWhyPatientsAreNeeded) {
  const std::string easi50 = design(60, "primary: easi50_superiority");
  EXPECT_EQ(why_not(easi50), "");
  EXPECT_THAT(why_not("measures: {easi: {site_effects: {intercept_sd: 0.3}}}\n" + easi50),
              HasSubstr("from site to site"));
  EXPECT_THAT(why_not("measures: {easi: {region_effects: {effect: {korea: 0.5}}}}\n" + easi50),
              HasSubstr("from region to region"));
  EXPECT_THAT(why_not("measures: {easi: {calendar_drift: {log_odds_per_year: 0.3}}}\n" + easi50),
              HasSubstr("drifts with the calendar"));
  EXPECT_THAT(why_not("intercurrent_events: {dropout: {rate_per_week: 0.02, log_slope: 1}}\n" + easi50),
              HasSubstr("hangs on the disease's course"));
  EXPECT_THAT(why_not("intercurrent_events: {discontinuation: {rate_per_week: 0.02}}\n" + easi50),
              HasSubstr("stopping the infusions"));
  EXPECT_THAT(why_not(design(60, "primary: nrs4_superiority")), HasSubstr("no closed form"));
  EXPECT_THAT(why_not("endpoints: {easi75: {week: 24}}\n" + design(60, k_nested)),
              HasSubstr("several visits"));
  EXPECT_THAT(why_not(design(60, "primary: easi50_superiority",
                             ", randomisation: {method: permuted_block, block_size: 6, strata: "
                             "[severity]}")),
              HasSubstr("blocks are stratified"));
  EXPECT_THAT(why_not(design(60, "primary: easi50_superiority",
                             ", randomisation: {method: minimisation, strata: [severity]}")),
              HasSubstr("minimisation"));
  EXPECT_THAT(why_not("analyses: {cmh: {estimand: easi50, method: cmh, strata: [site]}}\n" +
                      design(60, "primary: cmh")),
              HasSubstr("where patients enrol"));
  EXPECT_THAT(
      why_not("endpoints: {any_ae: {serious: true}}\n" + design(60, "primary: ae_noninferiority")),
      HasSubstr("grades or categories"));
  EXPECT_THAT(why_not("population: {eligibility: {bsa: {minimum: 20}}}\n" + easi50),
              HasSubstr("eligibility"));
  const auto drawn =
      support::plan(support::sections(60, "{truth: {draw: log_odds_ratio, mean: 1, sd: 0.3}}"));
  EXPECT_THAT(CountPlan::make(*drawn).why_not, HasSubstr("draws its own truth"));
}

}  // namespace
}  // namespace trialwright::trial
