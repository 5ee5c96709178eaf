// Exact power, type I error and sample size of two-arm binary tests:
// the installed API of `trialwright exact`.
#pragma once

#include <string>

#include "trialwright/error.hpp"

namespace trialwright {

// A two-arm trial and its test. `test` is z_pooled, chi_square (the same test), z_unpooled,
// chi_square_yates, fisher, fisher_midp, boschloo or z_pooled_exact. One-sided means that treatment is
// better, at level alpha; two-sided at level alpha counts rejections in either direction.
enum class ExactSides { one, two };

struct ExactQuestion {
  std::string test = "z_pooled";
  int n_treatment = 0;
  int n_control = 0;
  double p_treatment = 0.0;
  double p_control = 0.0;
  double alpha = 0.025;
  ExactSides sides = ExactSides::one;
};

struct ExactAnswer {
  double power = 0.0;         // probability of rejection at (p_treatment, p_control)
  double size = 0.0;          // the largest probability of rejection over a common rate
  double size_at = 0.0;       // the common rate that reaches it
  long long n_rejecting = 0;  // number of rejected tables
};

// Power alone, by enumeration of all (n_treatment + 1)(n_control + 1) tables. Throws Error (bad input)
// on an unknown test, arms outside 1 to 5000, or probabilities and alpha out of range.
double exact_power(const ExactQuestion& question);

// Everything; the search for the size takes longer.
ExactAnswer exact_operating_characteristics(const ExactQuestion& question);

}  // namespace trialwright
