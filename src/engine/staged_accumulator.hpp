// The sums of a point whose design looks before the end: decisions, stops, sizes, calendar, adjusted
// inference.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stats/accumulators.hpp"
#include "stats/histogram.hpp"
#include "trial/end_counts.hpp"
#include "trial/staged_trial.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::engine {

// Numbers of patients are held exactly, months to half a bin.
inline constexpr std::size_t k_patients_bins = std::size_t{1} << 26;
inline constexpr double k_months_width = 0.01;
inline constexpr std::size_t k_months_bins = std::size_t{1} << 20;

// Was a hypothesis still tested at the trial's last look? Of one that was given up before (its arm was
// dropped, say) nobody takes an estimate from the trial.
bool was_tested_last(const design::TrialState& state, std::size_t i_hypothesis);

// Adjusted inference on one hypothesis, of the trials that tested it at their last look.
struct AdjustedAccumulator {
  std::uint64_t n_defined = 0;
  std::uint64_t n_covered = 0;   // of these, the interval holds the true value
  std::uint64_t n_repeated = 0;  // have a repeated interval too
  std::uint64_t n_repeated_covered = 0;
  stats::Moments estimate;  // on the analysis scale, about the true value or 0
};

struct StagedAccumulator {
  // Empty: of a fixed design.
  StagedAccumulator() = default;
  // `true_values` as of PointAccumulator.
  StagedAccumulator(const trial::TrialPlan& plan,
                    const std::vector<std::optional<double>>& true_values);

  bool is_empty() const { return n_looks == 0; }
  // `n` trials that ended so.
  void add(const trial::TrialEnd& end, std::uint64_t n = 1);
  void add(const trial::StagedOutcome& outcome, std::uint64_t n = 1);
  // One trial's calendar.
  void add_calendar(const trial::StagedOutcome& outcome);
  // One trial's adjusted inference.
  void add_inference(const trial::TrialPlan& plan,
                     const std::vector<std::optional<double>>& true_values,
                     const trial::StagedOutcome& outcome);
  // In any order and nesting to the same bits.
  void merge(const StagedAccumulator& later);
  // Have both the same looks, hypotheses and true values?
  bool is_like(const StagedAccumulator& other) const;

  std::uint64_t& stop(int i_look, design::StopReason reason) {
    return stops[static_cast<std::size_t>(i_look * design::k_stop_reasons + static_cast<int>(reason))];
  }

  int n_looks = 0;
  int n_hypotheses = 0;
  design::Bits true_nulls = 0;  // of the plan's truth, not summed

  // Of all trials.
  std::vector<std::uint64_t> rejected;        // [i_hypothesis]
  std::vector<std::uint64_t> naive_rejected;  // [i_hypothesis]
  std::uint64_t n_any = 0;                    // at least one hypothesis rejected
  std::uint64_t n_all = 0;                    // every one
  std::uint64_t n_error = 0;                  // at least one of which the null is true
  std::uint64_t n_naive_error = 0;
  std::vector<std::uint64_t> stops;  // [i_look * k_stop_reasons + reason]: trials that ended there
  std::vector<std::uint64_t> open;   // [i_look * n_hypotheses + i_hypothesis]: tested at that look
  stats::Histogram analysed{1, k_patients_bins};
  // [i_arm]: the arm's mean at the first look, where arms are chosen by means; else empty.
  std::vector<stats::Moments> first_means;

  // Of the trials that have a calendar.
  stats::Histogram enrolled{1, k_patients_bins};
  stats::Histogram overrun{1, k_patients_bins};  // enrolled, not known at the decision
  stats::Moments decision_months;
  stats::Histogram months{k_months_width, k_months_bins};

  // Of the first trial::k_inference_trials.
  std::uint64_t n_inference = 0;
  std::vector<AdjustedAccumulator> adjusted;  // [i_hypothesis]
};

}  // namespace trialwright::engine
