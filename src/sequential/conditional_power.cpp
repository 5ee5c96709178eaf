#include "sequential/conditional_power.hpp"

#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "math/normal.hpp"
#include "sequential/recursion.hpp"

namespace trialwright::sequential {

namespace {

double certain(double z, double z_final) {
  return z >= z_final ? 1.0 : 0.0;
}

}  // namespace

double conditional_power(double z, double t, double z_final, double drift) {
  if (t >= 1) return certain(z, z_final);
  return math::normal_cdf((z * std::sqrt(t) + drift * (1.0 - t) - z_final) / std::sqrt(1.0 - t));
}

double conditional_power(double z, std::size_t i_look, std::span<const double> information,
                         std::span<const double> efficacy_z, std::span<const double> futility_z,
                         double drift) {
  TRIALWRIGHT_EXPECT(i_look < information.size() && information[i_look] > 0);
  const double there = information[i_look], score = z * std::sqrt(there);
  // From this look on the score is a process of its own, of bounds that are so much nearer.
  Recursion rest(drift);
  double reached = 0, probability = 0;
  for (std::size_t k = i_look + 1; k < information.size(); ++k) {
    const double growth = information[k] - there;
    if (!(growth > k_least_growth * there && growth >= reached * (1 + k_least_growth))) continue;
    const auto from_here = [&](double bound) {
      return (bound * std::sqrt(information[k]) - score) / std::sqrt(growth);
    };
    rest.look(reached = growth);
    probability += rest.above(from_here(efficacy_z[k]));
    rest.go_on(futility_z.empty() ? -std::numeric_limits<double>::infinity() : from_here(futility_z[k]),
               from_here(efficacy_z[k]));
  }
  return probability;
}

double predictive_power(double z, double t, double z_final) {
  if (t >= 1) return certain(z, z_final);
  return math::normal_cdf((z - z_final * std::sqrt(t)) / std::sqrt(1.0 - t));
}

}  // namespace trialwright::sequential
