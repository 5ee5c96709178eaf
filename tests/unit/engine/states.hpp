// Sums as text, to the bit.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

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
  for (const auto* arms : {&sum.arms, &sum.maintenance})
    for (const auto& arm : *arms)
      text += fmt::format("\n{} {} {} {} {}", arm.events, arm.patients, arm.events_squared,
                          arm.patients_squared, arm.events_patients);
  for (const auto* moments : {&sum.enrolment_months, &sum.duration_months, &sum.n_screened})
    text += fmt::format("\n{} {:a} {:a}", moments->count(), moments->sums().sum,
                        moments->sums().sum_of_squares);
  const auto& staged = sum.staged;
  text += fmt::format("\n{} {} {} | {} {} {} {} | {}", staged.n_looks, staged.n_hypotheses,
                      staged.true_nulls, staged.n_any, staged.n_all, staged.n_error,
                      staged.n_naive_error, staged.n_inference);
  for (const auto* counts : {&staged.rejected, &staged.naive_rejected, &staged.stops, &staged.open})
    text += fmt::format("\n{}", fmt::join(*counts, " "));
  for (const auto* histogram : {&staged.analysed, &staged.enrolled, &staged.overrun, &staged.months}) {
    const auto state = histogram->state();
    text += fmt::format("\n{} {}: {}", state.n_beyond, state.first, fmt::join(state.counts, " "));
  }
  text += fmt::format("\n{} {:a} {:a}", staged.decision_months.count(),
                      staged.decision_months.sums().sum, staged.decision_months.sums().sum_of_squares);
  for (const auto& mean : staged.first_means)
    text += fmt::format("\n{} {:a} {:a}", mean.count(), mean.sums().sum, mean.sums().sum_of_squares);
  for (const auto& one : staged.adjusted)
    text += fmt::format("\n{} {} {} {} {:a} {:a}", one.n_defined, one.n_covered, one.n_repeated,
                        one.n_repeated_covered, one.estimate.sums().sum,
                        one.estimate.sums().sum_of_squares);
  return text;
}

}  // namespace trialwright::engine
