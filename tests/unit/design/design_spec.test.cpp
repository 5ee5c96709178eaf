#include "design/design_spec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/read_text.hpp"

namespace {

using namespace trialwright::design;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using trialwright::test_support::read_text;

const StudyNames k_names{{"placebo", "low", "high"},
                         0,
                         {"easi50", "easi75", "ae"},
                         {{"severity", 2}, {"region", 3}, {"site", 40}}};

auto read(const std::string& yaml) {
  return read_text(yaml, [](auto& reader) { return read_design("fixed", reader, k_names); });
}

// A sound design whose lines each test may replace.
std::string design(const std::string& arms, const std::string& patients, const std::string& more = "") {
  return "kind: fixed\narms: " + arms + "\npatients: " + patients + "\nprimary: easi50\n" + more;
}

TEST(FixedDesign, ReadsItsKeysAndWritesItsDefaults) {
  const auto got = read(design("{high: 2, placebo: 1}", "300", "secondary: [ae, easi75]\n"));
  EXPECT_TRUE(got.faults.empty()) << got.text;
  ASSERT_EQ(got.value.arms.size(), 2u);
  EXPECT_EQ(got.value.arms[0].arm, 0);
  EXPECT_EQ(got.value.arms[0].ratio, 1);
  EXPECT_EQ(got.value.arms[1].arm, 2);
  EXPECT_EQ(got.value.arms[1].ratio, 2);
  EXPECT_EQ(got.value.patients, 300);
  EXPECT_EQ(got.value.primary, 0);
  EXPECT_THAT(got.value.secondary, ElementsAre(2, 1));
  EXPECT_TRUE(std::holds_alternative<RandomAllocation>(got.value.randomisation));
  EXPECT_TRUE(got.value.has_arm(2));
  EXPECT_FALSE(got.value.has_arm(1));
  EXPECT_THAT(got.resolved, HasSubstr("method: random_allocation"));
}

TEST(FixedDesign, ReadsPermutedBlocksWithinStrata) {
  const auto got = read(design("{placebo: 2, low: 4}", "60",
                               "randomisation: {method: permuted_block, strata: [site]}\n"));
  EXPECT_TRUE(got.faults.empty()) << got.text;
  const auto& block = std::get<PermutedBlock>(got.value.randomisation);
  EXPECT_EQ(block.block_size, 6);  // twice 1 + 2
  EXPECT_THAT(block.factors, ElementsAre(2));
  EXPECT_THAT(got.resolved, HasSubstr("block_size: 6"));
}

TEST(FixedDesign, ReadsMinimisation) {
  const auto got = read(
      design("{placebo: 1, low: 1}", "60",
             "randomisation: {method: minimisation, strata: [severity, site], imbalance: variance}\n"));
  EXPECT_TRUE(got.faults.empty()) << got.text;
  const auto& rule = std::get<Minimisation>(got.value.randomisation);
  EXPECT_THAT(rule.factors, ElementsAre(0, 2));
  EXPECT_EQ(rule.probability, 0.8);
  EXPECT_EQ(rule.imbalance, Imbalance::variance);
}

struct Faulty {
  const char* name;
  std::string yaml;
  const char* where;  // line:column
  const char* message;
};

class FixedDesignFaults : public testing::TestWithParam<Faulty> {};

TEST_P(FixedDesignFaults, AreToldOnceAtTheirPlace) {
  const auto got = read(GetParam().yaml);
  EXPECT_EQ(got.faults.size(), 1u) << got.text;
  EXPECT_THAT(got.text, HasSubstr(std::string("study.yaml:") + GetParam().where + ":"));
  EXPECT_THAT(got.text, HasSubstr(GetParam().message));
}

const std::string k_two_arms = "{placebo: 1, low: 1}";
std::string randomised(const std::string& how, const std::string& arms = k_two_arms) {
  return design(arms, "60", "randomisation: {" + how + "}\n");
}

INSTANTIATE_TEST_SUITE_P(
    All, FixedDesignFaults,
    testing::Values(
        Faulty{"allocation_of_zero", design("{placebo: 1, low: 0}", "60"), "2:25", "a whole number"},
        Faulty{"ratio_above_1000", design("{placebo: 1, low: 1001}", "60"), "2:25", "1000"},
        Faulty{"ratio_not_whole", design("{placebo: 1, low: 1.5}", "60"), "2:25",
               "the allocation of \"low\" is 1.5"},
        Faulty{"no_such_arm", design("{placebo: 1, lwo: 1}", "60"), "2:20", "low"},
        Faulty{"no_control", design("{low: 1, high: 1}", "60"), "2:7", "no control arm"},
        Faulty{"no_active_arm", design("{placebo: 1}", "60"), "2:7", "no active arm"},
        Faulty{"one_patient", design(k_two_arms, "1"), "3:11", "patients"},
        Faulty{"too_many_patients", design(k_two_arms, "10000001"), "3:11", "patients"},
        Faulty{"half_a_patient", design(k_two_arms, "60.5"), "3:11", "patients"},
        Faulty{"arm_without_patient", design("{placebo: 1, low: 100}", "2"), "3:11",
               "2 patients in this ratio leave arm \"placebo\" without a patient"},
        Faulty{"no_such_analysis",
               "kind: fixed\narms: {placebo: 1, low: 1}\npatients: 60\nprimary: easi5\n", "4:10",
               "easi50"},
        Faulty{"primary_is_secondary", design(k_two_arms, "60", "secondary: [ae, easi50]\n"), "5:12",
               "is the primary analysis already"},
        Faulty{"no_such_kind",
               "kind: fxed\narms: {placebo: 1, low: 1}\npatients: 60\nprimary: easi50\n", "1:7",
               "fixed"},
        Faulty{"no_such_method", randomised("method: permuted_blok, block_size: 4"), "5:25",
               "permuted_block"},
        Faulty{"block_not_a_multiple", randomised("method: permuted_block, block_size: 5"), "5:53",
               "a block of 5 cannot hold the allocation ratio, whose parts sum to 2"},
        Faulty{"block_above_patients",
               design(k_two_arms, "6", "randomisation: {method: permuted_block, block_size: 8}\n"),
               "3:11", "6 patients are fewer than one block of 8"},
        Faulty{"block_of_another_method", randomised("method: simple, block_size: 4"), "5:45",
               "\"block_size\" means nothing to simple"},
        Faulty{"strata_of_another_method", randomised("strata: [site]"), "5:25",
               "\"strata\" means nothing to random_allocation"},
        Faulty{"probability_of_another_method", randomised("method: permuted_block, probability: 0.8"),
               "5:54", "or choose minimisation"},
        Faulty{"no_such_factor", randomised("method: permuted_block, strata: [seveerity]"), "5:50",
               "severity"},
        Faulty{"factor_twice", randomised("method: permuted_block, strata: [site, site]"), "5:56",
               "twice"},
        Faulty{"minimisation_without_factors", randomised("method: minimisation"), "5:1",
               "minimisation needs \"strata\""},
        Faulty{"minimisation_of_no_factor", randomised("method: minimisation, strata: []"), "5:47",
               "minimisation needs \"strata\""},
        Faulty{"coin_below_fair", randomised("method: minimisation, strata: [site], probability: 0.4"),
               "5:68", "below the preferred arm's fair share 0.5"},
        Faulty{"coin_in_percent", randomised("method: minimisation, strata: [site], probability: 80"),
               "5:68", "a probability"},
        Faulty{"ratio_too_fine_to_minimise",
               randomised("method: minimisation, strata: [site]", "{placebo: 997, low: 1000}"), "5:25",
               "cannot weigh the allocation ratio 997:1000"}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(FixedDesign, ATooSmallNumberOfPatientsIsNotAlsoTooSmallForTheBlock) {
  const auto got = read(
      design("{placebo: 1, low: 0}", "0", "randomisation: {method: permuted_block, block_size: 7}\n"));
  EXPECT_EQ(got.faults.size(), 2u) << got.text;  // the ratio and the patients
}

TEST(ArmTotals, RoundByLargestRemainderTiesToTheFirst) {
  EXPECT_THAT(arm_totals(67, {{0, 1}, {1, 1}}), ElementsAre(34, 33));
  EXPECT_THAT(arm_totals(66, {{0, 34}, {1, 33}}), ElementsAre(33, 33));        // 33.49, 32.51
  EXPECT_THAT(arm_totals(10, {{0, 1}, {1, 2}}), ElementsAre(3, 7));            // 3.33, 6.67
  EXPECT_THAT(arm_totals(7, {{0, 2}, {1, 1}, {2, 1}}), ElementsAre(3, 2, 2));  // 3.5, 1.75, 1.75
  EXPECT_THAT(arm_totals(4, {{0, 1}, {1, 1}, {2, 1}}), ElementsAre(2, 1, 1));
  EXPECT_THAT(arm_totals(10'000'000, {{0, 999}, {1, 1000}}), ElementsAre(4997499, 5002501));
}

TEST(ReducedRatio, DividesByTheGreatestCommonDivisor) {
  EXPECT_THAT(reduced_ratio({{0, 6}, {1, 4}, {2, 2}}), ElementsAre(3, 2, 1));
  EXPECT_THAT(reduced_ratio({{0, 5}, {1, 5}}), ElementsAre(1, 1));
}

TEST(RandomisationTables, NameEveryMethodOnce) {
  for (const auto& row : k_randomisation_methods) {
    EXPECT_FALSE(row.help.empty());
    EXPECT_FALSE(row.source.empty());
  }
  EXPECT_EQ(method_of(PermutedBlock{4, {}}), RandomisationMethod::permuted_block);
  EXPECT_EQ(method_of(Minimisation{}), RandomisationMethod::minimisation);
  EXPECT_EQ(method_of(SimpleRandomisation{}), RandomisationMethod::simple);
  EXPECT_EQ(method_of(RandomAllocation{}), RandomisationMethod::random_allocation);
}

}  // namespace
