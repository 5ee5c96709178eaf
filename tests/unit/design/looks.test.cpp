#include "design/looks.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "support/read_text.hpp"

namespace trialwright::design {
namespace {

using testing::HasSubstr;

auto read(const std::string& yaml, int n_planned = 300) {
  return test_support::read_text(yaml, [&](auto& reader) { return read_looks(reader, n_planned); });
}

TEST(Amount, IsAFractionBelowOneAndANumberAbove) {
  EXPECT_EQ((Amount{0.5, true}.of(301)), 151);
  EXPECT_EQ((Amount{0.5, true}.of(412)), 206);
  EXPECT_EQ((Amount{0.001, true}.of(10)), 1);
  EXPECT_EQ((Amount{150, false}.of(412)), 150);
}

TEST(Looks, ReadEveryTrigger) {
  const auto got = read(
      "looks:\n"
      "  - {outcomes: 0.25}\n"
      "  - {enrolled: 150}\n"
      "  - {events: 80}\n"
      "  - {months: 18.5}\n"
      "  - {first_of: [{outcomes: 200}, {months: 24}]}\n"
      "  - {last_of: [{outcomes: 0.75}, {first_of: [{events: 90}, {enrolled: 300}]}]}\n"
      "cleaning_weeks: 2\npause: at_cut\noverrun: analysed\n");
  EXPECT_TRUE(got.faults.empty()) << got.text;
  const LookPlan& plan = got.value;
  EXPECT_EQ(plan.n_looks(), 7);
  EXPECT_EQ(plan.cleaning_weeks, 2);
  EXPECT_EQ(plan.pause, Pause::at_cut);
  EXPECT_EQ(plan.overrun, Overrun::analysed);
  const auto& outcomes = std::get<OutcomesKnown>(plan.interim[0].rule);
  EXPECT_TRUE(outcomes.patients.is_fraction);
  EXPECT_EQ(outcomes.patients.of(300), 75);
  EXPECT_FALSE(std::get<PatientsEnrolled>(plan.interim[1].rule).patients.is_fraction);
  EXPECT_EQ(std::get<EventsSeen>(plan.interim[2].rule).events, 80);
  EXPECT_EQ(std::get<CalendarDate>(plan.interim[3].rule).months, 18.5);
  const auto& first = std::get<FirstOf>(plan.interim[4].rule).triggers;
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(std::get<OutcomesKnown>(first[0].rule).patients.value, 200);
  const auto& last = std::get<LastOf>(plan.interim[5].rule).triggers;
  EXPECT_EQ(std::get<FirstOf>(last[1].rule).triggers.size(), 2u);
  EXPECT_EQ(read(got.resolved).resolved, got.resolved);
}

TEST(Looks, HaveDefaults) {
  const auto got = read("looks: [{outcomes: 300}]\n");
  EXPECT_TRUE(got.faults.empty()) << got.text;
  EXPECT_EQ(got.value.cleaning_weeks, 4);
  EXPECT_EQ(got.value.pause, Pause::none);
  EXPECT_EQ(got.value.overrun, Overrun::not_analysed);
}

TEST(Looks, FaultsAreToldWhereTheyStand) {
  EXPECT_THAT(read("pause: none\n").text, HasSubstr("\"looks\" is missing (a list of maps is needed)"));
  EXPECT_THAT(read("looks: [{outcomes: 1}]\n").text,
              HasSubstr("1:20: error: \"outcomes\" is 1 (a fraction below 1, or a number of patients "
                        "above 1, is needed)"));
  EXPECT_THAT(read("looks: [{outcomes: 1.5}]\n").text, HasSubstr("whole number of patients"));
  EXPECT_THAT(read("looks: [{outcomes: 301}]\n").text, HasSubstr("the design has 300 patients"));
  EXPECT_THAT(read("looks: [{outcomes: 50%}]\n").text, HasSubstr("write 0.5"));
  EXPECT_THAT(read("looks: [{outcomes: 0.5}, {enrolled: 200}, {outcomes: 150}]\n").text,
              HasSubstr("1:54: error: look 3 is at 150 patients, look 1 at 150 (looks increase)"));
  EXPECT_THAT(read("looks: [{months: 12}, {months: 6}]\n").text,
              HasSubstr("look 2 is at 6 months, look 1 at 12 (looks increase)"));
  EXPECT_THAT(read("looks: [{outcomes: 0.5, months: 12}]\n").text,
              HasSubstr("\"months\" beside \"outcomes\" (a look has one trigger)"));
  EXPECT_THAT(read("looks: [{outcome: 0.5}]\n").text, HasSubstr("did you mean \"outcomes\"?"));
  EXPECT_THAT(read("looks: [{}]\n").text, HasSubstr("a look without a trigger"));
  EXPECT_THAT(read("looks: [{months: }]\n").text, HasSubstr("\"months\" is empty"));
  EXPECT_THAT(read("looks: [{first_of: [{months: 3}]}]\n").text, HasSubstr("holds one trigger"));
  EXPECT_THAT(read("looks: [{events: 2.5}]\n").text, HasSubstr("not a whole number"));
  EXPECT_THAT(read("looks: [{months: 3}]\npause: on\n").text, HasSubstr("not one of the names"));
  EXPECT_THAT(read("looks: [{months: 3}]\ncleaning_weeks: -1\n").text,
              HasSubstr("\"cleaning_weeks\" is -1"));
  std::string many = "looks:\n";
  for (int look = 1; look <= 20; ++look) many += "  - {outcomes: " + std::to_string(10 * look) + "}\n";
  EXPECT_THAT(read(many).text, HasSubstr("20 looks before the last one (at most 19 are possible)"));
}

}  // namespace
}  // namespace trialwright::design
