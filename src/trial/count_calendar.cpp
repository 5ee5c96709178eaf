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
  const auto i_primary = static_cast<std::size_t>(plan.analyses.front().i_estimand);
  const double outcome_months = in_months(plan.estimands[i_primary].endpoint().week());
  double cut = 0, decision = 0;
  int n_enrolled = 0;
  for (int look = 0; look < looks.n_looks; ++look) {
    const auto i = static_cast<std::size_t>(look);
    if (look + 1 == looks.n_looks && looks.is_final) {
      cut = std::max(patients.last() + in_months(plan.model->follow_up_weeks()), cut);
      decision = std::max(cut, decision);
      n_enrolled = patients.n();
      break;
    }
    const double last_decision = decision, last_awaited = patients.of(looks.n_known[i] - 1);
    cut = std::max(last_awaited + outcome_months, cut);
    decision = std::max(cut + in_months(plan.looks.cleaning_weeks), last_decision);
    double halt = decision;
    if (plan.looks.pause == design::Pause::at_cut) halt = std::max(cut, last_decision);
    if (plan.looks.pause == design::Pause::when_enrolled) halt = std::max(last_awaited, last_decision);
    n_enrolled = std::max(n_enrolled, patients.n_by(halt));
    if (n_enrolled == patients.n()) halt = std::min(halt, patients.last());
    if (look + 1 < looks.n_looks)
      patients.go_on(n_enrolled, std::max(looks.n_planned[i], n_enrolled),
                     std::max(decision - halt, 0.0));
  }
  patients.keep(n_enrolled);
  outcome.n_enrolled = n_enrolled;
  outcome.decision_months = decision;
  cohort.n_patients = n_enrolled;
  plan.model->enrol_sites(plan.key, i_trial, cohort);
  trial.n_screened = cohort.n_screened;
  trial.enrolment_months = patients.last();
  trial.duration_months = trial.enrolment_months + in_months(plan.model->follow_up_weeks());
}

}  // namespace trialwright::trial
