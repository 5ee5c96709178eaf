#include "engine/accumulator.hpp"

#include <algorithm>
#include <cmath>

#include "math/elementary.hpp"

namespace trialwright::engine {
namespace {

// Two estimates nearer than this are the same: counts give values much further apart.
constexpr double k_same_estimate = 1e-9;

}  // namespace

stats::RatioSums ratio_sums(const ArmAccumulator& arm) {
  return {static_cast<double>(arm.events), static_cast<double>(arm.patients),
          static_cast<double>(arm.events_squared), static_cast<double>(arm.patients_squared),
          static_cast<double>(arm.events_patients)};
}

double on_analysis_scale(analysis::EffectMeasure effect, double value) {
  switch (effect) {
    case analysis::EffectMeasure::risk_difference:
      return value;
    case analysis::EffectMeasure::risk_ratio:
    case analysis::EffectMeasure::odds_ratio:
      return math::log(value);
  }
  return value;
}

PointAccumulator::PointAccumulator(const trial::TrialPlan& plan, const TrueValues& true_values)
    : analyses(plan.analyses.size()), arms(plan.estimands.size() * plan.arms.size()) {
  for (std::size_t i = 0; i < analyses.size(); ++i)
    if (i < true_values.size() && true_values[i])
      analyses[i].estimate =
          stats::Moments(on_analysis_scale(plan.analyses[i].effect, *true_values[i]));
}

void PointAccumulator::add(const trial::TrialPlan& plan, const TrueValues& true_values,
                           const trial::TrialOutcome& outcome) {
  ++n_trials;
  for (std::size_t i = 0; i < analyses.size(); ++i) {
    auto& sum = analyses[i];
    const auto& one = outcome.analyses[i];
    sum.n_rejected += one.rejected ? 1 : 0;
    sum.n_failed += one.failed ? 1 : 0;
    // A ratio of zero has no logarithm: such a trial has no place in the mean, and is told apart.
    const bool on_scale =
        plan.analyses[i].effect == analysis::EffectMeasure::risk_difference || one.estimate.value > 0;
    if (!one.estimate.defined || !on_scale) continue;
    ++sum.n_defined;
    const double estimate = on_analysis_scale(plan.analyses[i].effect, one.estimate.value);
    sum.estimate.add(estimate);
    sum.distribution.add(std::max(0.0, estimate + k_distribution_offset));
    if (const auto& published = plan.analyses[i].published) {
      sum.n_below_published += estimate < *published - k_same_estimate ? 1 : 0;
      sum.n_at_published += std::abs(estimate - *published) <= k_same_estimate ? 1 : 0;
    }
    if (const auto& truth = true_values[i])
      sum.n_covered += one.estimate.lower <= *truth && *truth <= one.estimate.upper ? 1 : 0;
  }
  for (std::size_t i = 0; i < arms.size(); ++i) {
    const auto events = static_cast<std::uint64_t>(outcome.counts[i].events);
    const auto patients = static_cast<std::uint64_t>(outcome.counts[i].patients);
    arms[i].events += events;
    arms[i].patients += patients;
    arms[i].events_squared += events * events;
    arms[i].patients_squared += patients * patients;
    arms[i].events_patients += events * patients;
  }
  enrolment_months.add(outcome.enrolment_months);
  duration_months.add(outcome.duration_months);
  n_screened.add(outcome.n_screened);
}

void PointAccumulator::merge(const PointAccumulator& later) {
  n_trials += later.n_trials;
  for (std::size_t i = 0; i < analyses.size(); ++i) {
    analyses[i].n_rejected += later.analyses[i].n_rejected;
    analyses[i].n_failed += later.analyses[i].n_failed;
    analyses[i].n_defined += later.analyses[i].n_defined;
    analyses[i].n_covered += later.analyses[i].n_covered;
    analyses[i].n_below_published += later.analyses[i].n_below_published;
    analyses[i].n_at_published += later.analyses[i].n_at_published;
    analyses[i].distribution.merge(later.analyses[i].distribution);
    analyses[i].estimate.merge(later.analyses[i].estimate);
  }
  for (std::size_t i = 0; i < arms.size(); ++i) {
    arms[i].events += later.arms[i].events;
    arms[i].patients += later.arms[i].patients;
    arms[i].events_squared += later.arms[i].events_squared;
    arms[i].patients_squared += later.arms[i].patients_squared;
    arms[i].events_patients += later.arms[i].events_patients;
  }
  enrolment_months.merge(later.enrolment_months);
  duration_months.merge(later.duration_months);
  n_screened.merge(later.n_screened);
}

}  // namespace trialwright::engine
