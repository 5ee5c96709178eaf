// Calibration: generator parameters from published counts, with the uncertainty that the counts leave.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/rate_model.hpp"

namespace trialwright::calibrate {

struct Settings {
  std::uint64_t patients_per_arm = 1'000'000;  // of the last fitting round and of the check
  int n_threads = 1;
  engine::Monitor* monitor = nullptr;
};

// One target beside what was reached.
struct TargetFit {
  std::string name;
  std::string estimand;
  std::string arm;
  double events = 0;
  double patients = 0;
  double target = 0;  // events / patients
  double achieved = 0;
  double residual = 0;      // achieved - target
  double mcse = 0;          // Monte Carlo standard error of the residual; 0 where the rate is exact
  std::optional<double> z;  // residual / mcse, where simulated
};

struct ParameterFit {
  std::string path;
  double present = 0;         // as the study has it
  double fitted = 0;          // to 6 significant digits
  double standard_error = 0;  // from the published counts' own sizes
};

struct Calibration {
  std::vector<TargetFit> at_present;
  std::vector<TargetFit> at_fitted;
  std::vector<ParameterFit> parameters;
  Matrix covariance;  // of the parameters
  Matrix correlation;
  double lack_of_fit = 0;      // chi-square of the residuals under the published covariance
  int degrees_of_freedom = 0;  // targets less parameters; 0: every target is met
};

// The targets at the study's present parameters, on fresh random numbers. Throws bad_input where the
// study has no targets, Error (interrupted) after a stop.
std::vector<TargetFit> check(scenario::Study& study, const Settings& settings);

// Is every residual within 0.2 points or 4 Monte Carlo standard errors?
bool is_met(const std::vector<TargetFit>& targets);

// Fits the study's calibration.fitted so that the observed rates of the targets' estimands,
// intercurrent events included, are the published ones; where there are more targets than parameters,
// by generalised least squares under the published covariance. Levenberg-Marquardt on ln (positive) or
// log odds (probabilities) of the parameters; rates exact where they have closed forms, else simulated
// on common random numbers, with a Jacobian by central differences. `at_fitted` is on fresh random
// numbers, its mcse holds the fit's Monte Carlo error too. The parameters' covariance is (J' S^-1
// J)^-1, J the Jacobian and S the published covariance: J^-1 S J^-T where it is square (the delta
// method). Throws bad_input where there is nothing to fit, where a target cannot be reached (naming it
// and the nearest rate), and where the targets cannot tell the parameters apart.
Calibration fit(scenario::Study& study, const Settings& settings);

// The fitted values as a study file to merge or extend: YAML with `source` as its opening comment.
std::string overlay_yaml(const scenario::Study& study, const Calibration& calibration,
                         const std::string& source);

}  // namespace trialwright::calibrate
