// Sums as text, to the bit.
#pragma once

#include <fmt/format.h>

#include <string>

#include "engine/accumulator.hpp"

namespace trialwright::engine {

// Everything that two sums of the same trials must agree in.
inline std::string state_of(const PointAccumulator& sum) {
  std::string text = fmt::format("{} trials", sum.n_trials);
  for (const auto& one : sum.analyses) {
    const auto moments = one.estimate.sums();
    text += fmt::format("\n{} {} {} {} {} {} | {} {:a} {:a} {:a} {:a}", one.n_rejected, one.n_failed,
                        one.n_defined, one.n_covered, one.n_below_published, one.n_at_published,
                        one.estimate.count(), moments.sum, moments.sum_of_squares, moments.sum_of_cubes,
                        moments.sum_of_fourths);
    for (const double p : {0.001, 0.1, 0.5, 0.9, 0.999})
      text += fmt::format(" {}", one.distribution.quantile(p));
  }
  for (const auto& arm : sum.arms)
    text += fmt::format("\n{} {} {} {} {}", arm.events, arm.patients, arm.events_squared,
                        arm.patients_squared, arm.events_patients);
  for (const auto* moments : {&sum.enrolment_months, &sum.duration_months, &sum.n_screened})
    text += fmt::format("\n{} {:a} {:a}", moments->count(), moments->sums().sum,
                        moments->sums().sum_of_squares);
  return text;
}

}  // namespace trialwright::engine
