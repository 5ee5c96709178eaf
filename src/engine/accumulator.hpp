// The accumulator of one point: counts and moments over its trials, merged in any order.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/consistency.hpp"
#include "engine/staged_accumulator.hpp"
#include "stats/accumulators.hpp"
#include "stats/histogram.hpp"
#include "stats/ratio.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::engine {

// The distribution of estimates is kept to half a bin: differences and logarithms of ratios within [-4,
// 4].
inline constexpr double k_distribution_offset = 4;
inline constexpr double k_distribution_width = 0.001;
inline constexpr std::size_t k_distribution_bins = 8001;

struct AnalysisAccumulator {
  // `n` trials that came to this outcome; `true_value` on the effect measure's own scale.
  void add(const trial::PlannedAnalysis& analysis, const std::optional<double>& true_value,
           const trial::AnalysisOutcome& outcome, std::uint64_t n = 1);
  void merge(const AnalysisAccumulator& later);

  std::uint64_t n_rejected = 0;
  std::uint64_t n_failed = 0;
  std::uint64_t n_defined = 0;          // trials with a defined estimate and interval
  std::uint64_t n_covered = 0;          // of these, the interval holds the true value
  std::uint64_t n_below_published = 0;  // estimates below the published one, and equal to it
  std::uint64_t n_at_published = 0;
  stats::Moments estimate;  // on the analysis scale (ln of a ratio), about the true value or 0
  stats::Histogram distribution{k_distribution_width,
                                k_distribution_bins};  // of estimate + k_distribution_offset
  ConsistencyCounts consistency;                       // of an analysis that is held against another
};

// Squares of counts, summed over up to 10^12 trials.
__extension__ typedef unsigned __int128 WideCount;

struct ArmAccumulator {
  // `n` trials with these counts.
  void add(int events_of_trial, int patients_of_trial, std::uint64_t n = 1);
  void merge(const ArmAccumulator& later);

  std::uint64_t events = 0;
  std::uint64_t patients = 0;
  WideCount events_squared = 0;  // sums over trials, for the standard error of the ratio of sums
  WideCount patients_squared = 0;
  WideCount events_patients = 0;
};

// Events over patients, trials being the units.
stats::RatioSums ratio_sums(const ArmAccumulator& arm);

// [i_analysis]: the true value on the effect measure's own scale, nullopt where there is none.
using TrueValues = std::vector<std::optional<double>>;

class PointAccumulator {
 public:
  PointAccumulator() = default;
  PointAccumulator(const trial::TrialPlan& plan, const TrueValues& true_values);

  // What became of one trial's responders randomised again.
  void add_maintenance(const trial::Maintenance::Workspace& trial);
  // The calendar of one trial, where it has one.
  void add_calendar(const trial::TrialOutcome& outcome);
  // `later` holds other trials of the same point, about the same true values, or other sums of the same
  // trials. Whatever is merged, in whatever order and nesting, has the same bits.
  void merge(const PointAccumulator& later);

  std::uint64_t n_trials = 0;
  std::vector<AnalysisAccumulator> analyses;
  std::vector<ArmAccumulator> arms;  // [i_estimand * n_arms + i_arm]
  // Of responders randomised again, [i_outcome * n_maintenance_arms + i_arm], outcomes as
  // design::MaintenanceOutcome; of other designs empty.
  std::vector<ArmAccumulator> maintenance;
  // Of the trials that have a calendar.
  stats::Moments enrolment_months;
  stats::Moments duration_months;
  stats::Moments n_screened;
  // Empty of a fixed design. Of a design that looks before the end, what it decides and comes to is
  // here; `analyses` and `arms` then are of the trials below trial::k_inference_trials alone, as they
  // stood at the look that ended each; those of a hypothesis of the trials alone that tested it at that
  // look.
  StagedAccumulator staged;
};

// The scale estimates are averaged on: ln for ratios, the difference itself.
double on_analysis_scale(analysis::EffectMeasure effect, double value);

}  // namespace trialwright::engine
