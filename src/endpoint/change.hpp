// What a patient's measure has changed by since baseline, as a number.
#pragma once

#include <span>
#include <string>

#include "endpoint/endpoint.hpp"
#include "endpoint/measured_visit.hpp"
#include "patient/cohort.hpp"
#include "patient/patient_model.hpp"

namespace trialwright::endpoint {

// A change or percent change resolved for one plan; immutable, safe to share between threads.
class Change {
 public:
  Change(const ChangeSpec& spec, const StudyNames& names)
      : spec_(spec), at_(spec.measure, spec.visit, names) {}

  double week() const { return spec_.week; }
  const ChangeSpec& spec() const { return spec_; }

  // Writes change[i] = score - baseline, or 100 (score - baseline) / baseline, as measured: whether the
  // patient was rescued, discontinued or left is not looked at. A baseline of zero has no percent
  // change: NaN. change holds cohort.n_patients numbers.
  void observe(const patient::Cohort& cohort, std::span<double> change) const;
  // Marks what observe() reads; never takes a mark away.
  void add_needs(patient::Needs& needs) const { at_.add_needs(needs); }

 private:
  ChangeSpec spec_;
  MeasuredVisit at_;
};

}  // namespace trialwright::endpoint
