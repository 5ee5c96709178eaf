#include "trial/staged_trial.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/calendar.hpp"
#include "base/contract.hpp"
#include "trial/look_calendar.hpp"
#include "trial/staged_tables.hpp"

namespace trialwright::trial {
namespace {

constexpr double in_months(double weeks) {
  return weeks / base::k_weeks_per_month;
}

// The factor that a look may restrict recruitment to a level of.
int population_factor(const TrialPlan& plan) {
  for (int h = 0; h < plan.n_hypotheses; ++h)
    if (const auto& group = plan.analyses[static_cast<std::size_t>(h)].subgroup) return group->factor;
  return -1;
}

// One trial on its way.
class Run {
 public:
  Run(const TrialPlan& plan, std::uint64_t trial, const patient::Needs& needs, Workspace& workspace,
      StagedOutcome& outcome)
      : plan_(plan),
        trial_(trial),
        needs_(needs),
        workspace_(workspace),
        staged_(workspace.staged),
        cohort_(workspace.cohort),
        outcome_(outcome),
        state_(outcome.state) {}

  void start();
  // Goes on to the next look; false where the patients planned never bring it about.
  bool reach(const design::LookTrigger& trigger);
  void reach_end();
  design::StopReason decide(std::vector<LookRecord>* records);
  // Makes what the decision changed hold for the patients to come.
  void change();
  void finish();

 private:
  int n_randomised() const { return static_cast<int>(staged_.patients.size()); }
  // Of the last patient planned; where there is none, now.
  double last_month() const { return staged_.months.empty() ? cut_months_ : staged_.months.back(); }
  double week_of(int i_estimand) const {
    return plan_.estimands[static_cast<std::size_t>(i_estimand)].endpoint().week();
  }
  double due_months(double weeks) const { return has_calendar_ ? in_months(weeks) : 0; }
  // Do the analyses at the end hold all who were randomised?
  bool is_whole() const { return is_final_ || plan_.looks.overrun == design::Overrun::analysed; }
  RecruitmentView view() const;
  int n_due(int i_estimand) const { return n_due_by(week_of(i_estimand)); }
  int n_due_by(double week) const;
  void recruit(int n_planned);
  void allocate();
  void keep(int n_patients);
  void set_dates();
  void follow();
  // The tables of so many stages, of the patients at the places below n_known.
  void fill_stages(int n_stages, int n_known);
  void fill_merits();
  void fill_mean_merits();
  void fill_safety();
  void note_known(int n_known);
  void record(const design::Decision& decision, const design::Statistics& told,
              std::vector<LookRecord>& records) const;
  void analyse();
  void note_calendar();

  const TrialPlan& plan_;
  std::uint64_t trial_;
  const patient::Needs& needs_;
  Workspace& workspace_;
  StagedWorkspace& staged_;
  patient::Cohort& cohort_;
  StagedOutcome& outcome_;
  design::TrialState& state_;
  design::LookData data_;  // what the last look saw
  bool has_calendar_ = false;
  bool is_final_ = false;
  double shift_months_ = 0;  // by which patients to come are later than they arrived
  double cut_months_ = 0;    // of the look at hand, or the last one
  double halt_months_ = 0;   // since when recruitment waited for its decision
  double decision_months_ = 0;
  int list_begins_ = 0;     // place of the first patient of the list in use
  int n_enrolled_ = 0;      // by the decision
  int n_known_ = 0;         // at the cut
  int n_known_before_ = 0;  // at the look before
  design::Bits arms_ = 0;   // that patients to come are randomised to
  int population_ = -1;
};

void Run::start() {
  plan_.staged->start(state_);
  outcome_.n_looks = 0;
  outcome_.inference.clear();
  outcome_.first_means.clear();
  arms_ = state_.arms;
  population_ = state_.population;
  cohort_.n_patients = plan_.n_patients;
  plan_.model->enrol(plan_.key, trial_, needs_, cohort_);
  const auto n = static_cast<std::size_t>(plan_.n_patients);
  // A study without a calendar randomises everybody in month 0.
  has_calendar_ = cohort_.randomised_months[n - 1] > 0;
  if (has_calendar_)
    std::copy_n(cohort_.randomised_months.begin(), n, staged_.arrivals.begin());
  else
    std::iota(staged_.arrivals.begin(), staged_.arrivals.end(), 1.0);
  staged_.patients.clear();
  staged_.months.clear();
  staged_.known_at.clear();
  staged_.enrolled_by.clear();
  recruit(state_.n_planned);
  allocate();
  follow();
}

// Fills up from the candidates that have not been looked at, to n_planned patients or the last
// candidate.
void Run::recruit(int n_planned) {
  const int factor = population_ >= 0 ? population_factor(plan_) : -1;
  int candidate = staged_.patients.empty() ? 0 : staged_.patients.back() + 1;
  for (; candidate < plan_.n_patients && n_randomised() < n_planned; ++candidate) {
    const auto i = static_cast<std::size_t>(candidate);
    cohort_.arm[i] = plan_.control_arm;  // of who is passed over, so that all can be followed
    if (factor >= 0 && cohort_.strata[static_cast<std::size_t>(factor)][i] != population_) continue;
    staged_.patients.push_back(candidate);
    staged_.months.push_back(staged_.arrivals[i] + shift_months_);
    staged_.known_at.push_back(k_never_known);
  }
}

void Run::allocate() {
  const std::span<const int> patients(staged_.patients);
  plan_.allocation->allocate_among(plan_.key, trial_, cohort_.strata, arms_,
                                   patients.subspan(static_cast<std::size_t>(list_begins_)),
                                   cohort_.arm, workspace_.allocation);
}

// The dates of those who are randomised, pauses included, into the cohort.
void Run::set_dates() {
  for (std::size_t place = 0; place < staged_.patients.size(); ++place)
    cohort_.randomised_months[static_cast<std::size_t>(staged_.patients[place])] =
        staged_.months[place];
}

void Run::follow() {
  if (staged_.patients.empty()) return;
  cohort_.n_patients = staged_.patients.back() + 1;
  if (has_calendar_) set_dates();
  plan_.model->follow(plan_.key, trial_, needs_, cohort_);
  for (std::size_t i = 0; i < plan_.estimands.size(); ++i)
    plan_.estimands[i].observe(
        cohort_, std::span(workspace_.values[i]).first(static_cast<std::size_t>(cohort_.n_patients)));
  if (plan_.merit_mean)
    plan_.merit_mean->observe(
        cohort_, std::span(staged_.merit_values).first(static_cast<std::size_t>(cohort_.n_patients)));
}

RecruitmentView Run::view() const {
  const auto& primary = plan_.analyses.front();
  return {.months = staged_.months,
          .outcome_months = due_months(week_of(primary.i_estimand)),
          .n_planned = state_.n_planned,
          .outcomes_at_next_look = state_.outcomes_at_next_look,
          .patients = staged_.patients,
          .values = workspace_.values[static_cast<std::size_t>(primary.i_estimand)]};
}

int Run::n_due_by(double week) const {
  return is_final_ ? n_randomised() : view().n_due(due_months(week), cut_months_);
}

bool Run::reach(const design::LookTrigger& trigger) {
  const auto all = view();
  const auto time = trigger_time(trigger, all);
  const double cut = std::max(time.cut_months, cut_months_);
  if (cut > last_month() + all.outcome_months) return false;
  const double last_decision = decision_months_;
  cut_months_ = cut;
  decision_months_ =
      std::max(cut + (has_calendar_ ? in_months(plan_.looks.cleaning_weeks) : 0), last_decision);
  switch (plan_.looks.pause) {
    case design::Pause::none:
      halt_months_ = decision_months_;
      break;
    case design::Pause::at_cut:
      halt_months_ = std::max(cut, last_decision);
      break;
    case design::Pause::when_enrolled:
      halt_months_ = std::max(time.halt_months, last_decision);
      break;
  }
  n_enrolled_ = std::max(n_enrolled_, all.n_due(0, halt_months_));
  // Nobody comes while a trial that is full waits.
  if (n_enrolled_ == n_randomised()) halt_months_ = std::min(halt_months_, last_month());
  return true;
}

void Run::reach_end() {
  is_final_ = true;
  cut_months_ = std::max(last_month() + due_months(plan_.model->follow_up_weeks()), cut_months_);
  decision_months_ = std::max(cut_months_, decision_months_);
  n_enrolled_ = n_randomised();
}

void Run::note_known(int n_known) {
  n_known_before_ = n_known_;
  n_known_ = std::max(n_known, n_known_before_);
  for (int place = n_known_before_; place < n_known_; ++place)
    staged_.known_at[static_cast<std::size_t>(place)] = state_.n_looks;
  staged_.enrolled_by.push_back(n_enrolled_);
}

void Run::fill_stages(int n_stages, int n_known) {
  const auto strata = static_cast<std::size_t>(n_strata(plan_.analyses.front(), workspace_));
  const auto n_hypotheses = static_cast<std::size_t>(plan_.n_hypotheses);
  const auto n = static_cast<std::size_t>(n_stages);
  staged_.stages.resize(n * n_hypotheses * strata);
  const auto fill = [&](std::size_t stage, Places places) {
    for (std::size_t h = 0; h < n_hypotheses; ++h)
      tabulate(plan_.analyses[h], workspace_, places,
               std::span(staged_.stages).subspan((stage * n_hypotheses + h) * strata, strata));
  };
  switch (plan_.staged->stages_by()) {
    case design::StageBy::outcome:
      fill(n - 1, {n_known_before_, n_known});
      break;
    case design::StageBy::randomisation:
      for (std::size_t stage = 0; stage < n; ++stage)
        fill(stage, {stage == 0 ? 0 : std::min(staged_.enrolled_by[stage - 1], n_known),
                     std::min(staged_.enrolled_by[stage], n_known)});
      break;
  }
}

void Run::fill_merits() {
  staged_.merits.clear();
  if (plan_.merit_mean) return fill_mean_merits();
  if (plan_.merit_estimand < 0) return;
  const Places known{0, n_due(plan_.merit_estimand)};
  const bool higher =
      plan_.estimands[static_cast<std::size_t>(plan_.merit_estimand)].higher_is_better();
  for (int h = 0; h < plan_.n_hypotheses; ++h) {
    const auto& hypothesis = plan_.analyses[static_cast<std::size_t>(h)];
    const auto active = rate(workspace_, plan_.merit_estimand, hypothesis.arm_1, known);
    const auto control = rate(workspace_, plan_.merit_estimand, hypothesis.arm_0, known);
    const auto share = [](const design::Rate& of) {
      return of.patients > 0 ? static_cast<double>(of.events) / of.patients : 0.0;
    };
    const double difference = share(active) - share(control);
    staged_.merits.push_back(active.patients == 0 ? -k_never_met : higher ? difference : -difference);
  }
}

void Run::fill_mean_merits() {
  const Places known{0, n_due_by(plan_.merit_mean->week())};
  staged_.merit_means.clear();
  for (const int arm : plan_.arms) staged_.merit_means.push_back(merit_mean(workspace_, arm, known));
  if (state_.n_looks == 0 && !is_final_) outcome_.first_means = staged_.merit_means;
  const auto mean_of = [&](int arm) {
    const auto place = std::find(plan_.arms.begin(), plan_.arms.end(), arm) - plan_.arms.begin();
    return staged_.merit_means[static_cast<std::size_t>(place)];
  };
  for (int h = 0; h < plan_.n_hypotheses; ++h) {
    const auto& hypothesis = plan_.analyses[static_cast<std::size_t>(h)];
    const ArmMean active = mean_of(hypothesis.arm_1), control = mean_of(hypothesis.arm_0);
    const bool is_known = active.patients > 0 && control.patients > 0;
    staged_.merits.push_back(is_known ? estimand::MeanEstimand::advantage(active.value, control.value)
                                      : -k_never_met);
  }
}

void Run::fill_safety() {
  staged_.safety.clear();
  if (plan_.safety_estimand < 0) return;
  const Places known{0, n_due(plan_.safety_estimand)};
  for (const int arm : plan_.arms)
    staged_.safety.push_back(rate(workspace_, plan_.safety_estimand, arm, known));
}

design::StopReason Run::decide(std::vector<LookRecord>* records) {
  note_known(n_due(plan_.analyses.front().i_estimand));
  fill_stages(state_.n_looks + 1, n_known_);
  fill_merits();
  fill_safety();
  data_ = {.i_look = state_.n_looks,
           .is_final = is_final_,
           .n_enrolled = n_enrolled_,
           .n_hypotheses = plan_.n_hypotheses,
           .n_strata = n_strata(plan_.analyses.front(), workspace_),
           .stages = staged_.stages,
           .merits = staged_.merits,
           .safety = staged_.safety};
  design::Statistics told;
  const auto decision = plan_.staged->decide(data_, state_, records != nullptr ? &told : nullptr);
  TRIALWRIGHT_EXPECT(state_.n_looks == data_.i_look + 1);
  if (records != nullptr) record(decision, told, *records);
  outcome_.stop = decision.stop;
  return decision.stop;
}

void Run::record(const design::Decision& decision, const design::Statistics& told,
                 std::vector<LookRecord>& records) const {
  auto& look = records.emplace_back(record_of(data_, state_, decision, told));
  look.n_known = n_known_;
  if (!has_calendar_) return;
  look.cut_months = cut_months_;
  look.decision_months = decision_months_;
}

void Run::change() {
  const bool is_other = state_.arms != arms_ || state_.population != population_;
  const double pause_months = std::max(decision_months_ - halt_months_, 0.0);
  const int n_planned = std::max(state_.n_planned, n_enrolled_);
  arms_ = state_.arms;
  population_ = state_.population;
  shift_months_ += pause_months;
  for (int place = n_enrolled_; place < n_randomised(); ++place)
    staged_.months[static_cast<std::size_t>(place)] += pause_months;
  keep(is_other ? n_enrolled_ : std::min(n_planned, n_randomised()));
  const int n_kept = n_randomised();
  recruit(n_planned);
  // Those to come keep their lists; where response drifts, what they wait for changes it.
  if (n_randomised() == n_kept) {
    if (pause_months > 0 && n_kept > n_enrolled_ && plan_.model->drifts_with_calendar()) follow();
    return;
  }
  // The random allocation rule's list has come to its end; any other goes on where nothing but the size
  // has changed.
  if (is_other || design::method_of(plan_.allocation->randomisation()) ==
                      design::RandomisationMethod::random_allocation)
    list_begins_ = n_kept;
  allocate();
  follow();
}

void Run::keep(int n_patients) {
  const auto n = static_cast<std::size_t>(n_patients);
  staged_.patients.resize(n);
  staged_.months.resize(n);
  staged_.known_at.resize(n);
}

void Run::finish() {
  keep(n_enrolled_);
  outcome_.n_looks = state_.n_looks;
  outcome_.is_final = is_final_;
  outcome_.rejected = state_.rejected;
  outcome_.naive_rejected = plan_.staged->naive_rejections(data_, state_);
  outcome_.arms = state_.arms;
  outcome_.population = state_.population;
  outcome_.n_enrolled = n_enrolled_;
  outcome_.n_known = n_known_;
  outcome_.n_analysed = is_whole() ? n_randomised() : n_known_;
  outcome_.has_calendar = has_calendar_;
  outcome_.decision_months = has_calendar_ ? decision_months_ : 0;
  if (trial_ < k_inference_trials) {
    // The last stage takes in the over-run where the plan analyses it.
    if (is_whole() && !is_final_) fill_stages(state_.n_looks, n_randomised());
    for (int h = 0; h < plan_.n_hypotheses; ++h)
      outcome_.inference.push_back(plan_.staged->infer(data_, state_, h));
  }
  analyse();
  note_calendar();
}

void Run::analyse() {
  auto& outcome = workspace_.outcome;
  const auto at_the_end = [&](int i_estimand) {
    return Places{0, is_whole() ? n_randomised() : n_due(i_estimand)};
  };
  for (std::size_t i = 0; i < plan_.analyses.size(); ++i) {
    const PlannedAnalysis& analysis = plan_.analyses[i];
    auto& strata = workspace_.strata[i];
    analysis::TwoByTwo all;
    if (!analysis.strata.empty() || analysis.subgroup)
      strata.resize(static_cast<std::size_t>(n_strata(analysis, workspace_)));
    const auto tables = strata.empty() ? std::span{&all, 1} : std::span{strata};
    tabulate(analysis, workspace_, at_the_end(analysis.i_estimand), tables);
    outcome.analyses[i] = analyse_counts(analysis, tables, workspace_.test_caches[i]);
  }
  for (std::size_t i = 0; i < plan_.estimands.size(); ++i) {
    const int i_estimand = static_cast<int>(i);
    for (std::size_t arm = 0; arm < plan_.arms.size(); ++arm) {
      const auto one = rate(workspace_, i_estimand, plan_.arms[arm], at_the_end(i_estimand));
      outcome.counts[i * plan_.arms.size() + arm] = {one.events, one.patients};
    }
  }
}

// Who was screened until the last patient was randomised, and when patients were.
void Run::note_calendar() {
  auto& outcome = workspace_.outcome;
  cohort_.n_patients = staged_.patients.empty() ? 0 : staged_.patients.back() + 1;
  outcome.has_calendar = has_calendar_;
  // A look may come, and end the trial, before its first patient.
  if (!has_calendar_ || cohort_.n_patients == 0) {
    outcome.n_screened = 0;
    outcome.enrolment_months = outcome.duration_months = 0;
    return;
  }
  const auto n = static_cast<std::size_t>(cohort_.n_patients);
  std::copy_n(cohort_.site.begin(), n, staged_.sites.begin());
  std::copy_n(cohort_.region.begin(), n, staged_.regions.begin());
  plan_.model->enrol_sites(plan_.key, trial_, cohort_);
  std::copy_n(staged_.sites.begin(), n, cohort_.site.begin());
  std::copy_n(staged_.regions.begin(), n, cohort_.region.begin());
  set_dates();
  outcome.n_screened = cohort_.n_screened;
  outcome.enrolment_months = last_month();
  outcome.duration_months = outcome.enrolment_months + in_months(plan_.model->follow_up_weeks());
}

}  // namespace

void StagedWorkspace::prepare(const TrialPlan& plan) {
  if (!plan.staged) return;
  const auto n = static_cast<std::size_t>(plan.n_patients);
  patients.reserve(n);
  months.reserve(n);
  known_at.reserve(n);
  arrivals.resize(n);
  if (plan.merit_mean) merit_values.resize(n);
  sites.resize(n);
  regions.resize(n);
}

void simulate_staged(const TrialPlan& plan, std::uint64_t trial, Workspace& workspace,
                     StagedOutcome& outcome, std::vector<LookRecord>* records) {
  simulate_staged(plan, trial, workspace.needs_with_calendar, workspace, outcome, records);
}

void simulate_staged(const TrialPlan& plan, std::uint64_t trial, const patient::Needs& needs,
                     Workspace& workspace, StagedOutcome& outcome, std::vector<LookRecord>* records) {
  TRIALWRIGHT_EXPECT(plan.staged);
  if (records != nullptr) records->clear();
  Run run(plan, trial, needs, workspace, outcome);
  run.start();
  for (const auto& trigger : plan.looks.interim) {
    if (!run.reach(trigger)) break;
    if (run.decide(records) != design::StopReason::none) return run.finish();
    run.change();
  }
  run.reach_end();
  run.decide(records);
  run.finish();
}

}  // namespace trialwright::trial
