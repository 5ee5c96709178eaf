// The maintenance phase of a randomised withdrawal trial: responders are randomised again and followed
// for loss of response and flare.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/binary_test.hpp"
#include "analysis/estimate.hpp"
#include "analysis/log_rank.hpp"
#include "design/withdrawal.hpp"
#include "rng/philox.hpp"
#include "trial/analysis_outcome.hpp"

namespace trialwright::trial {

// A maintenance arm against the one that treatment is withdrawn in.
struct MaintenanceComparison {
  design::MaintenanceOutcome outcome = design::MaintenanceOutcome::response_kept;
  int arm_1 = 0;  // index into WithdrawalSpec::arms
  int arm_0 = 0;
  analysis::Sides sides = analysis::Sides::two;
  double alpha = 0.05;
  // Of the risk difference (response_kept) or the hazard ratio, where the two arms have one.
  std::optional<double> true_value;
  bool is_null = false;  // both arms have the same law of this outcome
};

// Immutable, safe to share between threads.
//
// From re-randomisation on, t in weeks: in response; out of it at rate loss_per_week; from there in
// flare at flare_per_week; from flare back in response at recapture_per_week; out of the study at
// dropout_per_week, whatever the state. Response is seen at visits (every visit_every_weeks and at the
// last week), a flare on its day. Draws: rerandomisation, unit 0: word i for the i-th patient
// re-randomised, in the order of the first randomisation, from permuted blocks of twice the ratio;
// maintenance, unit patient: word 0 leaving, then a word a change of state.
class Maintenance {
 public:
  // `from_week`: of re-randomisation, the week at which response is judged.
  Maintenance(design::WithdrawalSpec spec, double from_week);

  // What became of one maintenance arm's patients.
  struct ArmOutcome {
    int patients = 0;
    int kept = 0;  // in response at the end, and still in the study
    int lost = 0;  // seen out of response at a visit
    int flared = 0;
  };
  struct Workspace {
    std::vector<ArmOutcome> arms;
    std::vector<int> events;    // [(time kind * n_arms + arm) * n_slots + slot]
    std::vector<int> censored;  // as events
    std::vector<int> block;
    std::vector<analysis::RiskSet> sets;
  };

  // Re-randomises and follows the patients with responds[i] == 1 in one of the arms re-randomised from.
  void simulate(rng::Key key, std::uint64_t trial, std::span<const int> arm,
                std::span<const std::int8_t> responds, Workspace& workspace) const;

  // Response kept: chi-square and risk difference (Newcombe); times: log-rank and hazard ratio.
  // `p_value` of the result is set. An arm without a patient fails.
  AnalysisOutcome analyse(const MaintenanceComparison& comparison, Workspace& workspace) const;

  // Every arm but the control against it, analysis by analysis.
  std::vector<MaintenanceComparison> comparisons(const design::MaintenanceAnalysis& analysis) const;

  // The probability to be in response at the end and in the study.
  double kept_probability(int i_arm) const;

  const design::WithdrawalSpec& spec() const { return spec_; }

 private:
  enum class TimeKind { loss, flare };
  struct Path;

  int draw_arm(rng::Key key, std::uint64_t trial, std::uint32_t i, Workspace& workspace) const;
  void follow(const Path& path, int arm, Workspace& workspace) const;
  std::span<const analysis::RiskSet> risk_sets(TimeKind kind, const MaintenanceComparison& comparison,
                                               Workspace& workspace) const;
  std::size_t cell(TimeKind kind, int arm, int slot) const;

  design::WithdrawalSpec spec_;
  double weeks_;                // of the phase
  std::vector<double> visits_;  // weeks since re-randomisation; the last is weeks_
  int n_slots_;                 // visits or days
  std::vector<int> full_block_;
};

}  // namespace trialwright::trial
