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
        from_(n_trials - std::min(n_trials, k_trials_sampled)),
        to_(n_trials) {
    workspace_.prepare(plan);
  }

  double bytes_a_row(engine::RowKind kind) {
    std::string text;
    std::size_t n_rows = 0;
    trial::TrialRows of_trials;
    of_trials.turn_to(plan_, point_fields_);
    const trial::PatientRows of_patients(plan_, estimands_);
    for (std::uint64_t i = from_; i < to_; ++i) {
      trial::simulate_trial(plan_, i, trial::every_need(*plan_.model), workspace_);
      if (kind == engine::RowKind::trials) {
        of_trials.begin(i, i < trial::k_calendar_trials ? &workspace_.outcome : nullptr);
        for (std::size_t k = 0; k < plan_.analyses.size(); ++k, ++n_rows)
          of_trials.append(k, tables(k), text);
        continue;
      }
      for (std::size_t patient = 0; patient < workspace_.cohort.arm.size(); ++patient, ++n_rows) {
        text += point_fields_ + std::to_string(i) + ',';
        of_patients.append(workspace_, patient, text);
      }
    }
    return n_rows == 0 ? 0 : static_cast<double>(text.size()) / static_cast<double>(n_rows);
  }

 private:
  std::span<const analysis::TwoByTwo> tables(std::size_t i_analysis) const {
    const auto& strata = workspace_.strata[i_analysis];
    if (!strata.empty()) return strata;
    return {&workspace_.outcome.analyses[i_analysis].table, 1};
  }

  const trial::TrialPlan& plan_;
  std::string point_fields_;
  std::vector<std::string> estimands_;
  std::uint64_t from_;
  std::uint64_t to_;
  trial::Workspace workspace_;
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
