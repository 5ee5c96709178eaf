#include "trial/look_calendar.hpp"

#include <algorithm>

namespace trialwright::trial {
namespace {

struct TimeOf {
  const RecruitmentView& view;

  // Of the n-th patient, from 1.
  double randomised(int n) const {
    return n <= static_cast<int>(view.months.size()) ? view.months[static_cast<std::size_t>(n - 1)]
                                                     : k_never_met;
  }

  TriggerTime operator()(const design::OutcomesKnown& rule) const {
    const double halt = randomised(view.outcomes_at_next_look > 0 ? view.outcomes_at_next_look
                                                                  : rule.patients.of(view.n_planned));
    return {halt + view.outcome_months, halt};
  }

  TriggerTime operator()(const design::PatientsEnrolled& rule) const {
    const double halt = randomised(rule.patients.of(view.n_planned));
    return {halt, halt};
  }

  TriggerTime operator()(const design::EventsSeen& rule) const {
    int n_events = 0;
    for (std::size_t i = 0; i < view.months.size(); ++i) {
      n_events += view.values[static_cast<std::size_t>(view.patients[i])] > 0 ? 1 : 0;
      if (n_events < rule.events) continue;
      const double cut = view.months[i] + view.outcome_months;
      return {cut, cut};
    }
    return {};
  }

  TriggerTime operator()(const design::CalendarDate& rule) const { return {rule.months, rule.months}; }

  TriggerTime operator()(const design::FirstOf& rule) const {
    TriggerTime first;
    for (const auto& trigger : rule.triggers)
      if (const auto time = trigger_time(trigger, view); time.cut_months < first.cut_months)
        first = time;
    return first;
  }

  TriggerTime operator()(const design::LastOf& rule) const {
    TriggerTime last{-k_never_met, -k_never_met};
    for (const auto& trigger : rule.triggers) {
      const auto time = trigger_time(trigger, view);
      last.cut_months = std::max(last.cut_months, time.cut_months);
      last.halt_months = std::max(last.halt_months, time.halt_months);
    }
    return last;
  }
};

}  // namespace

int RecruitmentView::n_due(double months_after, double cut_months) const {
  const auto end = std::partition_point(
      months.begin(), months.end(), [&](double month) { return month + months_after <= cut_months; });
  return static_cast<int>(end - months.begin());
}

TriggerTime trigger_time(const design::LookTrigger& trigger, const RecruitmentView& view) {
  return std::visit(TimeOf{view}, trigger.rule);
}

}  // namespace trialwright::trial
