#include "rng/draws.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"
#include "math/normal.hpp"

namespace trialwright::rng {

namespace {

constexpr double k_largest_poisson_part = 32.0;

std::uint64_t poisson_part(Stream& stream, double mean) {
  const double u = next_fine_uniform(stream);
  double probability = math::exp(-mean);
  double cumulative = probability;
  std::uint64_t count = 0;
  // Beyond the last count whose probability counts in double precision the sum stands still below u.
  while (u > cumulative && probability > 0x1p-60 * cumulative) {
    ++count;
    probability *= mean / static_cast<double>(count);
    cumulative += probability;
  }
  return count;
}

}  // namespace

double next_fine_uniform(Stream& stream) {
  const std::uint64_t high = stream();
  const std::uint64_t low = stream();
  return (static_cast<double>(high << 20 | low >> 12) + 0.5) * 0x1p-52;
}

double gamma(Stream& stream, double shape) {
  TRIALWRIGHT_EXPECT(shape > 0.0);
  const double boost = shape < 1.0 ? math::pow(stream.next_uniform(), 1.0 / shape) : 1.0;
  const double d = (shape < 1.0 ? shape + 1.0 : shape) - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  for (;;) {
    const double z = math::normal_quantile(stream.next_uniform());
    const double u = stream.next_uniform();
    const double root = 1.0 + c * z;
    const double v = root * root * root;
    if (v > 0.0 && math::log(u) < 0.5 * z * z + d - d * v + d * math::log(v)) return d * v * boost;
  }
}

std::uint64_t poisson(Stream& stream, double mean) {
  TRIALWRIGHT_EXPECT(mean >= 0.0 && std::isfinite(mean));
  std::uint64_t sum = 0;
  for (double rest = mean; rest > 0.0; rest -= k_largest_poisson_part)
    sum += poisson_part(stream, std::min(rest, k_largest_poisson_part));
  return sum;
}

std::uint32_t bounded(Stream& stream, std::uint32_t n) {
  TRIALWRIGHT_EXPECT(n > 0);
  std::uint64_t product = std::uint64_t{stream()} * n;
  if (static_cast<std::uint32_t>(product) < n) {
    const std::uint32_t threshold = (0u - n) % n;
    while (static_cast<std::uint32_t>(product) < threshold) product = std::uint64_t{stream()} * n;
  }
  return static_cast<std::uint32_t>(product >> 32);
}

}  // namespace trialwright::rng
