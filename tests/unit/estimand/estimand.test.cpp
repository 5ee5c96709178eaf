#include "estimand/estimand.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "estimand/mean_estimand.hpp"
#include "support/read_text.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::estimand;
using test_support::read_text;
using testing::ElementsAre;
using testing::HasSubstr;

const endpoint::StudyNames k_names{{{"easi", 0, 0, 72, 0.1}}, {4, 12}, {"infection"}, 24};
const std::vector<endpoint::EndpointSpec> k_endpoints{
    {"easi50", endpoint::ResponderSpec{0, 1, 12.0, 0.5, {}, {}}},
    {"any_ae", endpoint::AdverseEventSpec{24.0, 1, {}, false}},
    {"easi_change", endpoint::ChangeSpec{0, 1, 12.0, endpoint::ChangeUnit::percent, 72}}};
constexpr StudyEvents k_all_events{true, true, true};

auto read(const std::string& yaml) {
  return read_text(yaml, [](auto& reader) { return read_estimand("this", reader, k_endpoints); });
}

struct Patient {
  int response;
  double rescue, discontinuation, dropout;
};
constexpr double k_no = patient::k_never;

// Each once responder, once not; events before, at and after week 12, and in both orders.
const std::vector<Patient> k_patients{
    {1, k_no, k_no, k_no},  // 0
    {0, k_no, k_no, k_no},  // 1
    {1, 7.5, k_no, k_no},   // 2 rescued before
    {1, 12, k_no, k_no},    // 3 rescued at
    {1, 13.5, k_no, k_no},  // 4 rescued after
    {1, k_no, 2, k_no},     // 5 discontinued before
    {1, k_no, k_no, 7.5},   // 6 left before, responder had it stayed
    {0, k_no, k_no, 7.5},   // 7 left before
    {1, k_no, k_no, 15.5},  // 8 left after
    {1, 3.5, k_no, 7.5},    // 9 rescued, then left
    {1, k_no, 4, 7.5},      // 10 discontinued, then left
    {1, 9.5, k_no, 7.5},    // 11 a rescue after leaving, which nobody sees
};

patient::Cohort cohort_of(const std::vector<Patient>& patients) {
  patient::Cohort cohort;
  cohort.n_patients = static_cast<int>(patients.size());
  cohort.covariates.resize(patients.size(), 1);
  cohort.values.resize(patients.size(), 2);
  for (std::size_t i = 0; i < patients.size(); ++i) {
    cohort.covariates[0][i] = 20;
    cohort.values[1][i] = patients[i].response != 0 ? 5 : 19;
    cohort.rescue_weeks.push_back(patients[i].rescue);
    cohort.discontinuation_weeks.push_back(patients[i].discontinuation);
    cohort.dropout_weeks.push_back(patients[i].dropout);
  }
  return cohort;
}

std::vector<std::int8_t> observe(EventStrategy rescue, EventStrategy discontinuation,
                                 DropoutStrategy dropout, StudyEvents events = k_all_events) {
  const auto cohort = cohort_of(k_patients);
  const auto easi50 = endpoint::make(k_endpoints[0], k_names);
  std::vector<std::int8_t> values(k_patients.size());
  Estimand({"this", 0, rescue, discontinuation, dropout, {}}, *easi50, events).observe(cohort, values);
  return values;
}

constexpr auto k_policy = EventStrategy::treatment_policy;
constexpr auto k_composite = EventStrategy::composite;

TEST(Estimand, TreatmentPolicyKeepsWhatWasMeasuredAndCompleteCasesLeaveOutTheRest) {
  EXPECT_THAT(observe(k_policy, k_policy, DropoutStrategy::missing),
              ElementsAre(1, 0, 1, 1, 1, 1, -1, -1, 1, -1, -1, -1));
}

TEST(Estimand, NonResponseFailsWhoLeft) {
  EXPECT_THAT(observe(k_policy, k_policy, DropoutStrategy::non_response),
              ElementsAre(1, 0, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0));
}

TEST(Estimand, CompositeRescueFailsUpToTheWeekAndDecidesBeforeLeaving) {
  EXPECT_THAT(observe(k_composite, k_policy, DropoutStrategy::missing),
              ElementsAre(1, 0, 0, 0, 1, 1, -1, -1, 1, 0, -1, -1));
}

TEST(Estimand, CompositeDiscontinuationFailsUpToTheWeek) {
  EXPECT_THAT(observe(k_policy, k_composite, DropoutStrategy::missing),
              ElementsAre(1, 0, 1, 1, 1, 0, -1, -1, 1, -1, 0, -1));
}

TEST(Estimand, CompositeOfEverything) {
  EXPECT_THAT(observe(k_composite, k_composite, DropoutStrategy::non_response),
              ElementsAre(1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0));
}

TEST(Estimand, DoesNotReadEventsThatTheStudyDoesNotHave) {
  EXPECT_THAT(observe(k_composite, k_composite, DropoutStrategy::missing, {}),
              ElementsAre(1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1));
  EXPECT_THAT(observe(k_composite, k_composite, DropoutStrategy::missing, {true, false, false}),
              ElementsAre(1, 0, 0, 0, 1, 1, 1, 0, 1, 0, 1, 0));
}

TEST(Estimand, OfHarmCountsWhatWasSeenOrLeavesOutWhoLeft) {
  auto cohort = cohort_of(
      {{0, k_no, k_no, k_no}, {0, k_no, k_no, 10}, {0, k_no, k_no, 10}, {0, k_no, k_no, k_no}});
  cohort.adverse_events = {{0, 3, 4, 0, 1, false}, {1, 3, 4, 0, 1, false}};
  const auto any_ae = endpoint::make(k_endpoints[1], k_names);
  std::vector<std::int8_t> values(4);
  Estimand({"this", 1, k_policy, k_policy, DropoutStrategy::treatment_policy, {}}, *any_ae,
           k_all_events)
      .observe(cohort, values);
  EXPECT_THAT(values, ElementsAre(1, 1, 0, 0));
  Estimand({"this", 1, k_policy, k_policy, DropoutStrategy::missing, {}}, *any_ae, k_all_events)
      .observe(cohort, values);
  EXPECT_THAT(values, ElementsAre(1, -1, -1, 0));
}

TEST(Estimand, NeedsTheIntercurrentEventsWhereverTheStudyHasThem) {
  const auto easi50 = endpoint::make(k_endpoints[0], k_names);
  const EstimandSpec spec{"this", 0, k_policy, k_policy, DropoutStrategy::missing, {}};
  patient::Needs needs;
  needs.intercurrent_events = needs.adverse_events = false;
  Estimand(spec, *easi50, StudyEvents{}).add_needs(needs);
  EXPECT_FALSE(needs.intercurrent_events);
  EXPECT_THAT(needs.measure_visits, ElementsAre(ElementsAre(false, true)));
  Estimand(spec, *easi50, StudyEvents{true, false, false}).add_needs(needs);
  EXPECT_TRUE(needs.intercurrent_events);
}

std::vector<double> observe_change(StudyEvents events) {
  const auto cohort = cohort_of(k_patients);
  std::vector<double> values(k_patients.size());
  const EstimandSpec spec{"this", 2, k_policy, k_policy, DropoutStrategy::missing, {}};
  MeanEstimand(spec, {*k_endpoints[2].change(), k_names}, events).observe(cohort, values);
  return values;
}

TEST(MeanEstimand, KeepsWhatWasMeasuredAndLeavesOutWhoLeft) {
  // Responders have 5 of 20, the others 19.
  const auto values = observe_change(k_all_events);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto& patient = k_patients[i];
    if (patient.dropout <= 12)
      EXPECT_TRUE(std::isnan(values[i])) << i;
    else
      EXPECT_NEAR(values[i], patient.response != 0 ? -75 : -5, 1e-12) << i;
  }
  // Where the study has no dropout its column is not read.
  EXPECT_NEAR(observe_change({true, true, false})[6], -75, 1e-12);
}

TEST(MeanEstimand, CallsAFallAnImprovement) {
  EXPECT_EQ(MeanEstimand::advantage(-50, -38), 12);
}

TEST(MeanEstimand, NeedsTheIntercurrentEventsWhereverTheStudyHasThem) {
  const EstimandSpec spec{"this", 2, k_policy, k_policy, DropoutStrategy::missing, {}};
  const endpoint::Change change(*k_endpoints[2].change(), k_names);
  patient::Needs needs;
  needs.intercurrent_events = needs.adverse_events = false;
  MeanEstimand(spec, change, StudyEvents{}).add_needs(needs);
  EXPECT_FALSE(needs.intercurrent_events);
  EXPECT_THAT(needs.measure_visits, ElementsAre(ElementsAre(false, true)));
  MeanEstimand(spec, change, StudyEvents{false, false, true}).add_needs(needs);
  EXPECT_TRUE(needs.intercurrent_events);
}

TEST(EstimandSpec, ReadsItsStrategies) {
  const auto got = read(
      "{endpoint: any_ae, rescue: treatment_policy, discontinuation: treatment_policy, dropout: "
      "missing}");
  EXPECT_TRUE(got.faults.empty()) << got.text;
  EXPECT_EQ(got.value.endpoint, 1);
  EXPECT_EQ(got.value.dropout, DropoutStrategy::missing);
  EXPECT_THAT(got.resolved, HasSubstr("population: all_randomised"));
  EXPECT_EQ(
      read("{endpoint: easi50, rescue: composite, discontinuation: treatment_policy, dropout: missing}")
          .value.rescue,
      k_composite);
}

struct Faulty {
  const char* name;
  std::string yaml;
  const char* message;
};

class EstimandFaults : public testing::TestWithParam<Faulty> {};

TEST_P(EstimandFaults, AreToldOnce) {
  const auto got = read(GetParam().yaml);
  EXPECT_EQ(got.faults.size(), 1u) << got.text;
  EXPECT_THAT(got.text, HasSubstr(GetParam().message));
}

std::string estimand(const std::string& endpoint, const std::string& rescue,
                     const std::string& discontinuation, const std::string& dropout) {
  return "{endpoint: " + endpoint + ", rescue: " + rescue + ", discontinuation: " + discontinuation +
         ", dropout: " + dropout + "}";
}

INSTANTIATE_TEST_SUITE_P(
    All, EstimandFaults,
    testing::Values(
        Faulty{"no_such_endpoint", estimand("easi5", "composite", "composite", "missing"), "easi50"},
        Faulty{"no_such_strategy", estimand("easi50", "composit", "composite", "missing"), "composite"},
        Faulty{"no_strategy_for_rescue",
               "{endpoint: easi50, discontinuation: composite, dropout: missing}", "rescue"},
        Faulty{"dropout_policy_of_response",
               estimand("easi50", "composite", "composite", "treatment_policy"),
               "nothing is measured after a patient has left"},
        Faulty{"composite_rescue_of_harm",
               estimand("any_ae", "composite", "treatment_policy", "missing"),
               "\"rescue\" cannot be composite"},
        Faulty{"composite_discontinuation_of_harm",
               estimand("any_ae", "treatment_policy", "composite", "missing"),
               "\"discontinuation\" cannot be composite"},
        Faulty{"composite_rescue_of_a_number",
               estimand("easi_change", "composite", "treatment_policy", "missing"),
               "\"rescue\" cannot be composite for a change"},
        Faulty{"composite_discontinuation_of_a_number",
               estimand("easi_change", "treatment_policy", "composite", "missing"),
               "\"discontinuation\" cannot be composite for a change"},
        Faulty{"non_response_of_a_number",
               estimand("easi_change", "treatment_policy", "treatment_policy", "non_response"),
               "\"dropout\" cannot be non_response for a change"},
        Faulty{"dropout_policy_of_a_number",
               estimand("easi_change", "treatment_policy", "treatment_policy", "treatment_policy"),
               "nothing is measured after a patient has left"},
        Faulty{"non_response_of_harm",
               estimand("any_ae", "treatment_policy", "treatment_policy", "non_response"),
               "\"dropout\" cannot be non_response"}),
    [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
