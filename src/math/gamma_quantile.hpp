// Quantiles of the gamma distribution along the normal scale, for tables built once from a plan.
#pragma once

namespace trialwright::math {

// The quantile of Gamma(shape, scale 1) at Phi(z), to about 1e-12 relative for |z| <= 8; below the
// least positive number it is 0. Each call sets out from where the last one arrived: neighbouring z in
// turn cost two evaluations of the incomplete gamma function, an eighth of an inversion from nothing.
// Uses Boost and libm: for knots that are rounded, not for the simulation's path.
class GammaQuantile {
 public:
  // 0 < shape <= 1e6.
  explicit GammaQuantile(double shape);

  double operator()(double z);

  // Phi^-1 of the distribution function at x > 0, each tail to its own relative accuracy.
  double normal_score(double x) const;

 private:
  double first_guess(double z) const;

  double shape_;
  double log_gamma_;  // of the shape
  bool has_last_ = false;
  double last_z_ = 0;
  double last_log_ = 0;    // ln of the last quantile
  double last_slope_ = 1;  // of the normal score in ln x there
};

}  // namespace trialwright::math
