#include "app/row_sizes.hpp"

#include <algorithm>
#include <string>

#include "trial/patient_rows.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/trial_rows.hpp"

namespace trialwright::app {
namespace {

constexpr std::uint64_t k_trials_sampled = 16;

// Rows of some trials of a point, those of its last trials, whose numbers are longest.
class Sample {
 public:
  Sample(const scenario::Study& study, std::string point_fields, const trial::TrialPlan& plan,
         std::uint64_t n_trials)
      : plan_(plan),
        point_fields_(std::move(point_fields)),
        estimands_(engine::estimand_columns(study.spec())),
        columns_(engine::row_columns(study.spec())),
        from_(n_trials - std::min(n_trials, k_trials_sampled)),
        to_(n_trials) {
    workspace_.prepare(plan);
  }

  double bytes_a_row(engine::RowKind kind) {
    std::string text;
    std::size_t n_rows = 0;
    trial::TrialRows of_trials;
    of_trials.turn_to(plan_, point_fields_, columns_);
    const trial::PatientRows of_patients(plan_, estimands_, columns_);
    for (std::uint64_t i = from_; i < to_; ++i) {
      simulate(i);
      if (kind == engine::RowKind::trials) {
        begin(i, of_trials);
        for (std::size_t k = 0; k < plan_.analyses.size(); ++k, ++n_rows) append(k, of_trials, text);
        continue;
      }
      for (std::size_t patient = 0; patient < trial::n_randomised(plan_, workspace_);
           ++patient, ++n_rows) {
        text += point_fields_ + std::to_string(i) + ',';
        of_patients.append(workspace_, patient, text);
      }
    }
    return n_rows == 0 ? 0 : static_cast<double>(text.size()) / static_cast<double>(n_rows);
  }

 private:
  void simulate(std::uint64_t i_trial) {
    const auto needs = trial::every_need(*plan_.model);
    if (plan_.staged)
      trial::simulate_staged(plan_, i_trial, needs, workspace_, staged_, &looks_);
    else
      trial::simulate_trial(plan_, i_trial, needs, workspace_);
  }

  void begin(std::uint64_t i_trial, trial::TrialRows& rows) const {
    const auto* calendar = i_trial < trial::k_calendar_trials ? &workspace_.outcome : nullptr;
    if (plan_.staged)
      rows.begin(i_trial, calendar, staged_, looks_);
    else
      rows.begin(i_trial, calendar);
  }

  void append(std::size_t i_analysis, trial::TrialRows& rows, std::string& text) const {
    if (plan_.analyses[i_analysis].maintenance)
      rows.append_made(i_analysis, workspace_.outcome.analyses[i_analysis], text);
    else
      rows.append(i_analysis, tables(i_analysis), text);
  }

  std::span<const analysis::TwoByTwo> tables(std::size_t i_analysis) const {
    const auto& strata = workspace_.strata[i_analysis];
    if (!strata.empty()) return strata;
    return {&workspace_.outcome.analyses[i_analysis].table, 1};
  }

  const trial::TrialPlan& plan_;
  std::string point_fields_;
  std::vector<std::string> estimands_;
  trial::RowColumns columns_;
  std::uint64_t from_;
  std::uint64_t to_;
  trial::Workspace workspace_;
  trial::StagedOutcome staged_;
  std::vector<trial::LookRecord> looks_;
};

double n_rows(engine::RowKind kind, const trial::TrialPlan& plan, std::uint64_t n_trials,
              std::uint64_t patients_of_trials) {
  if (kind == engine::RowKind::trials)
    return static_cast<double>(n_trials) * static_cast<double>(plan.analyses.size());
  return static_cast<double>(std::min(n_trials, patients_of_trials)) * plan.n_patients;
}

}  // namespace

std::vector<RowSize> row_sizes(const scenario::Study& study,
                               std::span<const scenario::PointSpec> points,
                               std::span<const std::shared_ptr<const trial::TrialPlan>> plans,
                               std::span<const std::uint64_t> n_trials) {
  const auto& outputs = study.spec().outputs;
  std::vector<RowSize> sizes;
  if (points.empty()) return sizes;
  for (const auto kind : {engine::RowKind::trials, engine::RowKind::patients}) {
    if (!engine::asks_for(outputs, kind)) continue;
    RowSize size{kind, 0, 0};
    for (std::size_t i = 0; i < plans.size(); ++i)
      size.n_rows += n_rows(kind, *plans[i], n_trials[i], outputs.patients_of_trials);
    const auto fields = engine::point_fields(points.front(), engine::axis_paths(points));
    Sample sample(study, fields, *plans.front(), n_trials.front());
    size.bytes = size.n_rows * sample.bytes_a_row(kind);
    sizes.push_back(size);
  }
  return sizes;
}

}  // namespace trialwright::app
