#include "endpoint/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "endpoint/change.hpp"
#include "support/read_text.hpp"

namespace {

using namespace trialwright;
using namespace trialwright::endpoint;
using test_support::read_text;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pointwise;

const StudyNames k_names{
    {{"easi", 0, 0, 72, 0.1}, {"iga", 1, 0, 4, 1}}, {4, 12}, {"infection", "skin"}, 24};

auto read(const std::string& yaml) {
  return read_text(yaml, [](auto& reader) { return read_endpoint("this", reader, k_names); });
}

struct Patient {
  double easi_baseline, easi_week_12, iga_baseline, iga_week_12;
};

patient::Cohort cohort_of(const std::vector<Patient>& patients) {
  patient::Cohort cohort;
  cohort.n_patients = static_cast<int>(patients.size());
  cohort.covariates.resize(patients.size(), 2);
  cohort.values.resize(patients.size(), 4);
  for (std::size_t i = 0; i < patients.size(); ++i) {
    cohort.covariates[0][i] = patients[i].easi_baseline;
    cohort.covariates[1][i] = patients[i].iga_baseline;
    cohort.values[0][i] = cohort.values[2][i] = -1;  // week 4: no endpoint here may look at it
    cohort.values[1][i] = patients[i].easi_week_12;
    cohort.values[3][i] = patients[i].iga_week_12;
  }
  return cohort;
}

std::vector<std::int8_t> observe(const std::string& yaml, const patient::Cohort& cohort) {
  const auto spec = read(yaml);
  EXPECT_TRUE(spec.faults.empty()) << spec.text;
  std::vector<std::int8_t> outcome(static_cast<std::size_t>(cohort.n_patients), 7);
  make(spec.value, k_names)->observe(cohort, outcome);
  return outcome;
}

TEST(Responder, CompliesAtExactlyHalfTheBaseline) {
  // 0.5 * 25.3 = 12.65 falls between grid points: 12.6 responds and 12.7 does not;
  // 14.2 of 28.4 is a half.
  const auto cohort =
      cohort_of({{28.4, 14.2, 4, 2}, {28.4, 14.3, 4, 2}, {25.3, 12.6, 4, 2}, {25.3, 12.7, 4, 2}});
  EXPECT_THAT(observe("{kind: responder, measure: easi, week: 12, reduction: 0.5}", cohort),
              ElementsAre(1, 0, 1, 0));
}

TEST(Responder, HoldsOnEveryExactGridFraction) {
  // Every baseline on the 0.1 grid with its exact tenth: doubles miss equality for
  // many, the tolerance none.
  std::vector<Patient> patients;
  for (int tenths = 160; tenths <= 720; tenths += 10)
    patients.push_back({tenths * 0.1, tenths / 10 * 0.1, 4, 0});
  EXPECT_THAT(
      observe("{kind: responder, measure: easi, week: 12, reduction: 0.9}", cohort_of(patients)),
      testing::Each(1));
  for (auto& patient : patients) patient.easi_week_12 += 0.1;
  EXPECT_THAT(
      observe("{kind: responder, measure: easi, week: 12, reduction: 0.9}", cohort_of(patients)),
      testing::Each(0));
}

TEST(Responder, NeedsEveryConditionGiven) {
  const auto cohort =
      cohort_of({{20, 5, 4, 1}, {20, 5, 3, 1}, {20, 5, 2, 1}, {20, 5, 4, 2}, {20, 5, 2, 0}});
  EXPECT_THAT(observe("{kind: responder, measure: iga, week: 12, at_most: 1, improvement: 2}", cohort),
              ElementsAre(1, 1, 0, 0, 1));
  EXPECT_THAT(observe("{kind: responder, measure: iga, week: 12, at_most: 1}", cohort),
              ElementsAre(1, 1, 1, 0, 1));
  EXPECT_THAT(observe("{kind: responder, measure: iga, week: 12, improvement: 2}", cohort),
              ElementsAre(1, 1, 0, 1, 1));
  EXPECT_THAT(observe("{kind: responder, measure: iga, week: 12, at_most: 1, reduction: 0.75}", cohort),
              ElementsAre(1, 0, 0, 0, 1));
}

TEST(Responder, CannotReduceABaselineOfZero) {
  const auto cohort = cohort_of({{0, 0, 0, 0}});
  EXPECT_THAT(observe("{kind: responder, measure: iga, week: 12, reduction: 0.5}", cohort),
              ElementsAre(0));
  EXPECT_THAT(observe("{kind: responder, measure: iga, week: 12, at_most: 1}", cohort), ElementsAre(1));
}

TEST(Responder, MarksOnlyTheVisitItReads) {
  const auto spec = read("{kind: responder, measure: iga, week: 4, at_most: 1}");
  patient::Needs needs;
  needs.intercurrent_events = needs.adverse_events = false;
  make(spec.value, k_names)->add_needs(needs);
  EXPECT_THAT(needs.measure_visits, ElementsAre(ElementsAre(false, false), ElementsAre(true, false)));
  EXPECT_FALSE(needs.adverse_events);
  const auto other = read("{kind: responder, measure: easi, week: 12, reduction: 0.5}");
  make(other.value, k_names)->add_needs(needs);
  EXPECT_THAT(needs.measure_visits, ElementsAre(ElementsAre(false, true), ElementsAre(true, false)));
}

patient::Cohort cohort_with_events() {
  patient::Cohort cohort;
  cohort.n_patients = 5;
  cohort.adverse_events = {{0, 3, 4, 0, 1, false},
                           {1, 12, 14, 1, 2, false},
                           {1, 13, 15, 0, 3, true},
                           {3, 12.5, 20, 0, 4, true},
                           {3, 1, 2, 1, 1, false}};
  return cohort;
}

TEST(AdverseEvent, CountsPatientsWithTheEventByTheWeek) {
  const auto cohort = cohort_with_events();
  EXPECT_THAT(observe("{kind: adverse_event, weeks: 24}", cohort), ElementsAre(1, 1, 0, 1, 0));
  EXPECT_THAT(observe("{kind: adverse_event, weeks: 12}", cohort), ElementsAre(1, 1, 0, 1, 0));
  EXPECT_THAT(observe("{kind: adverse_event, weeks: 11.9}", cohort), ElementsAre(1, 0, 0, 1, 0));
  EXPECT_THAT(observe("{kind: adverse_event, weeks: 24, minimum_grade: 3}", cohort),
              ElementsAre(0, 1, 0, 1, 0));
  EXPECT_THAT(observe("{kind: adverse_event, weeks: 12, minimum_grade: 2}", cohort),
              ElementsAre(0, 1, 0, 0, 0));
  EXPECT_THAT(observe("{kind: adverse_event, weeks: 24, category: skin}", cohort),
              ElementsAre(0, 1, 0, 1, 0));
  EXPECT_THAT(observe("{kind: adverse_event, weeks: 24, serious: true}", cohort),
              ElementsAre(0, 1, 0, 1, 0));
  EXPECT_THAT(observe("{kind: adverse_event, weeks: 24, serious: true, category: skin}", cohort),
              ElementsAre(0, 0, 0, 0, 0));
}

TEST(AdverseEvent, IsWorseTheHigher) {
  const auto event = make(read("{kind: adverse_event, weeks: 24}").value, k_names);
  EXPECT_FALSE(event->higher_is_better());
  EXPECT_EQ(event->week(), 24);
  EXPECT_EQ(event->name(), "this");
  patient::Needs needs;
  needs.adverse_events = false;
  event->add_needs(needs);
  EXPECT_TRUE(needs.adverse_events);
  const auto responder =
      make(read("{kind: responder, measure: easi, week: 12, reduction: 0.5}").value, k_names);
  EXPECT_TRUE(responder->higher_is_better());
  EXPECT_EQ(responder->week(), 12);
}

TEST(EndpointSpec, WritesItsDefaults) {
  const auto got = read("{kind: adverse_event, weeks: 24}");
  EXPECT_THAT(got.resolved, HasSubstr("minimum_grade: 1"));
  EXPECT_THAT(got.resolved, HasSubstr("serious: false"));
  EXPECT_EQ(got.value.kind(), EndpointKind::adverse_event);
  EXPECT_EQ(got.value.week(), 24);
}

std::vector<double> observe_change(const std::string& yaml, const patient::Cohort& cohort) {
  const auto got = read(yaml);
  EXPECT_TRUE(got.faults.empty()) << got.text;
  std::vector<double> change(static_cast<std::size_t>(cohort.n_patients), 7);
  Change(*got.value.change(), k_names).observe(cohort, change);
  return change;
}

TEST(Change, IsTheScoreLessItsBaseline) {
  const auto cohort = cohort_of({{28.4, 14.2, 4, 2}, {20, 25, 3, 3}, {0, 1.5, 0, 2}});
  EXPECT_THAT(observe_change("{kind: change, measure: easi, week: 12}", cohort),
              Pointwise(testing::DoubleNear(1e-12), {-14.2, 5.0, 1.5}));
  EXPECT_THAT(observe_change("{kind: change, measure: iga, week: 12}", cohort), ElementsAre(-2, 0, 2));
}

TEST(Change, InPercentHasNoValueWhereTheBaselineIsZero) {
  const auto cohort = cohort_of({{28.4, 14.2, 4, 2}, {20, 25, 3, 3}, {0, 1.5, 0, 0}});
  const auto change = observe_change("{kind: percent_change, measure: easi, week: 12}", cohort);
  EXPECT_NEAR(change[0], -50, 1e-12);
  EXPECT_NEAR(change[1], 25, 1e-12);
  EXPECT_TRUE(std::isnan(change[2]));
  EXPECT_TRUE(std::isnan(observe_change("{kind: percent_change, measure: iga, week: 12}", cohort)[2]));
}

TEST(Change, TellsItsKindWeekRangeAndNeeds) {
  const auto points = read("{kind: change, measure: iga, week: 4}").value;
  EXPECT_EQ(points.kind(), EndpointKind::change);
  EXPECT_EQ(points.week(), 4);
  EXPECT_EQ(points.change()->range, 4);
  EXPECT_EQ(read("{kind: percent_change, measure: iga, week: 4}").value.kind(),
            EndpointKind::percent_change);
  EXPECT_EQ(read("{kind: adverse_event, weeks: 24}").value.change(), nullptr);
  patient::Needs needs;
  Change(*points.change(), k_names).add_needs(needs);
  EXPECT_THAT(needs.measure_visits, ElementsAre(ElementsAre(false, false), ElementsAre(true, false)));
}

struct Faulty {
  const char* name;
  std::string yaml;
  const char* message;
};

class EndpointFaults : public testing::TestWithParam<Faulty> {};

TEST_P(EndpointFaults, AreToldOnce) {
  const auto got = read(GetParam().yaml);
  EXPECT_EQ(got.faults.size(), 1u) << got.text;
  EXPECT_THAT(got.text, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, EndpointFaults,
    testing::Values(
        Faulty{"no_such_kind", "{kind: respoder, measure: easi, week: 12, reduction: 0.5}",
               "responder"},
        Faulty{"no_such_measure", "{kind: responder, measure: eassi, week: 12, reduction: 0.5}",
               "easi"},
        Faulty{"not_a_visit", "{kind: responder, measure: easi, week: 11, reduction: 0.5}",
               "visits are at weeks 4, 12"},
        Faulty{"no_week", "{kind: responder, measure: easi, reduction: 0.5}", "week"},
        Faulty{"no_condition", "{kind: responder, measure: easi, week: 12}",
               "does not say what a response is"},
        Faulty{"reduction_in_percent", "{kind: responder, measure: easi, week: 12, reduction: 50}",
               "50% is written 0.5"},
        Faulty{"no_reduction", "{kind: responder, measure: easi, week: 12, reduction: 0}", "reduction"},
        Faulty{"at_most_everything", "{kind: responder, measure: iga, week: 12, at_most: 4}",
               "at_most"},
        Faulty{"improvement_beyond_range", "{kind: responder, measure: iga, week: 12, improvement: 5}",
               "improvement"},
        Faulty{"unknown_key", "{kind: responder, measure: iga, week: 12, improvment: 2, at_most: 1}",
               "improvement"},
        Faulty{"change_of_no_measure", "{kind: change, week: 12}", "measure"},
        Faulty{"change_at_no_visit", "{kind: percent_change, measure: easi, week: 11}",
               "visits are at weeks 4, 12"},
        Faulty{"change_of_a_responder", "{kind: change, measure: easi, week: 12, reduction: 0.5}",
               "reduction"},
        Faulty{"beyond_follow_up", "{kind: adverse_event, weeks: 25}", "weeks"},
        Faulty{"grade_5", "{kind: adverse_event, weeks: 24, minimum_grade: 5}", "minimum_grade"},
        Faulty{"no_such_category", "{kind: adverse_event, weeks: 24, category: infections}",
               "infection"}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST(EndpointFaults, AdverseEventsNeedASafetySection) {
  StudyNames names = k_names;
  names.adverse_event_categories.clear();
  const auto got = read_text("{kind: adverse_event, weeks: 24}",
                             [&](auto& reader) { return read_endpoint("this", reader, names); });
  EXPECT_EQ(got.faults.size(), 1u);
  EXPECT_THAT(got.text, HasSubstr("safety"));
}

}  // namespace
