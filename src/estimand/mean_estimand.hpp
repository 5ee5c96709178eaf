// From a measured change to the number that is averaged: estimands whose means are compared.
#pragma once

#include <span>
#include <string>

#include "endpoint/change.hpp"
#include "estimand/estimand.hpp"
#include "patient/cohort.hpp"
#include "patient/patient_model.hpp"

namespace trialwright::estimand {

// An estimand of a change, resolved for one plan; immutable, safe to share between threads. Rescue and
// discontinuation are by treatment policy, who leaves is missing (read_estimand allows no other).
class MeanEstimand {
 public:
  MeanEstimand(const EstimandSpec& spec, const endpoint::Change& change, StudyEvents events)
      : name_(spec.name), change_(change), events_(events) {}

  const std::string& name() const { return name_; }
  double week() const { return change_.week(); }

  // By how much the mean of one arm is better than another's: a measure's fall is its improvement, as
  // it is a responder's.
  static double advantage(double mean, double other_mean) { return other_mean - mean; }

  // Marks what observe() reads, the course of intercurrent events included wherever the study has any.
  void add_needs(patient::Needs& needs) const;

  // Writes the change of each patient; NaN (missing) of who left by its week, or has none. value holds
  // cohort.n_patients numbers.
  void observe(const patient::Cohort& cohort, std::span<double> value) const;

 private:
  std::string name_;
  endpoint::Change change_;
  StudyEvents events_;
};

}  // namespace trialwright::estimand
