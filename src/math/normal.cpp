#include "math/normal.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace trialwright::math {

namespace {

constexpr double k_one_over_sqrt_two_pi = 0.398942280401432677939946059934;
constexpr double k_sqrt_32 = 5.65685424949238019520675489684;

// The polynomial sum of c[i] x^i by Horner's rule.
template <std::size_t n>
constexpr double polynomial(const std::array<double, n>& c, double x) {
  double sum = c[n - 1];
  for (std::size_t i = n - 1; i-- > 0;) sum = sum * x + c[i];
  return sum;
}

// exp(-z^2/2) without the error that rounding z^2 would bring: z is split at a multiple of 1/16.
double exp_of_minus_half_square(double z) {
  const double head = std::trunc(z * 16.0) * 0.0625;
  const double rest = (z - head) * (z + head);
  return exp(-0.5 * head * head) * exp(-0.5 * rest);
}

// Phi(z) - 1/2 for |z| <= 0.66291.
double central_excess(double z) {
  constexpr std::array<double, 5> a = {18154.981253343561249, 1067.6894854603709582,
                                       161.02823106855587881, 2.2352520354606839287,
                                       0.065682337918207449113};
  constexpr std::array<double, 5> b = {45507.789335026729956, 10260.932208618978205,
                                       976.09855173777669322, 47.20258190468824187, 1.0};
  const double z2 = z * z;
  return z * polynomial(a, z2) / polynomial(b, z2);
}

// P(Z > z) for z > 0.66291.
double upper_tail(double z) {
  if (z > 40.0) return 0.0;
  if (z <= k_sqrt_32) {
    constexpr std::array<double, 9> c = {
        9842.7148383839780218, 11602.651437647350124, 6848.1904505362823326,
        2494.5375852903726711, 597.27027639480026226, 93.506656132177855979,
        8.8831497943883759412, .39894151208813466764, 1.0765576773720192317e-8};
    constexpr std::array<double, 9> d = {
        19685.429676859990727, 38912.003286093271411, 34900.952721145977266,
        18615.571640885098091, 6485.558298266760755,  1519.377599407554805,
        235.38790178262499861, 22.266688044328115691, 1.0};
    return exp_of_minus_half_square(z) * (polynomial(c, z) / polynomial(d, z));
  }
  constexpr std::array<double, 6> p = {2.9112874951168792e-5, .001421619193227893466,
                                       .022235277870649807,   .1274011611602473639,
                                       .21589853405795699,    .02307344176494017303};
  constexpr std::array<double, 6> q = {7.29751555083966205e-5, .00378239633202758244,
                                       .0659881378689285515,   .468238212480865118,
                                       1.28426009614491121,    1.0};
  const double inverse_square = 1.0 / (z * z);
  const double correction =
      inverse_square * polynomial(p, inverse_square) / polynomial(q, inverse_square);
  return exp_of_minus_half_square(z) * ((k_one_over_sqrt_two_pi - correction) / z);
}

constexpr double k_central_limit = 0.66291;
constexpr double k_quantile_central_limit = 0.425;

// AS 241's quantile for |q| = |p - 1/2| <= 0.425.
inline double quantile_central(double q) {
  constexpr std::array<double, 8> a = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                       1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                       4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                       3.3430575583588128105e+4, 2.5090809287301226727e+3};
  constexpr std::array<double, 8> b = {1.0,
                                       4.2313330701600911252e+1,
                                       6.8718700749205790830e+2,
                                       5.3941960214247511077e+3,
                                       2.1213794301586595867e+4,
                                       3.9307895800092710610e+4,
                                       2.8729085735721942674e+4,
                                       5.2264952788528545610e+3};
  const double r = 0.180625 - q * q;
  return q * (polynomial(a, r) / polynomial(b, r));
}

// AS 241's upper quantile of a tail probability below 0.075.
double quantile_tail(double tail) {
  const double root = std::sqrt(-log(tail));
  if (root <= 5.0) {
    constexpr std::array<double, 8> c = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                         5.76949722146069140550e0,  3.64784832476320460504e0,
                                         1.27045825245236838258e0,  2.41780725177450611770e-1,
                                         2.27238449892691845833e-2, 7.74545014278341407640e-4};
    constexpr std::array<double, 8> d = {1.0,
                                         2.05319162663775882187e0,
                                         1.67638483018380384940e0,
                                         6.89767334985100004550e-1,
                                         1.48103976427480074590e-1,
                                         1.51986665636164571966e-2,
                                         5.47593808499534494600e-4,
                                         1.05075007164441684324e-9};
    return polynomial(c, root - 1.6) / polynomial(d, root - 1.6);
  }
  constexpr std::array<double, 8> e = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                       1.78482653991729133580e0,  2.96560571828504891230e-1,
                                       2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                       2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr std::array<double, 8> f = {1.0,
                                       5.99832206555887937690e-1,
                                       1.36929880922735805310e-1,
                                       1.48753612908506148525e-2,
                                       7.86869131145613259100e-4,
                                       1.84631831751005468180e-5,
                                       1.42151175831644588870e-7,
                                       2.04426310338993978564e-15};
  return polynomial(e, root - 5.0) / polynomial(f, root - 5.0);
}

double quantile_outside_centre(double p) {
  if (!(p > 0.0 && p < 1.0)) {
    if (p == 0.0) return -detail::k_infinity;
    return p == 1.0 ? detail::k_infinity : detail::k_nan;
  }
  return p < 0.5 ? -quantile_tail(p) : quantile_tail(1.0 - p);
}

}  // namespace

double normal_pdf(double z) {
  return absolute(z) > 40.0 ? 0.0 : k_one_over_sqrt_two_pi * exp_of_minus_half_square(z);
}

double normal_survival(double z) {
  if (absolute(z) <= k_central_limit) return 0.5 - central_excess(z);
  return z > 0.0 ? upper_tail(z) : 1.0 - upper_tail(-z);
}

double normal_cdf(double z) {
  return normal_survival(-z);
}

double normal_quantile(double p) {
  const double q = p - 0.5;
  return absolute(q) <= k_quantile_central_limit ? quantile_central(q) : quantile_outside_centre(p);
}

double log_odds_of_normal(double z) {
  if (absolute(z) <= k_central_limit) {
    const double excess = central_excess(z);
    return log1p(2.0 * excess / (0.5 - excess));
  }
  const double tail = upper_tail(absolute(z));
  const double magnitude = log((1.0 - tail) / tail);
  return z > 0.0 ? magnitude : -magnitude;
}

}  // namespace trialwright::math
