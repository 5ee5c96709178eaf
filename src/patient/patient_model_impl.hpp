// What a PatientModel holds, shared by the source files that implement it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "patient/course_truth.hpp"
#include "patient/patient_model.hpp"
#include "patient/patient_spec.hpp"

namespace trialwright::patient {

struct PatientModel::Impl {
  Impl(std::shared_ptr<const PatientSpec> spec_in, const Truth& truth_in, input::Diagnostics& faults,
       const input::Position& at);

  // Columns of the cohort's scratch while patients are followed; the visits' normals stand behind them.
  enum Column : std::size_t {
    uniform,
    shift,
    control_shift,
    control_ratio,
    noise,
    visits = noise + LinkedMeasures::k_columns
  };

  std::size_t n_scratch_columns() const;
  bool needs_sites(const Needs& needs) const;
  CovariateMask covariates_made(const Needs& needs) const;

  void follow(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const;

  std::shared_ptr<const PatientSpec> spec;
  CourseTruth truth;
  IntercurrentProcess process;
  std::vector<ArmInfo> arm_infos;
  std::vector<MeasureInfo> measure_infos;
  std::vector<FactorInfo> factor_infos;

 private:
  struct VisitPlan;
  VisitPlan plan_visits(const Needs& needs) const;
  void draw_safety(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const;
  void draw_site_effects(rng::Key key, std::uint64_t trial, Cohort& cohort) const;
  void fill_shifts(rng::Key key, std::uint64_t trial, const TrialTruth& trial_truth,
                   Cohort& cohort) const;
  void add_effects(const TrialTruth& trial_truth, Cohort& cohort) const;
  void fill_measures(rng::Key key, std::uint64_t trial, std::size_t visit, const Needs& needs,
                     const TrialTruth& trial_truth, Cohort& cohort) const;
};

}  // namespace trialwright::patient
