// Dunnett's tests: the largest of several statistics against one control.
#pragma once

#include <span>

#include "math/cubic_table.hpp"

namespace trialwright::sequential {

// P(max z_j >= c) under the null, for statistics z_j of active arms against a shared control:
// correlation lambda_i lambda_j with lambda_j = sqrt(n_j / (n_j + n_0)), 0 <= lambda_j < 1. Dunnett
// 1955. By the trapezoidal rule over the control's share; relative error below 1e-10. Some 30 normal
// distribution functions an arm, one arm's where all lambda are equal. Same bits everywhere.
double dunnett_p_value(double c, std::span<const double> lambda);

// The standard normal z of the same p-value: what a stagewise test by Dunnett gives to a combination.
double dunnett_z(double c, std::span<const double> lambda);

// The c of which the p-value is alpha, 0 < alpha < 1; to 1e-10.
double dunnett_critical_value(double alpha, std::span<const double> lambda);

// dunnett_z of fixed lambda as a table, for one look-up a trial. Off by at most 1e-7 for c in [-6, 12],
// constant outside.
class DunnettTable {
 public:
  explicit DunnettTable(std::span<const double> lambda);
  double operator()(double c) const { return z_(c); }

 private:
  math::CubicTable z_;
};

}  // namespace trialwright::sequential
