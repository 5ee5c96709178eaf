// The fit of parameters to target rates: Levenberg-Marquardt on a simulated or exact rate model.
#pragma once

#include <cstdint>
#include <vector>

#include "calibrate/rate_model.hpp"

namespace trialwright::calibrate {

struct Problem {
  RateModel& model;
  const std::vector<Parameter>& parameters;
  const Vector& targets;
  const Matrix& weights;  // the inverse of the targets' covariance
  std::uint64_t patients_per_arm;
};

struct Solution {
  Vector place;                     // the parameters on their unbounded scales
  std::vector<AchievedRate> rates;  // there, on the fit's random numbers
  Matrix jacobian;                  // d rate / d place, [i_target][i_parameter]
  bool converged = false;
};

Vector values_at(const std::vector<Parameter>& parameters, const Vector& place);

// Minimises the weighted squares of rate - target from the parameters' present values: first with a
// tenth of the patients (at least 50,000 an arm) and a Jacobian at every step, then with all of them
// and the last Jacobian.
Solution least_squares(const Problem& problem);

}  // namespace trialwright::calibrate
