#include "engine/staged_accumulator.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "base/contract.hpp"
#include "engine/accumulator.hpp"

namespace trialwright::engine {
namespace {

void add_bits(design::Bits bits, std::uint64_t n, std::span<std::uint64_t> counts) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += (bits >> i & 1) != 0 ? n : 0;
}

void add_each(std::vector<std::uint64_t>& sums, const std::vector<std::uint64_t>& later) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += later[i];
}

}  // namespace

bool was_tested_last(const design::TrialState& state, std::size_t i_hypothesis) {
  TRIALWRIGHT_EXPECT(state.n_looks >= 1);
  return (state.open_at[static_cast<std::size_t>(state.n_looks) - 1] >> i_hypothesis & 1) != 0;
}

StagedAccumulator::StagedAccumulator(const trial::TrialPlan& plan,
                                     const std::vector<std::optional<double>>& true_values) {
  if (!plan.staged) return;
  n_looks = plan.staged->n_looks();
  n_hypotheses = plan.n_hypotheses;
  const auto n = static_cast<std::size_t>(n_hypotheses);
  TRIALWRIGHT_EXPECT(n_looks >= 1 && n_looks <= design::k_most_looks && n <= plan.analyses.size());
  rejected.resize(n);
  naive_rejected.resize(n);
  adjusted.resize(n);
  stops.resize(static_cast<std::size_t>(n_looks * design::k_stop_reasons));
  open.resize(static_cast<std::size_t>(n_looks) * n);
  if (plan.merit_mean) first_means.resize(plan.arms.size());
  for (std::size_t i = 0; i < n; ++i) {
    if (plan.is_null(plan.analyses[i])) true_nulls |= design::Bits{1} << i;
    if (i < true_values.size() && true_values[i])
      adjusted[i].estimate =
          stats::Moments(on_analysis_scale(plan.analyses[i].effect, *true_values[i]));
  }
}

void StagedAccumulator::add(const trial::StagedOutcome& outcome, std::uint64_t n) {
  auto end = trial::end_of(outcome.state, outcome.stop, outcome.naive_rejected, outcome.n_analysed);
  // Looks that a trial never came to are skipped: its last analysis is the last look all the same.
  if (outcome.is_final && end.n_looks < n_looks) {
    std::swap(end.open_at[end.n_looks - std::size_t{1}],
              end.open_at[static_cast<std::size_t>(n_looks) - 1]);
    end.n_looks = static_cast<std::uint8_t>(n_looks);
  }
  add(end, n);
  for (std::size_t arm = 0; arm < outcome.first_means.size(); ++arm)
    if (outcome.first_means[arm].patients > 0) first_means[arm].add(outcome.first_means[arm].value, n);
}

void StagedAccumulator::add(const trial::TrialEnd& end, std::uint64_t n) {
  TRIALWRIGHT_EXPECT(end.n_looks >= 1 && end.n_looks <= n_looks);
  const design::Bits all = (design::Bits{1} << n_hypotheses) - 1;
  add_bits(end.rejected, n, rejected);
  add_bits(end.naive_rejected, n, naive_rejected);
  n_any += (end.rejected & all) != 0 ? n : 0;
  n_all += (end.rejected & all) == all ? n : 0;
  n_error += (end.rejected & true_nulls) != 0 ? n : 0;
  n_naive_error += (end.naive_rejected & true_nulls) != 0 ? n : 0;
  stop(end.n_looks - 1, end.stop) += n;
  for (int i_look = 0; i_look < end.n_looks; ++i_look)
    add_bits(end.open_at[static_cast<std::size_t>(i_look)], n,
             std::span(open).subspan(static_cast<std::size_t>(i_look * n_hypotheses),
                                     static_cast<std::size_t>(n_hypotheses)));
  analysed.add(end.n_analysed, n);
}

void StagedAccumulator::add_calendar(const trial::StagedOutcome& outcome) {
  if (!outcome.has_calendar) return;
  enrolled.add(outcome.n_enrolled);
  overrun.add(std::max(0, outcome.n_enrolled - outcome.n_known));
  decision_months.add(outcome.decision_months);
  months.add(outcome.decision_months);
}

void StagedAccumulator::add_inference(const trial::TrialPlan& plan,
                                      const std::vector<std::optional<double>>& true_values,
                                      const trial::StagedOutcome& outcome) {
  ++n_inference;
  for (std::size_t i = 0; i < adjusted.size() && i < outcome.inference.size(); ++i) {
    const auto& inference = outcome.inference[i];
    const auto effect = plan.analyses[i].effect;
    const bool on_scale = effect == analysis::EffectMeasure::risk_difference || inference.estimate > 0;
    if (!inference.defined || !on_scale || !was_tested_last(outcome.state, i)) continue;
    ++adjusted[i].n_defined;
    adjusted[i].estimate.add(on_analysis_scale(effect, inference.estimate));
    const auto& truth = true_values[i];
    const auto holds = [&](double lower, double upper) {
      return truth && lower <= *truth && *truth <= upper ? 1 : 0;
    };
    adjusted[i].n_covered += holds(inference.lower, inference.upper);
    if (!inference.has_repeated()) continue;
    ++adjusted[i].n_repeated;
    adjusted[i].n_repeated_covered += holds(inference.repeated_lower, inference.repeated_upper);
  }
}

bool StagedAccumulator::is_like(const StagedAccumulator& other) const {
  const auto same_shift = [](const AdjustedAccumulator& a, const AdjustedAccumulator& b) {
    return a.estimate.shift() == b.estimate.shift();
  };
  return n_looks == other.n_looks && n_hypotheses == other.n_hypotheses &&
         true_nulls == other.true_nulls && stops.size() == other.stops.size() &&
         open.size() == other.open.size() && rejected.size() == other.rejected.size() &&
         naive_rejected.size() == other.naive_rejected.size() &&
         first_means.size() == other.first_means.size() &&
         std::equal(adjusted.begin(), adjusted.end(), other.adjusted.begin(), other.adjusted.end(),
                    same_shift);
}

void StagedAccumulator::merge(const StagedAccumulator& later) {
  TRIALWRIGHT_EXPECT(is_like(later));
  add_each(rejected, later.rejected);
  add_each(naive_rejected, later.naive_rejected);
  add_each(stops, later.stops);
  add_each(open, later.open);
  n_any += later.n_any;
  n_all += later.n_all;
  n_error += later.n_error;
  n_naive_error += later.n_naive_error;
  analysed.merge(later.analysed);
  for (std::size_t arm = 0; arm < first_means.size(); ++arm)
    first_means[arm].merge(later.first_means[arm]);
  enrolled.merge(later.enrolled);
  overrun.merge(later.overrun);
  decision_months.merge(later.decision_months);
  months.merge(later.months);
  n_inference += later.n_inference;
  for (std::size_t i = 0; i < adjusted.size(); ++i) {
    adjusted[i].n_defined += later.adjusted[i].n_defined;
    adjusted[i].n_covered += later.adjusted[i].n_covered;
    adjusted[i].n_repeated += later.adjusted[i].n_repeated;
    adjusted[i].n_repeated_covered += later.adjusted[i].n_repeated_covered;
    adjusted[i].estimate.merge(later.adjusted[i].estimate);
  }
}

}  // namespace trialwright::engine
