#include "trial/look_calendar.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace trialwright::trial {
namespace {

using design::Amount;
using design::CalendarDate;
using design::EventsSeen;
using design::FirstOf;
using design::LastOf;
using design::LookTrigger;
using design::OutcomesKnown;
using design::PatientsEnrolled;

// Two patients a month, at 0.5, 1, 1.5, …; outcomes after 3 months; every fourth patient has the event.
class LookCalendar : public testing::Test {
 protected:
  static constexpr int k_patients = 40;

  LookCalendar() : months(k_patients), patients(k_patients), values(k_patients) {
    for (std::size_t i = 0; i < months.size(); ++i) {
      months[i] = 0.5 * static_cast<double>(i + 1);
      values[i] = i % 4 == 3 ? 1 : 0;
    }
    std::iota(patients.begin(), patients.end(), 0);
  }

  RecruitmentView view() const { return {months, 3.0, k_patients, 0, patients, values}; }
  TriggerTime time(LookTrigger trigger) const { return trigger_time(trigger, view()); }

  std::vector<double> months;
  std::vector<int> patients;
  std::vector<std::int8_t> values;
};

TEST_F(LookCalendar, OutcomesAreKnownAFollowUpAfterRandomisation) {
  const auto twenty = time({OutcomesKnown{{20, false}}});
  EXPECT_EQ(twenty.cut_months, 13);  // patient 20 at month 10
  EXPECT_EQ(twenty.halt_months, 10);
  EXPECT_EQ(time({OutcomesKnown{{0.5, true}}}).cut_months, 13);
  EXPECT_EQ(view().n_due(3, 13), 20);
  EXPECT_EQ(view().n_due(3, 13.4), 20);
  EXPECT_EQ(view().n_due(3, 13.5), 21);
  EXPECT_EQ(view().n_due(0, 13), 26);  // randomised
  EXPECT_EQ(view().n_due(3, 1), 0);
}

TEST_F(LookCalendar, ADesignMayHaveTheNextLookWaitForAnotherNumber) {
  auto later = view();
  later.outcomes_at_next_look = 24;
  EXPECT_EQ(trigger_time({OutcomesKnown{{20, false}}}, later).cut_months, 15);
  EXPECT_EQ(trigger_time({PatientsEnrolled{{20, false}}}, later).cut_months, 10);
}

TEST_F(LookCalendar, PatientsEnrolledCountFromTheirRandomisation) {
  const auto thirty = time({PatientsEnrolled{{0.75, true}}});
  EXPECT_EQ(thirty.cut_months, 15);
  EXPECT_EQ(thirty.halt_months, 15);
}

TEST_F(LookCalendar, EventsAreSeenAtTheirPatientsWeek) {
  // The fifth event is patient 20's.
  const auto fifth = time({EventsSeen{5}});
  EXPECT_EQ(fifth.cut_months, 13);
  EXPECT_EQ(fifth.halt_months, 13);
  EXPECT_EQ(time({EventsSeen{11}}).cut_months, k_never_met);
  // Patients passed over do not count: the values are looked up by candidate.
  std::vector<int> every_fourth(10);
  for (std::size_t i = 0; i < 10; ++i) every_fourth[i] = static_cast<int>(4 * i + 3);
  auto few = view();
  few.patients = every_fourth;
  few.months = few.months.first(10);
  EXPECT_EQ(trigger_time({EventsSeen{5}}, few).cut_months, 2.5 + 3);
}

TEST_F(LookCalendar, DatesComeWhoeverIsThere) {
  EXPECT_EQ(time({CalendarDate{7.25}}).cut_months, 7.25);
  EXPECT_EQ(time({CalendarDate{7.25}}).halt_months, 7.25);
}

TEST_F(LookCalendar, NumbersBeyondThePlannedAreNeverMet) {
  EXPECT_EQ(time({OutcomesKnown{{41, false}}}).cut_months, k_never_met);
  EXPECT_EQ(time({PatientsEnrolled{{41, false}}}).cut_months, k_never_met);
  EXPECT_EQ(time({OutcomesKnown{{40, false}}}).cut_months, 23);
}

TEST_F(LookCalendar, FirstAndLastOfSeveral) {
  const LookTrigger outcomes{OutcomesKnown{{20, false}}}, enrolled{PatientsEnrolled{{30, false}}},
      date{CalendarDate{14}}, never{EventsSeen{11}};
  const auto first = time({FirstOf{{enrolled, outcomes, date, never}}});
  EXPECT_EQ(first.cut_months, 13);
  EXPECT_EQ(first.halt_months, 10);
  const auto last = time({LastOf{{outcomes, enrolled, date}}});
  EXPECT_EQ(last.cut_months, 15);
  EXPECT_EQ(last.halt_months, 15);
  // All are waited for, so recruitment cannot halt before the last patient that any of them needs.
  EXPECT_EQ(time({LastOf{{{OutcomesKnown{{28, false}}}, enrolled}}}).halt_months, 15);
  EXPECT_EQ(time({LastOf{{outcomes, never}}}).cut_months, k_never_met);
  EXPECT_EQ(time({FirstOf{{{LastOf{{outcomes, never}}}, date}}}).cut_months, 14);
}

}  // namespace
}  // namespace trialwright::trial
