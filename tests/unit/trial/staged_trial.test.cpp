#include "trial/staged_trial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/calendar.hpp"
#include "support/staged_plans.hpp"

namespace trialwright::trial {
namespace {

using design::LookPlan;
using design::LookTrigger;
using design::OutcomesKnown;
using design::Pause;
using design::StopReason;
using support::go_on;
using support::ScriptedDesign;
using support::staged_plan;

constexpr double k_twelve_weeks = 12 / base::k_weeks_per_month;
constexpr double k_cleaning = 4 / base::k_weeks_per_month;

LookPlan looks_at(std::vector<LookTrigger> interim, Pause pause = Pause::none) {
  return {std::move(interim), 4, pause, design::Overrun::not_analysed};
}

LookTrigger outcomes(int n) {
  return {OutcomesKnown{{static_cast<double>(n), false}}};
}

// Stops at the first look.
design::Decision stop(const design::LookData&, design::TrialState&) {
  return {StopReason::efficacy, "stop"};
}

struct Told {
  Workspace workspace;
  StagedOutcome outcome;
  std::vector<LookRecord> records;

  Told(const TrialPlan& plan, std::uint64_t trial) {
    workspace.prepare(plan);
    simulate_staged(plan, trial, workspace, outcome, &records);
  }
  const StagedWorkspace& staged() const { return workspace.staged; }
};

// The same patients in a fixed trial.
struct Fixed {
  std::shared_ptr<const TrialPlan> plan;
  Workspace workspace;

  Fixed(const std::string& sections, std::uint64_t trial) : plan(support::plan(sections)) {
    workspace.prepare(*plan);
    simulate_trial(*plan, trial, workspace);
  }
  double month(int patient) const {
    return workspace.cohort.randomised_months[static_cast<std::size_t>(patient)];
  }
  // Patients, from 0, randomised by a month.
  int n_by(double month) const {
    const auto& months = workspace.cohort.randomised_months;
    return static_cast<int>(std::count_if(months.begin(), months.begin() + plan->n_patients,
                                          [&](double one) { return one <= month; }));
  }
  analysis::TwoByTwo table(int first, int end) const {
    analysis::TwoByTwo table;
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(end); ++i) {
      const int value = workspace.values[0][i];
      if (value < 0) continue;
      const bool active = workspace.cohort.arm[i] == plan->analyses[0].arm_1;
      (active ? table.n_1 : table.n_0) += 1;
      (active ? table.responders_1 : table.responders_0) += value;
    }
    return table;
  }
};

void expect_same_end(const TrialPlan& plan, const Workspace& fixed, const Workspace& staged) {
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    EXPECT_EQ(fixed.outcome.analyses[i].table, staged.outcome.analyses[i].table);
    EXPECT_EQ(fixed.outcome.analyses[i].rejected, staged.outcome.analyses[i].rejected);
    EXPECT_EQ(fixed.outcome.analyses[i].estimate.lower, staged.outcome.analyses[i].estimate.lower);
  }
  for (std::size_t i = 0; i < fixed.outcome.counts.size(); ++i) {
    EXPECT_EQ(fixed.outcome.counts[i].events, staged.outcome.counts[i].events);
    EXPECT_EQ(fixed.outcome.counts[i].patients, staged.outcome.counts[i].patients);
  }
  EXPECT_EQ(fixed.outcome.n_screened, staged.outcome.n_screened);
  EXPECT_EQ(fixed.outcome.enrolment_months, staged.outcome.enrolment_months);
  EXPECT_EQ(fixed.outcome.duration_months, staged.outcome.duration_months);
}

TEST(StagedTrial, WithoutLooksOrWithLooksThatChangeNothingIsTheFixedTrial) {
  for (const char* randomisation :
       {"{method: random_allocation}", "{method: permuted_block}", "{method: simple}",
        "{method: permuted_block, strata: [severity, site]}",
        "{method: minimisation, strata: [severity]}"}) {
    const std::string text = support::sections(
        120, "{effect: 0.8}",
        std::string(", secondary: [easi75_superiority, ae_noninferiority], randomisation: ") +
            randomisation);
    const std::string library = "library/hcmsc_rescue.yaml";
    const auto fixed = support::plan(text, library);
    Workspace one;
    one.prepare(*fixed);
    for (const auto& looks : {LookPlan{}, looks_at({outcomes(40), outcomes(41), outcomes(90)})}) {
      const auto staged = staged_plan(text, looks, 120, go_on, library);
      for (std::uint64_t trial = 0; trial < 5; ++trial) {
        simulate_trial(*fixed, trial, one);
        const Told told(*staged, trial);
        expect_same_end(*fixed, one, told.workspace);
        EXPECT_EQ(told.outcome.decision_months, one.outcome.duration_months);
        EXPECT_EQ(told.outcome.n_enrolled, 120);
        EXPECT_EQ(told.outcome.n_analysed, 120);
        EXPECT_EQ(told.outcome.n_looks, looks.n_looks());
        EXPECT_EQ(told.outcome.stop, StopReason::completed);
      }
    }
  }
}

TEST(StagedTrial, ALookSeesWhatWasKnownAndThePipelineIsCounted) {
  const std::string text = support::sections(120);
  const auto plan = staged_plan(text, looks_at({outcomes(40)}), 120, stop);
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    const Fixed fixed(text, trial);
    const Told told(*plan, trial);
    const double cut = fixed.month(39) + k_twelve_weeks;
    EXPECT_DOUBLE_EQ(told.records[0].cut_months, cut);
    EXPECT_DOUBLE_EQ(told.records[0].decision_months, cut + k_cleaning);
    EXPECT_EQ(told.outcome.n_known, 40);
    EXPECT_EQ(told.outcome.n_analysed, 40);
    EXPECT_EQ(told.outcome.n_enrolled, fixed.n_by(cut + k_cleaning));
    EXPECT_GT(told.outcome.n_enrolled, 40);
    EXPECT_EQ(told.records[0].tables[0], fixed.table(0, 40));
    EXPECT_EQ(told.workspace.outcome.analyses[0].table, fixed.table(0, 40));
    EXPECT_EQ(told.outcome.stop, StopReason::efficacy);
    EXPECT_DOUBLE_EQ(told.outcome.decision_months, cut + k_cleaning);
    EXPECT_EQ(told.staged().patients.size(), static_cast<std::size_t>(told.outcome.n_enrolled));
    EXPECT_EQ(std::count(told.staged().known_at.begin(), told.staged().known_at.end(), 0), 40);
    EXPECT_DOUBLE_EQ(told.workspace.outcome.enrolment_months, fixed.month(told.outcome.n_enrolled - 1));
  }
}

TEST(StagedTrial, OverrunIsAnalysedWhereTheDesignSaysSo) {
  const std::string text = support::sections(120);
  auto looks = looks_at({outcomes(40)});
  looks.overrun = design::Overrun::analysed;
  const Fixed fixed(text, 3);
  const Told told(*staged_plan(text, looks, 120, stop), 3);
  EXPECT_EQ(told.records[0].tables[0], fixed.table(0, 40));
  EXPECT_EQ(told.outcome.n_known, 40);
  EXPECT_GT(told.outcome.n_enrolled, 40);
  EXPECT_EQ(told.outcome.n_analysed, told.outcome.n_enrolled);
  EXPECT_EQ(told.workspace.outcome.analyses[0].table, fixed.table(0, told.outcome.n_enrolled));
}

TEST(StagedTrial, PausesMoveThePatientsToCome) {
  const std::string text = support::sections(120);
  for (const auto pause : {Pause::none, Pause::at_cut, Pause::when_enrolled}) {
    const auto going = staged_plan(text, looks_at({outcomes(40)}, pause), 120, go_on);
    const auto stopping = staged_plan(text, looks_at({outcomes(40)}, pause), 120, stop);
    for (std::uint64_t trial = 0; trial < 10; ++trial) {
      const Fixed fixed(text, trial);
      const double cut = fixed.month(39) + k_twelve_weeks, decision = cut + k_cleaning;
      const double halt = pause == Pause::none     ? decision
                          : pause == Pause::at_cut ? cut
                                                   : fixed.month(39);
      const int n_enrolled = fixed.n_by(halt);
      EXPECT_EQ(Told(*stopping, trial).outcome.n_enrolled, n_enrolled);
      const Told told(*going, trial);
      EXPECT_EQ(told.records[0].n_enrolled, n_enrolled);
      EXPECT_DOUBLE_EQ(told.records[0].cut_months, cut);
      const bool is_full = n_enrolled == 120;
      for (int i = 0; i < 120; ++i)
        EXPECT_NEAR(told.staged().months[static_cast<std::size_t>(i)],
                    fixed.month(i) + (i < n_enrolled || is_full ? 0 : decision - halt), 1e-9);
      // Who they are, and what becomes of them, does not change.
      EXPECT_EQ(told.workspace.outcome.analyses[0].table, fixed.table(0, 120));
    }
  }
}

// Response that drifts goes by the dates after the pause: twenty years on everybody responds.
TEST(StagedTrial, PausesLetResponseDrift) {
  const std::string text =
      "measures: {easi: {calendar_drift: {log_odds_per_year: 1.5}}}\n" + support::sections(120);
  auto looks = looks_at({outcomes(40)}, Pause::when_enrolled);
  looks.cleaning_weeks = 1040;
  const auto plan = staged_plan(text, looks, 120, go_on);
  for (std::uint64_t trial = 0; trial < 10; ++trial) {
    const Told told(*plan, trial);
    const auto &interim = told.records[0].tables[0], &all = told.records[1].tables[0];
    EXPECT_LT(interim.responders_0, interim.n_0);
    EXPECT_EQ(all.responders_0 - interim.responders_0, all.n_0 - interim.n_0);
    EXPECT_EQ(all.responders_1 - interim.responders_1, all.n_1 - interim.n_1);
  }
}

TEST(StagedTrial, AFullTrialThatIsEnlargedGoesOnFromTheDecision) {
  const auto enlarge = [](const design::LookData& data, design::TrialState& state) -> design::Decision {
    if (data.i_look == 0) state.n_planned = 120;
    return {StopReason::none, "enlarge"};
  };
  const std::string text = support::sections(120);
  for (const char* method : {"random_allocation", "permuted_block"}) {
    const std::string randomisation = std::string(", randomisation: {method: ") + method + "}";
    const auto of = [&](int n) { return support::sections(n, "{effect: 1}", randomisation); };
    // All 80 are known at the look: they are also all randomised.
    const auto plan = staged_plan(of(120), looks_at({outcomes(80)}), 80, enlarge);
    for (std::uint64_t trial = 0; trial < 10; ++trial) {
      const Fixed small(of(80), trial), large(of(120), trial);
      const Told told(*plan, trial);
      const double decision = large.month(79) + k_twelve_weeks + k_cleaning;
      EXPECT_EQ(told.records[0].n_enrolled, 80);
      EXPECT_EQ(told.records[0].tables[0], small.table(0, 80));
      EXPECT_EQ(told.outcome.n_enrolled, 120);
      for (int i = 80; i < 120; ++i)
        EXPECT_NEAR(told.staged().months[static_cast<std::size_t>(i)],
                    decision + large.month(i) - large.month(79), 1e-9);
      // The first list holds the ratio, and so does the second.
      const auto& table = told.workspace.outcome.analyses[0].table;
      EXPECT_EQ(table.n_1, 60);
      EXPECT_EQ(table.n_0, 60);
      for (int i = 0; i < 80; ++i)
        EXPECT_EQ(told.workspace.cohort.arm[static_cast<std::size_t>(i)],
                  small.workspace.cohort.arm[static_cast<std::size_t>(i)]);
    }
  }
}

TEST(StagedTrial, ASizeBelowThoseEnrolledEndsRecruitment) {
  const auto shrink = [](const design::LookData& data, design::TrialState& state) -> design::Decision {
    if (data.i_look == 0) state.n_planned = 10;
    return {};
  };
  const std::string text = support::sections(120);
  const Fixed fixed(text, 1);
  const Told told(*staged_plan(text, looks_at({outcomes(40)}), 120, shrink), 1);
  EXPECT_EQ(told.outcome.n_enrolled, fixed.n_by(fixed.month(39) + k_twelve_weeks + k_cleaning));
  EXPECT_EQ(told.outcome.n_analysed, told.outcome.n_enrolled);
  EXPECT_EQ(told.workspace.outcome.analyses[0].table, fixed.table(0, told.outcome.n_enrolled));
}

TEST(StagedTrial, PatientsToComeAreAllocatedAmongTheArmsThatStay) {
  const auto drop = [](const design::LookData& data, design::TrialState& state) -> design::Decision {
    if (data.i_look == 0) state.arms = 0b01;  // the control alone
    return {};
  };
  const std::string text = support::sections(120);
  for (const auto stages : {design::StageBy::outcome, design::StageBy::randomisation}) {
    design::LookData last;
    std::vector<analysis::TwoByTwo> tables;
    const auto plan = staged_plan(
        text, looks_at({outcomes(40)}), 120,
        [&](const design::LookData& data, design::TrialState& state) {
          tables.assign(data.stages.begin(), data.stages.end());
          return drop(data, state);
        },
        "library/hcmsc.yaml", stages);
    ASSERT_EQ(plan->arms[0], plan->control_arm);
    const Fixed fixed(text, 2);
    const Told told(*plan, 2);
    const int n_enrolled = told.records[0].n_enrolled;
    ASSERT_LT(n_enrolled, 120);
    for (int i = 0; i < 120; ++i) {
      const int arm = told.workspace.cohort.arm[static_cast<std::size_t>(i)];
      EXPECT_EQ(arm, i < n_enrolled ? fixed.workspace.cohort.arm[static_cast<std::size_t>(i)]
                                    : plan->control_arm);
    }
    // The pipeline counts where it belongs.
    const int end = stages == design::StageBy::outcome ? 40 : n_enrolled;
    EXPECT_EQ(tables[0], fixed.table(0, end));
    EXPECT_EQ(tables[1].n_1, fixed.table(end, n_enrolled).n_1);
    EXPECT_EQ(tables[1].n_0, fixed.table(end, n_enrolled).n_0 + 120 - n_enrolled);
    EXPECT_EQ(told.outcome.arms, 0b01u);
  }
}

TEST(StagedTrial, CandidatesOutsideThePopulationThatStaysArePassedOver) {
  const auto restrict_to_1 = [](const design::LookData& data,
                                design::TrialState& state) -> design::Decision {
    if (data.i_look == 0) state.population = 1;
    return {};
  };
  auto plan = std::const_pointer_cast<TrialPlan>(
      staged_plan(support::sections(300), looks_at({outcomes(40)}), 120, restrict_to_1));
  constexpr int k_severity = 0;
  ASSERT_EQ(plan->model->factors()[k_severity].name, "severity");
  plan->analyses[0].subgroup = design::Subgroup{k_severity, 1};
  plan->needs.factors.assign(plan->model->factors().size(), true);
  const Fixed fixed(support::sections(300), 5);
  const Told told(*plan, 5);
  EXPECT_EQ(told.outcome.n_enrolled, 120);
  EXPECT_EQ(told.outcome.population, 1);
  const auto& patients = told.staged().patients;
  const auto& level = told.workspace.cohort.strata[k_severity];
  const int n_enrolled = told.records[0].n_enrolled;
  int candidate = n_enrolled, in_1 = 0;
  for (int place = 0; place < 120; ++place) {
    if (place >= n_enrolled) {
      while (level[static_cast<std::size_t>(candidate)] != 1) ++candidate;
    }
    const int expected = place < n_enrolled ? place : candidate++;
    EXPECT_EQ(patients[static_cast<std::size_t>(place)], expected);
    EXPECT_EQ(told.staged().months[static_cast<std::size_t>(place)], fixed.month(expected));
    in_1 += level[static_cast<std::size_t>(expected)] == 1 ? 1 : 0;
  }
  EXPECT_GT(candidate, 120);
  EXPECT_GT(told.workspace.outcome.n_screened, candidate);
  // The hypothesis is of the subgroup's patients, also those of before.
  const auto& table = told.workspace.outcome.analyses[0].table;
  EXPECT_EQ(table.n_1 + table.n_0, in_1);
  // A new list: those who came after the look are in equal arms.
  int active = 0;
  for (int place = n_enrolled; place < 120; ++place)
    active += told.workspace.cohort
                          .arm[static_cast<std::size_t>(patients[static_cast<std::size_t>(place)])] ==
                      plan->analyses[0].arm_1
                  ? 1
                  : 0;
  EXPECT_LE(std::abs(2 * active - (120 - n_enrolled)), 1);
}

TEST(StagedTrial, IsAFunctionOfPlanAndTrialAlone) {
  const auto enlarge = [](const design::LookData& data, design::TrialState& state) -> design::Decision {
    const auto& table = data.stage(0, 0).front();
    if (data.i_look == 0) state.n_planned = 80 + table.responders_1;
    if (data.i_look == 1 && table.responders_0 % 2 == 0) return {StopReason::futility, "stop"};
    return {};
  };
  const auto plan = staged_plan(support::sections(120), looks_at({outcomes(30), outcomes(60)}), 80,
                                enlarge, "library/hcmsc_rescue.yaml");
  Workspace forth, back;
  forth.prepare(*plan);
  back.prepare(*plan);
  StagedOutcome one, other;
  std::vector<StagedOutcome> firsts;
  std::vector<analysis::TwoByTwo> tables;
  for (std::uint64_t trial = 0; trial < 30; ++trial) {
    simulate_staged(*plan, trial, forth, one, nullptr);
    firsts.push_back(one);
    tables.push_back(forth.outcome.analyses[0].table);
  }
  for (std::uint64_t trial = 30; trial-- > 0;) {
    std::vector<LookRecord> records;
    simulate_staged(*plan, trial, every_need(*plan->model), back, other, &records);
    EXPECT_EQ(other.n_enrolled, firsts[trial].n_enrolled);
    EXPECT_EQ(other.n_analysed, firsts[trial].n_analysed);
    EXPECT_EQ(other.stop, firsts[trial].stop);
    EXPECT_EQ(other.decision_months, firsts[trial].decision_months);
    EXPECT_EQ(back.outcome.analyses[0].table, tables[trial]);
    EXPECT_EQ(records.size(), static_cast<std::size_t>(other.n_looks));
  }
}

TEST(StagedTrial, ALookThatNeverComesLeavesTheLastAnalysis) {
  const std::string text = support::sections(120);
  for (const LookTrigger& never :
       {LookTrigger{design::EventsSeen{121}}, LookTrigger{design::CalendarDate{500}}, outcomes(121)}) {
    const Told told(*staged_plan(text, looks_at({never, outcomes(60)}), 120, stop), 0);
    ASSERT_EQ(told.records.size(), 1u);
    EXPECT_EQ(told.outcome.n_looks, 1);
    EXPECT_EQ(told.outcome.n_enrolled, 120);
    EXPECT_EQ(told.records[0].tables[0], Fixed(text, 0).table(0, 120));
  }
}

TEST(StagedTrial, LooksAreTakenInOrder) {
  // The date has passed when the outcomes are there: nothing more is known at the second look.
  const std::string text = support::sections(120);
  const auto plan =
      staged_plan(text, looks_at({outcomes(40), {design::CalendarDate{5}}, outcomes(40)}), 120, go_on);
  const Told told(*plan, 0);
  ASSERT_EQ(told.records.size(), 4u);
  for (std::size_t i : {1u, 2u}) {
    EXPECT_EQ(told.records[i].cut_months, told.records[0].cut_months);
    EXPECT_EQ(told.records[i].decision_months, told.records[0].decision_months);
    EXPECT_EQ(told.records[i].n_known, 40);
    EXPECT_EQ(told.records[i].tables[0], told.records[0].tables[0]);
  }
  EXPECT_EQ(told.records[3].n_known, 120);
}

TEST(StagedTrial, RecruitmentThatEndsBeforeTheFirstLookLeavesTheLook) {
  const std::string text = support::sections(20);
  const Told told(*staged_plan(text, looks_at({outcomes(19)}), 20, stop), 0);
  EXPECT_EQ(told.outcome.n_enrolled, 20);
  EXPECT_EQ(told.outcome.n_analysed, 19);
  EXPECT_EQ(told.outcome.n_looks, 1);
  EXPECT_EQ(told.outcome.stop, StopReason::efficacy);
}

TEST(StagedTrial, ALookBeforeTheFirstPatientHasEmptyTables) {
  const Told told(
      *staged_plan(support::sections(60), looks_at({{design::CalendarDate{0.01}}}), 60, stop), 0);
  EXPECT_EQ(told.outcome.n_enrolled, 0);
  EXPECT_TRUE(told.staged().patients.empty());
  EXPECT_EQ(told.outcome.n_analysed, 0);
  EXPECT_EQ(told.workspace.outcome.analyses[0].table, (analysis::TwoByTwo{0, 0, 0, 0}));
  EXPECT_TRUE(told.workspace.outcome.analyses[0].failed);
}

TEST(StagedTrial, WithoutRecruitmentOutcomesAreKnownInOrderAtOnce) {
  const std::string text =
      "arms: {placebo: {control: true}, hcmsc: {dose_cells_per_kg: 500000}}\n"
      "measures: {easi: {course: {tau_weeks: {placebo: 2.5, hcmsc: 4}, kumaraswamy: {arms: {placebo: "
      "{a: 1.06, b: 1.05}, hcmsc: {a: 0.55, b: 1.08}}}}}}\n"
      "safety: {follow_up_weeks: 24, any_event: {placebo: 0.2, hcmsc: 0.2}, categories: {other: {share: "
      "1}}, grades: [0.6, 0.35, 0.045, 0.005], serious_given_grade_3: 0.5, recovery_weeks: 2.5}\n" +
      support::sections(120);
  const auto plan = staged_plan(text, looks_at({outcomes(40), outcomes(80)}, Pause::at_cut), 120, go_on,
                                "library/atopic_dermatitis.yaml");
  const Told told(*plan, 0);
  ASSERT_EQ(told.records.size(), 3u);
  EXPECT_FALSE(told.outcome.has_calendar);
  EXPECT_TRUE(std::isnan(told.records[0].cut_months));
  EXPECT_EQ(told.records[0].n_known, 40);
  EXPECT_EQ(told.records[0].n_enrolled, 40);
  EXPECT_EQ(told.records[1].n_known, 80);
  EXPECT_EQ(told.records[2].n_enrolled, 120);
  EXPECT_EQ(told.outcome.decision_months, 0);
}

}  // namespace
}  // namespace trialwright::trial
