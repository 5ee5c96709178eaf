#include "rng/poisson.hpp"

#include <cmath>

#include "base/contract.hpp"
#include "math/elementary.hpp"

namespace trialwright::rng {

namespace {

// log(k!) by Stirling's series, below 1e-11 for every whole k >= 0.
double log_factorial(double k) {
  constexpr double k_half_log_two_pi = 0.918938533204672742;
  double x = k + 1, product = 1;
  for (; x < 10; x += 1) product *= x;
  const double inverse = 1 / x, square = inverse * inverse;
  const double series =
      inverse * (1.0 / 12 - square * (1.0 / 360 - square * (1.0 / 1260 - square / 1680)));
  return (x - 0.5) * math::log(x) - x + k_half_log_two_pi + series - math::log(product);
}

double small_poisson(Stream& stream, double mean) {
  double probability = math::exp(-mean), rest = stream.next_uniform();
  double k = 0;
  while (rest > probability && probability > 0) {
    rest -= probability;
    k += 1;
    probability *= mean / k;
  }
  return k;
}

}  // namespace

double poisson(Stream& stream, double mean) {
  TRIALWRIGHT_EXPECT(mean >= 0);
  if (mean < 10) return small_poisson(stream, mean);
  const double log_mean = math::log(mean);
  const double b = 0.931 + 2.53 * std::sqrt(mean), a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), squeeze = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = stream.next_uniform() - 0.5;
    const double v = stream.next_uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + mean + 0.43);
    if (us >= 0.07 && v <= squeeze) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (math::log(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - log_factorial(k))
      return k;
  }
}

}  // namespace trialwright::rng
