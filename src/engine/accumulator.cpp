#include "engine/accumulator.hpp"

#include <algorithm>
#include <cmath>

#include "base/contract.hpp"
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
    case analysis::EffectMeasure::hazard_ratio:
      return math::log(value);
  }
  return value;
}

PointAccumulator::PointAccumulator(const trial::TrialPlan& plan, const TrueValues& true_values)
    : analyses(plan.analyses.size()),
      arms(plan.estimands.size() * plan.arms.size()),
      maintenance(plan.maintenance
                      ? design::k_maintenance_outcomes.size() * plan.maintenance->spec().arms.size()
                      : 0),
      staged(plan, true_values) {
  for (std::size_t i = 0; i < analyses.size(); ++i)
    if (i < true_values.size() && true_values[i])
      analyses[i].estimate =
          stats::Moments(on_analysis_scale(plan.analyses[i].effect, *true_values[i]));
}

void AnalysisAccumulator::add(const trial::PlannedAnalysis& analysis,
                              const std::optional<double>& true_value,
                              const trial::AnalysisOutcome& outcome, std::uint64_t n) {
  n_rejected += outcome.rejected ? n : 0;
  n_failed += outcome.failed ? n : 0;
  // A ratio of zero has no logarithm: such a trial has no place in the mean, and is told apart.
  const bool on_scale =
      analysis.effect == analysis::EffectMeasure::risk_difference || outcome.estimate.value > 0;
  if (!outcome.estimate.defined || !on_scale) return;
  n_defined += n;
  const double value = on_analysis_scale(analysis.effect, outcome.estimate.value);
  estimate.add(value, n);
  distribution.add(std::max(0.0, value + k_distribution_offset), n);
  if (const auto& published = analysis.published) {
    n_below_published += value < *published - k_same_estimate ? n : 0;
    n_at_published += std::abs(value - *published) <= k_same_estimate ? n : 0;
  }
  if (true_value)
    n_covered += outcome.estimate.lower <= *true_value && *true_value <= outcome.estimate.upper ? n : 0;
}

void AnalysisAccumulator::merge(const AnalysisAccumulator& later) {
  n_rejected += later.n_rejected;
  n_failed += later.n_failed;
  n_defined += later.n_defined;
  n_covered += later.n_covered;
  n_below_published += later.n_below_published;
  n_at_published += later.n_at_published;
  distribution.merge(later.distribution);
  estimate.merge(later.estimate);
  consistency.merge(later.consistency);
}

void ArmAccumulator::add(int events_of_trial, int patients_of_trial, std::uint64_t n) {
  const auto e = static_cast<std::uint64_t>(events_of_trial);
  const auto p = static_cast<std::uint64_t>(patients_of_trial);
  events += n * e;
  patients += n * p;
  events_squared += WideCount{n} * e * e;
  patients_squared += WideCount{n} * p * p;
  events_patients += WideCount{n} * e * p;
}

void ArmAccumulator::merge(const ArmAccumulator& later) {
  events += later.events;
  patients += later.patients;
  events_squared += later.events_squared;
  patients_squared += later.patients_squared;
  events_patients += later.events_patients;
}

void PointAccumulator::add_maintenance(const trial::Maintenance::Workspace& trial) {
  const std::size_t n_arms = trial.arms.size();
  for (std::size_t i = 0; i < n_arms; ++i) {
    const auto& arm = trial.arms[i];
    maintenance[i].add(arm.kept, arm.patients);
    maintenance[n_arms + i].add(arm.lost, arm.patients);
    maintenance[2 * n_arms + i].add(arm.flared, arm.patients);
  }
}

void PointAccumulator::add_calendar(const trial::TrialOutcome& outcome) {
  if (!outcome.has_calendar) return;
  enrolment_months.add(outcome.enrolment_months);
  duration_months.add(outcome.duration_months);
  n_screened.add(outcome.n_screened);
}

void PointAccumulator::merge(const PointAccumulator& later) {
  TRIALWRIGHT_EXPECT(analyses.size() == later.analyses.size() && arms.size() == later.arms.size() &&
                     maintenance.size() == later.maintenance.size());
  n_trials += later.n_trials;
  for (std::size_t i = 0; i < analyses.size(); ++i) analyses[i].merge(later.analyses[i]);
  for (std::size_t i = 0; i < arms.size(); ++i) arms[i].merge(later.arms[i]);
  for (std::size_t i = 0; i < maintenance.size(); ++i) maintenance[i].merge(later.maintenance[i]);
  enrolment_months.merge(later.enrolment_months);
  duration_months.merge(later.duration_months);
  n_screened.merge(later.n_screened);
  staged.merge(later.staged);
}

}  // namespace trialwright::engine
