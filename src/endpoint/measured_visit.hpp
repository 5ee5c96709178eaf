// A measure at a visit: where its scores and their baseline stand in a cohort.
#pragma once

#include <cstddef>
#include <span>

#include "endpoint/endpoint.hpp"
#include "patient/cohort.hpp"
#include "patient/patient_model.hpp"

namespace trialwright::endpoint {

class MeasuredVisit {
 public:
  // `measure` and `visit` are indices into the names'.
  MeasuredVisit(int measure, int visit, const StudyNames& names)
      : measure_(static_cast<std::size_t>(measure)),
        visit_(static_cast<std::size_t>(visit)),
        n_measures_(names.measures.size()),
        n_visits_(names.visit_weeks.size()),
        baseline_(static_cast<std::size_t>(names.measures.at(measure_).baseline_covariate)) {}

  // By patient, on the measure's grid.
  std::span<const double> values(const patient::Cohort& cohort) const {
    return cohort.values[measure_ * n_visits_ + visit_];
  }
  std::span<const double> baselines(const patient::Cohort& cohort) const {
    return cohort.covariates[baseline_];
  }

  // Marks the visit; never takes a mark away. (The baseline of a needed measure is made with it.)
  void add_needs(patient::Needs& needs) const {
    auto& wanted = needs.measure_visits;
    if (wanted.size() < n_measures_) wanted.resize(n_measures_);
    for (auto& visits : wanted)
      if (visits.size() < n_visits_) visits.resize(n_visits_, false);
    wanted[measure_][visit_] = true;
  }

 private:
  std::size_t measure_;
  std::size_t visit_;
  std::size_t n_measures_;
  std::size_t n_visits_;
  std::size_t baseline_;
};

}  // namespace trialwright::endpoint
