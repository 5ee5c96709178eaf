// What a PatientModel holds, shared by the source files that implement it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "patient/course_kernels.hpp"
#include "patient/course_truth.hpp"
#include "patient/patient_model.hpp"
#include "patient/patient_spec.hpp"

namespace trialwright::patient {

struct PatientModel::Impl {
  Impl(std::shared_ptr<const PatientSpec> spec_in, const Truth& truth_in, input::Diagnostics& faults,
       const input::Position& at, CourseTableCache* known);

  // Neighbouring patients that are followed together, so that what is made of them on the way stays in
  // the first-level cache however large the trial.
  static constexpr std::size_t k_window = 512;

  // Columns of the cohort's scratch while a window is followed, from row 0 on; the visits' normals
  // stand behind the floats.
  enum Float : std::size_t {
    k_shift,
    k_control_shift,
    k_control_ratio,
    k_work,
    k_z,
    k_noise,
    k_events = k_noise + LinkedMeasures::k_columns,
    k_normals = k_events + IntercurrentProcess::k_floats
  };
  enum Integer : std::size_t {
    k_variant,
    k_intervals,
    k_integers = k_intervals + IntercurrentProcess::k_integers
  };

  bool needs_sites(const Needs& needs) const;
  CovariateMask covariates_made(const Needs& needs) const;
  void fill_strata(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const;

  void prepare(int n_patients, Cohort& cohort) const;
  void follow(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const;

  std::shared_ptr<const PatientSpec> spec;
  CourseTruth truth;
  IntercurrentProcess process;
  ScoreScale score_scale;
  std::vector<ArmInfo> arm_infos;
  std::vector<MeasureInfo> measure_infos;
  std::vector<FactorInfo> factor_infos;

 private:
  struct VisitPlan;
  struct Followed;
  VisitPlan plan_visits(const Needs& needs) const;
  void draw_safety(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const;
  void draw_site_effects(rng::Key key, std::uint64_t trial, Cohort& cohort) const;
  void tabulate_shifts(rng::Key key, std::uint64_t trial, const TrialTruth& trial_truth,
                       Cohort& cohort) const;
  void fill_shifts(const Followed& f, const int* variant, std::span<float> shift) const;
  void fill_measures(const Followed& f, std::size_t visit, std::span<const float> unrescued) const;
  std::span<const float> control_ratio(const Followed& f, std::size_t visit) const;
  void follow_window(const Followed& f) const;
};

}  // namespace trialwright::patient
