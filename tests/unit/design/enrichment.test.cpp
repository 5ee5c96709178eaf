#include "design/enrichment.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "design/design_spec.hpp"
#include "design/fixed_subgroup.hpp"

namespace trialwright::design {
namespace {

using analysis::TwoByTwo;

constexpr int k_level = 1;  // the subgroup's

DesignSpec enriched(EnrichmentRule rule = EnrichmentRule::thresholds) {
  DesignSpec spec;
  spec.name = "enriched";
  spec.arms = {{0, 1}, {1, 1}};
  spec.patients = 412;
  spec.looks = LookPlan{};
  EnrichmentSpec rules;
  rules.subgroup = {0, k_level};
  rules.rule = rule;
  rules.least_all = rules.least_subgroup = 0.5;
  rules.test.intersection = Intersection::simes;
  rules.information = 0.5;
  rules.n_interim = 206;
  spec.rules = rules;
  return spec;
}

EnrichmentSpec& rules_of(DesignSpec& spec) {
  return std::get<EnrichmentSpec>(spec.rules);
}

std::shared_ptr<const StagedDesign> make(const DesignSpec& spec) {
  DesignContext context;
  context.test.method = analysis::Method::chi_square;
  context.test.sides = analysis::Sides::one;
  context.test.alpha = 0.025;
  context.n_hypotheses = 2;
  context.subgroup_share = 0.4;
  return make_staged_design(spec, context);
}

// Stages' tables: all patients, then those of the subgroup.
struct Tables {
  std::vector<TwoByTwo> list;
  LookData at(int n_enrolled, bool is_final) const {
    LookData data;
    data.i_look = static_cast<int>(list.size()) / 2 - 1;
    data.is_final = is_final;
    data.n_enrolled = n_enrolled;
    data.n_hypotheses = 2;
    data.stages = list;
    return data;
  }
};

// Of 206 patients 80 are of the subgroup: z 2.385134725 and 2.696799450.
const Tables k_first{{{54, 103, 37, 103}, {24, 40, 12, 40}}};
// Recruitment was restricted after 250: the pipeline's others are among all.
const Tables k_both_stages{
    {{54, 103, 37, 103}, {24, 40, 12, 40}, {65, 103, 50, 103}, {55, 90, 40, 90}}};

double told(const Statistics& statistics, std::string_view name, int hypothesis) {
  for (int i = 0; i < statistics.n; ++i) {
    const auto& one = statistics.list[static_cast<std::size_t>(i)];
    if (one.name == name && one.hypothesis == hypothesis) return one.value;
  }
  ADD_FAILURE() << name << " was not told";
  return std::nan("");
}

struct Looked {
  TrialState state;
  Decision decision;
  Statistics statistics;
};

Looked look(const StagedDesign& design, const Tables& tables, int n_enrolled) {
  Looked result;
  design.start(result.state);
  result.decision = design.decide(tables.at(n_enrolled, false), result.state, &result.statistics);
  return result;
}

// The end after a look that came to `action`.
Looked end(const StagedDesign& design, Bits open, const Tables& tables = k_both_stages) {
  Looked result;
  design.start(result.state);
  result.state.open = open;
  result.state.n_looks = 1;
  result.decision = design.decide(tables.at(412, true), result.state, &result.statistics);
  return result;
}

TEST(Enrichment, chooses_by_thresholds) {
  EnrichmentSpec rules;
  rules.least_all = 0.5;
  rules.least_subgroup = 0.3;
  EXPECT_EQ(choose(rules, 0.5, 0.3), EnrichmentAction::both);
  EXPECT_EQ(choose(rules, 0.5, 0.29), EnrichmentAction::all);
  EXPECT_EQ(choose(rules, 0.49, 0.3), EnrichmentAction::subgroup);
  EXPECT_EQ(choose(rules, 0.49, 0.29), EnrichmentAction::stop);
}

TEST(Enrichment, chooses_all_first) {
  EnrichmentSpec rules;
  rules.rule = EnrichmentRule::all_first;
  rules.least_all = 0.5;
  rules.least_subgroup = 0.3;
  EXPECT_EQ(choose(rules, 0.5, 0.0), EnrichmentAction::both);
  EXPECT_EQ(choose(rules, 0.4, 0.9), EnrichmentAction::subgroup);
  EXPECT_EQ(choose(rules, 0.4, 0.2), EnrichmentAction::stop);
}

TEST(Enrichment, chooses_the_better_unless_they_are_close) {
  EnrichmentSpec rules;
  rules.rule = EnrichmentRule::closeness;
  rules.within = 0.5;
  rules.at_least = 0;
  EXPECT_EQ(choose(rules, 1.5, 1.0), EnrichmentAction::both);
  EXPECT_EQ(choose(rules, 1.0, 1.6), EnrichmentAction::subgroup);
  EXPECT_EQ(choose(rules, 1.6, 1.0), EnrichmentAction::all);
  EXPECT_EQ(choose(rules, -1.0, -0.1), EnrichmentAction::stop);
}

// Numbers of a second calculation (Python's statistics.NormalDist): pooled z by hand, conditional power
// 1 - Phi((c - w z) / w - z sqrt(n to come / n known)) with c 1.959964, w sqrt(1/2); to come are 206 of
// all patients, and of the subgroup 44 x 80 / 206 in the pipeline and all of the 162 after it.
TEST(Enrichment, foretells_both_populations) {
  const auto result = look(*make(enriched()), k_first, 250);
  EXPECT_NEAR(told(result.statistics, "z", 0), 2.385134724514539, 1e-12);
  EXPECT_NEAR(told(result.statistics, "z", 1), 2.696799449852968, 1e-12);
  EXPECT_NEAR(told(result.statistics, "conditional_power", 0), 0.9771666913208874, 1e-10);
  EXPECT_NEAR(told(result.statistics, "conditional_power", 1), 0.9999625130527632, 1e-10);
  EXPECT_EQ(result.decision.action, "go_on_with_both");
  EXPECT_EQ(result.state.population, -1);
  EXPECT_EQ(result.state.n_planned, 412);
}

TEST(Enrichment, foretells_with_fishers_combination) {
  auto spec = enriched();
  rules_of(spec).test.combination = sequential::Combination::fisher;
  const auto result = look(*make(spec), k_first, 250);
  EXPECT_NEAR(told(result.statistics, "conditional_power", 0), 0.9877266893623914, 1e-9);
  EXPECT_NEAR(told(result.statistics, "conditional_power", 1), 1.0, 1e-9);
}

TEST(Enrichment, restricts_to_the_subgroup_and_sizes_its_second_stage) {
  auto spec = enriched();
  rules_of(spec).least_all = 0.99;
  const auto kept = look(*make(spec), k_first, 250);
  EXPECT_EQ(kept.decision.action, "restrict_to_subgroup");
  EXPECT_EQ(kept.state.population, k_level);
  EXPECT_EQ(kept.state.open, Bits{2});
  EXPECT_EQ(kept.state.n_planned, 412);
  rules_of(spec).stage_2_patients = 200;
  EXPECT_EQ(look(*make(spec), k_first, 250).state.n_planned, 450);
  EXPECT_GE(make(spec)->most_patients(), 412 + 200 / 0.4);
}

TEST(Enrichment, stops_where_neither_is_promising) {
  const Tables none{{{37, 103, 37, 103}, {12, 40, 13, 40}}};
  const auto design = make(enriched());
  auto result = look(*design, none, 250);
  EXPECT_EQ(result.decision.stop, StopReason::futility);
  EXPECT_EQ(result.state.rejected, Bits{0});
  EXPECT_EQ(design->naive_rejections(none.at(250, false), result.state), Bits{0});
}

// By the same second calculation: stage 2's subgroup has z 2.239526708; the intersection of stage 1 has
// p 0.007000942 by Simes and Bonferroni, 0.006470552 by the correlation sqrt(80 / 206).
TEST(Enrichment, tests_the_subgroup_by_all_its_intersections) {
  const auto simes = end(*make(enriched()), Bits{2});
  EXPECT_NEAR(told(simes.statistics, "closed_statistic", 1), 3.321097949143046, 1e-9);
  EXPECT_EQ(simes.state.rejected, Bits{2});
  auto spec = enriched();
  rules_of(spec).test.intersection = Intersection::dunnett;
  EXPECT_NEAR(told(end(*make(spec), Bits{2}).statistics, "closed_statistic", 1), 3.3410178060574864,
              1e-6);
  // With p of 0.02 and 0.02 Simes takes the larger, Bonferroni twice the smaller.
  auto close = k_both_stages;
  close.list[0] = {51, 103, 37, 103};
  close.list[1] = {21, 40, 12, 40};
  EXPECT_NEAR(told(end(*make(enriched()), Bits{2}, close).statistics, "closed_statistic", 1),
              2.9779104659612905, 1e-9);
  rules_of(spec).test.intersection = Intersection::bonferroni;
  EXPECT_NEAR(told(end(*make(spec), Bits{2}, close).statistics, "closed_statistic", 1),
              2.8137594317175716, 1e-9);
}

TEST(Enrichment, does_not_reject_a_population_that_was_left) {
  const auto design = make(enriched());
  EXPECT_EQ(end(*design, Bits{2}).state.rejected, Bits{2});
  EXPECT_EQ(end(*design, Bits{1}).state.rejected, Bits{1});
  EXPECT_EQ(end(*design, Bits{3}).state.rejected, Bits{3});
}

// Stagewise Wald estimates of the difference in the subgroup, by the second calculation.
TEST(Enrichment, estimates_the_population_chosen_by_its_stages) {
  const auto design = make(enriched());
  const auto result = end(*design, Bits{2});
  const auto inference = design->infer(k_both_stages.at(412, true), result.state, 1);
  ASSERT_TRUE(inference.defined);
  EXPECT_NEAR(inference.p_value, 0.0004483203195151386, 1e-12);
  EXPECT_NEAR(inference.estimate, 0.22118842191419646, 1e-8);
  EXPECT_NEAR(inference.lower, 0.08754799779984225, 1e-8);
  EXPECT_NEAR(inference.upper, 0.3708331018422078, 1e-8);
}

TEST(Enrichment, keeps_its_sense_in_degenerate_tables) {
  const auto design = make(enriched());
  // Nobody of the subgroup, no event, nothing but events, nobody known at all.
  for (const auto& first :
       {Tables{{{54, 103, 37, 103}, {0, 0, 0, 0}}}, Tables{{{0, 103, 0, 103}, {0, 40, 0, 40}}},
        Tables{{{103, 103, 103, 103}, {40, 40, 40, 40}}}, Tables{{{0, 0, 0, 0}, {0, 0, 0, 0}}}}) {
    const auto result = look(*design, first, 250);
    for (const int h : {0, 1}) {
      const double power = told(result.statistics, "conditional_power", h);
      EXPECT_TRUE(power >= 0 && power <= 1) << power;
    }
    EXPECT_FALSE(design->infer(first.at(250, false), result.state, 1).defined);
  }
  const auto before_outcomes = look(*design, Tables{{{0, 0, 0, 0}, {0, 0, 0, 0}}}, 4);
  EXPECT_EQ(before_outcomes.decision.stop, StopReason::none);
  EXPECT_EQ(before_outcomes.decision.action, "go_on_with_both");
  // The last planned outcome was known before the look was due: one stage, all of alpha.
  TrialState state;
  design->start(state);
  design->decide(k_first.at(206, true), state, nullptr);
  EXPECT_EQ(state.rejected, Bits{3});
}

// Patients of the global null and of nulls of one population: 30000 trials each put the familywise
// error, where it is 0.025, above 0.025 + 3.5 standard errors with probability 0.0003; the naive test
// of the population chosen, whose error is above 0.03 here, is found inflated with a power above 0.99.
TEST(Enrichment, keeps_the_familywise_error_where_the_naive_test_does_not) {
  auto spec = enriched(EnrichmentRule::closeness);
  rules_of(spec).statistic = EnrichmentStatistic::z;
  rules_of(spec).within = 0;
  rules_of(spec).at_least = -10;
  const auto design = make(spec);
  std::mt19937_64 random(20261123);
  const auto draw = [&](int n, double rate) {
    return std::binomial_distribution<int>(n, rate)(random);
  };
  constexpr int k_trials = 30000;
  for (const double other_rate : {0.32, 0.5}) {  // of the active arm outside the subgroup
    int errors = 0, naive_errors = 0;
    for (int trial = 0; trial < k_trials; ++trial) {
      Tables tables;
      TrialState state;
      design->start(state);
      const auto add = [&](int n_others, int n_subgroup) {
        const TwoByTwo part{draw(n_subgroup, 0.32), n_subgroup, draw(n_subgroup, 0.32), n_subgroup};
        tables.list.push_back({part.responders_1 + draw(n_others, other_rate), n_others + n_subgroup,
                               part.responders_0 + draw(n_others, 0.32), n_others + n_subgroup});
        tables.list.push_back(part);
      };
      add(63, 40);
      design->decide(tables.at(206, false), state, nullptr);
      state.population < 0 ? add(63, 40) : add(0, 103);
      design->decide(tables.at(412, true), state, nullptr);
      const Bits nulls = other_rate == 0.32 ? 3 : 2;
      errors += (state.rejected & nulls) != 0;
      naive_errors += (design->naive_rejections(tables.at(412, true), state) & nulls) != 0;
    }
    const double mcse = std::sqrt(0.025 * 0.975 / k_trials);
    EXPECT_LT(errors, (0.025 + 3.5 * mcse) * k_trials);
    if (other_rate == 0.32) {
      EXPECT_GT(naive_errors, (0.025 + 3.5 * mcse) * k_trials);
    }
  }
}

TEST(FixedSubgroup, decides_by_the_planned_test_of_those_recruited) {
  DesignSpec spec;
  spec.arms = {{0, 1}, {1, 1}};
  spec.patients = 120;
  spec.rules = FixedRules{Subgroup{0, k_level}};
  const auto design = make(spec);
  EXPECT_EQ(design->n_looks(), 1);
  EXPECT_GT(design->most_patients(), 300);
  TrialState state;
  design->start(state);
  EXPECT_EQ(state.population, k_level);
  LookData data;
  data.is_final = true;
  const TwoByTwo table{35, 60, 20, 60};
  data.stages = {&table, 1};
  EXPECT_EQ(design->decide(data, state, nullptr).stop, StopReason::efficacy);
  EXPECT_EQ(state.rejected, Bits{1});
  EXPECT_NEAR(design->infer(data, state, 0).estimate, 0.25, 1e-15);
  DesignSpec everybody = spec;
  everybody.rules = FixedRules{};
  EXPECT_EQ(make(everybody), nullptr);
}

}  // namespace
}  // namespace trialwright::design
