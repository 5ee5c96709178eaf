// Boundaries of group sequential designs and what they come to, by numerical integration: the installed
// API of `trialwright boundaries`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trialwright/error.hpp"

namespace trialwright {

// A boundary by its family's name: obrien_fleming, pocock, wang_tsiatis, haybittle_peto,
// lan_demets_obrien_fleming, lan_demets_pocock, hwang_shih_decani, kim_demets, piecewise or user.
struct BoundaryFamily {
  struct Point {
    double information = 0;
    double share = 0;
  };
  std::string name;
  std::optional<double>
      parameter;                // of wang_tsiatis, haybittle_peto (3), hwang_shih_decani, kim_demets
  std::vector<Point> spending;  // of piecewise: cumulative shares of the error, ending with {1, 1}
  std::vector<double> z;        // of user: the critical value of each look, or
  std::vector<double> error_spent;  // of user: cumulative at each look, ending with all
};

enum class FutilityBinding { non_binding, binding };

// One-sided, upper z. With `futility`, bounds by beta spending, and the drift (expected z at
// information 1) that gives power 1 - beta; else the power under `drift` where given, or the drift for
// power 1 - beta where beta is given.
struct BoundaryQuestion {
  double alpha = 0.025;
  // Fractions of the planned final information, 1 to 20 of them, ascending to 1. A last one above 1 is
  // that of an over-running trial.
  std::vector<double> information{1.0};
  BoundaryFamily efficacy{"lan_demets_obrien_fleming", {}, {}, {}, {}};
  std::optional<BoundaryFamily> futility;  // of a family that spends, or user with error_spent
  FutilityBinding binding = FutilityBinding::non_binding;
  std::optional<double> beta;  // 0.1 with futility
  std::optional<double> drift;
};

// A critical value may be infinite: no such bound at that look. Probabilities are those to stop first
// at that look, futility bounds heeded.
struct BoundaryLook {
  double information = 0;
  double alpha_spent = 0;  // cumulative type I error; heeding futility only where binding
  double efficacy_z = 0;
  double futility_z = 0;  // -infinity without futility
  double p_efficacy_null = 0;
  double p_futility_null = 0;
  double p_efficacy = 0;  // under the drift, as p_futility; NaN without one
  double p_futility = 0;
};

// Of a drift.
struct SequentialPerformance {
  double drift = 0;
  double power = 0;                 // probability to stop for efficacy
  double expected_information = 0;  // at the end of the trial
};

struct BoundaryAnswer {
  std::vector<BoundaryLook> looks;
  std::optional<double> drift;
  std::optional<double> power;
  // Final information relative to a fixed design's of this alpha and power, where there is a drift:
  // drift^2 / (z_alpha + z_power)^2 (Jennison & Turnbull 2000, section 2.3).
  std::optional<double> inflation_factor;
  // Under no effect and, where there is a drift, under its half and itself.
  std::vector<SequentialPerformance> performance;
};

// Throws Error (bad input) on unknown names and on values out of range.
BoundaryAnswer sequential_boundaries(const BoundaryQuestion& question);

}  // namespace trialwright
