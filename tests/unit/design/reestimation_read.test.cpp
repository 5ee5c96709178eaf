#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/reestimation_cases.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::design;
using test_support::read_reestimation_text;
using testing::HasSubstr;

const std::string k_look = "looks: [{outcomes: 0.5}]\n";

struct Faulty {
  const char* name;
  std::string more;
  const char* message;
};

class ReestimationFaults : public testing::TestWithParam<Faulty> {};

TEST_P(ReestimationFaults, AreToldOnce) {
  const auto got = read_reestimation_text(160, GetParam().more);
  EXPECT_EQ(got.faults.size(), 1u) << got.text;
  EXPECT_THAT(got.text, HasSubstr(GetParam().message));
}

std::string zone(const std::string& keys) {
  return k_look + "reestimation: {rule: promising_zone, " + keys + "}\n";
}

std::string looks(const std::string& keys) {
  return "looks: [{outcomes: 0.5}, {outcomes: 0.75}]\nreestimation: {" + keys +
         ", most_patients: 300}\n";
}

INSTANTIATE_TEST_SUITE_P(
    Reading, ReestimationFaults,
    testing::Values(
        Faulty{"cap", zone("from: 0.3, most_patients: 150"),
               "the cap of 150 patients is below the planned size"},
        Faulty{"fewest", zone("from: 0.3, most_patients: 300, fewest_patients: 170"), "at most 160"},
        Faulty{"fewest_before_look", zone("from: 0.3, most_patients: 300, fewest_patients: 60"),
               "below the 80 patients of the look"},
        Faulty{"zone_backwards", zone("from: 0.95, most_patients: 300"),
               "the zone starts at 0.95 and ends at 0.9"},
        Faulty{"zone_beyond_power", zone("from: 0.3, to: 0.95, most_patients: 300"),
               "above the power of 0.9"},
        Faulty{"unweighted_with_looks",
               looks("rule: promising_zone, from: 0.5") + "combination: unweighted\n",
               "the unweighted statistic with 2 looks"},
        Faulty{"look_of_nobody", looks("at: [3], rule: promising_zone, from: 0.3"), "at"},
        Faulty{"look_twice", looks("at: [1, 1], rule: promising_zone, from: 0.3"), "listed twice"},
        Faulty{"no_look", looks("at: [], rule: promising_zone, from: 0.3"), "empty list"},
        Faulty{
            "fewest_of_a_stage",
            looks("resizes: next_stage, fewest_patients_per_stage: [40, 80], rule: conditional_power"),
            "more than the 40 planned for stage 3"},
        Faulty{"most_of_a_stage",
               looks("resizes: next_stage, most_patients_per_stage: 30, rule: conditional_power"),
               "below the 40 planned for stage 2"},
        Faulty{"fewest_of_the_other",
               looks("resizes: next_stage, fewest_patients: 100, rule: conditional_power"),
               "fewest_patients"},
        Faulty{"blinded_stage",
               looks("resizes: next_stage, rule: blinded_variance, rates: {placebo: 0.3, active: 0.5}"),
               "a blinded rule sizes the whole trial"},
        Faulty{"stage_by_date",
               "looks: [{outcomes: 80}, {months: 20}]\nplanned_information: [0.5, 0.75]\nreestimation: "
               "{resizes: next_stage, rule: conditional_power, most_patients: 300}\n",
               "would not follow"},
        Faulty{"futility_of_one_look",
               looks("rule: promising_zone, from: 0.3") + "futility: {below: [0.1]}\n", "below"},
        Faulty{"no_rates", zone("from: 0.3, effect: planned, most_patients: 300"), "rates"},
        Faulty{"rate_of_nobody",
               zone("from: 0.3, effect: planned, rates: {placebo: 0.3, high: 0.5}, most_patients: 300"),
               "arm"},
        Faulty{
            "rates_the_wrong_way",
            zone("from: 0.3, effect: planned, rates: {placebo: 0.5, active: 0.3}, most_patients: 300"),
            "treatment is not planned to be better"},
        Faulty{"key_of_another_rule", zone("from: 0.3, keeps: odds_ratio, most_patients: 300"),
               "keeps"},
        Faulty{"rates_unused",
               zone("from: 0.3, rates: {placebo: 0.3, active: 0.5}, most_patients: 300"), "rates"},
        Faulty{"unweighted_too_low",
               zone("from: 0.3, most_patients: 300") + "combination: unweighted\n",
               "does not keep alpha"},
        Faulty{
            "information_needed",
            "looks: [{months: 12}]\nreestimation: {rule: promising_zone, from: 0.3, most_patients: 300}\n",
            "planned_information"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(ReestimationReading, WritesItsDefaults) {
  const auto got = read_reestimation_text(160, zone("from: 0.3, most_patients: 300"));
  EXPECT_TRUE(got.faults.empty()) << got.text;
  for (const char* line : {"to: 0.9", "power: 0.9", "effect: observed", "variance: unpooled",
                           "fewest_patients: 160", "combination: inverse_normal"})
    EXPECT_THAT(got.resolved, HasSubstr(line));
  const auto blinded = read_reestimation_text(
      160,
      k_look +
          "reestimation: {rule: blinded_rate, rates: {placebo: 0.3, active: 0.5}, most_patients: 300}\n");
  EXPECT_THAT(blinded.resolved, HasSubstr("combination: unweighted"));
  EXPECT_THAT(blinded.resolved, HasSubstr("keeps: risk_difference"));
}

TEST(ReestimationReading, WritesTheDefaultsOfSeveralLooks) {
  const auto end = read_reestimation_text(160, looks("rule: conditional_power"));
  EXPECT_TRUE(end.faults.empty()) << end.text;
  EXPECT_THAT(end.resolved, HasSubstr("resizes: end"));
  EXPECT_THAT(end.resolved, HasSubstr("at: [2]"));
  EXPECT_THAT(end.resolved, HasSubstr("combination: inverse_normal"));
  const auto stage = read_reestimation_text(160, looks("rule: conditional_power, resizes: next_stage"));
  EXPECT_TRUE(stage.faults.empty()) << stage.text;
  EXPECT_THAT(stage.resolved, HasSubstr("at: [1, 2]"));
  // Of one look neither is asked for.
  const auto one = read_reestimation_text(160, zone("from: 0.3, most_patients: 300"));
  EXPECT_THAT(one.resolved, testing::Not(HasSubstr("resizes")));
}

}  // namespace
