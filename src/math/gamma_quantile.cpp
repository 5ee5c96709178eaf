#include "math/gamma_quantile.hpp"

#include <boost/math/special_functions/gamma.hpp>
#include <cmath>

#include "base/contract.hpp"
#include "math/normal.hpp"
#include "math/root.hpp"

namespace trialwright::math {

namespace {

// Long double would take several times as long for digits that nobody keeps.
using InDouble = boost::math::policies::policy<boost::math::policies::promote_double<false>>;

constexpr double k_least_log = -745;

}  // namespace

GammaQuantile::GammaQuantile(double shape)
    : shape_(shape), log_gamma_(boost::math::lgamma(shape, InDouble{})) {
  TRIALWRIGHT_EXPECT(shape > 0 && shape <= 1e6);
}

double GammaQuantile::normal_score(double x) const {
  const double below = boost::math::gamma_p(shape_, x, InDouble{});
  return below < 0.5 ? normal_quantile(below)
                     : -normal_quantile(boost::math::gamma_q(shape_, x, InDouble{}));
}

// Wilson & Hilferty 1931, and in the lower tail, where it has no answer, the leading term of the
// distribution function, x^shape / Gamma(shape + 1).
double GammaQuantile::first_guess(double z) const {
  const double root = 1 - 1 / (9 * shape_) + z / (3 * std::sqrt(shape_));
  if (root > 0.3) return std::log(shape_ * root * root * root);
  return (std::log(normal_cdf(z)) + log_gamma_ + std::log(shape_)) / shape_;
}

double GammaQuantile::operator()(double z) {
  const double guess = has_last_ ? last_log_ + (z - last_z_) / last_slope_ : first_guess(z);
  double slope = 1;
  const auto miss = [&](double log_x) {
    const double x = std::exp(log_x), score = normal_score(x);
    slope = std::exp(shape_ * log_x - x - log_gamma_) / normal_pdf(score);
    return ValueAndSlope{score - z, slope};
  };
  const double highest = std::log(shape_ + 20 * std::sqrt(shape_) + 100);
  last_log_ = newton_root(miss, k_least_log, highest, guess, 1e-8);
  last_z_ = z;
  last_slope_ = slope;
  has_last_ = slope > 0 && std::isfinite(slope);
  return last_log_ > k_least_log + 1 ? std::exp(last_log_) : 0;
}

}  // namespace trialwright::math
