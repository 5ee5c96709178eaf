#include "trial/count_calendar.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "base/calendar.hpp"

namespace trialwright::trial {
namespace {

constexpr double in_months(double weeks) {
  return weeks / base::k_weeks_per_month;
}

// The months of randomisation of a trial on its way, in the order of recruitment.
class Recruitment {
 public:
  Recruitment(std::span<const double> arrivals, std::vector<double>& months, int n_planned)
      : arrivals_(arrivals), months_(months) {
    months_.clear();
    fill_up(n_planned);
  }

  int n() const { return static_cast<int>(months_.size()); }
  double last() const { return months_.back(); }
  double of(int i_patient) const { return months_[static_cast<std::size_t>(i_patient)]; }
  int n_by(double month) const {
    return static_cast<int>(std::upper_bound(months_.begin(), months_.end(), month) - months_.begin());
  }
  // Patients from `n_enrolled` on come so much later, and recruitment goes on to n_planned.
  void go_on(int n_enrolled, int n_planned, double pause_months) {
    shift_months_ += pause_months;
    for (auto i = static_cast<std::size_t>(n_enrolled); i < months_.size(); ++i)
      months_[i] += pause_months;
    if (n() > n_planned) keep(n_planned);
    fill_up(n_planned);
  }
  void keep(int n_patients) { months_.resize(static_cast<std::size_t>(n_patients)); }

 private:
  void fill_up(int n_planned) {
    while (n() < n_planned && months_.size() < arrivals_.size())
      months_.push_back(arrivals_[months_.size()] + shift_months_);
  }

  std::span<const double> arrivals_;
  std::vector<double>& months_;
  double shift_months_ = 0;
};

// Where a trial stands in time, from look to look.
class Clock {
 public:
  Clock(const TrialPlan& plan, const CountedLooks& looks, Recruitment& patients)
      : plan_(plan), looks_(looks), patients_(patients) {
    const auto i_primary = static_cast<std::size_t>(plan.analyses.front().i_estimand);
    outcome_months_ = in_months(plan.estimands[i_primary].endpoint().week());
  }

  // To the decision of an interim look, and past it where recruitment goes on.
  void pass(int i_look) {
    const auto i = static_cast<std::size_t>(i_look);
    const double last_decision = decision_, last_awaited = patients_.of(looks_.n_known[i] - 1);
    cut_ = std::max(last_awaited + outcome_months_, cut_);
    decision_ = std::max(cut_ + in_months(plan_.looks.cleaning_weeks), last_decision);
    double halt = std::max(halt_months(last_awaited), last_decision);
    n_enrolled_ = std::max(n_enrolled_, patients_.n_by(halt));
    if (n_enrolled_ == patients_.n()) halt = std::min(halt, patients_.last());
    if (i_look + 1 < looks_.n_looks)
      patients_.go_on(n_enrolled_, std::max(looks_.n_planned[i], n_enrolled_),
                      std::max(decision_ - halt, 0.0));
  }
  void pass_end() {
    cut_ = std::max(patients_.last() + in_months(plan_.model->follow_up_weeks()), cut_);
    decision_ = std::max(cut_, decision_);
    n_enrolled_ = patients_.n();
  }

  int n_enrolled() const { return n_enrolled_; }
  double decision() const { return decision_; }

 private:
  // Since when recruitment waits for the decision.
  double halt_months(double last_awaited) const {
    switch (plan_.looks.pause) {
      case design::Pause::none:
        break;
      case design::Pause::at_cut:
        return cut_;
      case design::Pause::when_enrolled:
        return last_awaited;
    }
    return decision_;
  }

  const TrialPlan& plan_;
  const CountedLooks& looks_;
  Recruitment& patients_;
  double outcome_months_ = 0;
  double cut_ = 0;
  double decision_ = 0;
  int n_enrolled_ = 0;
};

}  // namespace

void add_calendar(const TrialPlan& plan, std::uint64_t i_trial, const CountedLooks& looks,
                  Workspace& workspace, StagedOutcome& outcome) {
  auto& cohort = workspace.cohort;
  cohort.n_patients = plan.n_patients;
  plan.model->enrol_sites(plan.key, i_trial, cohort);
  const auto n = static_cast<std::size_t>(plan.n_patients);
  auto& trial = workspace.outcome;
  trial.has_calendar = outcome.has_calendar = cohort.randomised_months[n - 1] > 0;
  if (!outcome.has_calendar) return;
  std::copy_n(cohort.randomised_months.begin(), n, workspace.staged.arrivals.begin());
  Recruitment patients(std::span(workspace.staged.arrivals).first(n), workspace.staged.months,
                       looks.n_planned_at_start);
  Clock clock(plan, looks, patients);
  for (int look = 0; look + 1 < looks.n_looks; ++look) clock.pass(look);
  if (looks.is_final)
    clock.pass_end();
  else
    clock.pass(looks.n_looks - 1);
  patients.keep(clock.n_enrolled());
  outcome.n_enrolled = clock.n_enrolled();
  outcome.decision_months = clock.decision();
  cohort.n_patients = clock.n_enrolled();
  plan.model->enrol_sites(plan.key, i_trial, cohort);
  trial.n_screened = cohort.n_screened;
  trial.enrolment_months = patients.last();
  trial.duration_months = trial.enrolment_months + in_months(plan.model->follow_up_weeks());
}

}  // namespace trialwright::trial
