// Counts instead of patients: where all that a plan reads of its patients are counts in each arm and
// stratum, these are drawn from their exact joint law, many trials at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/columns.hpp"
#include "rng/stream.hpp"
#include "trial/count_law.hpp"
#include "trial/count_sampler.hpp"
#include "trial/staged_counts.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// The joint law of a plan's counts, compiled into tables; immutable, safe to share between threads.
class CountPlan {
 public:
  // Where the plan has no exact law of its counts, `plan` is null and `why_not` says the reason in
  // words that complete "patients are simulated: …".
  struct Attempt {
    std::shared_ptr<const CountPlan> plan;
    std::string why_not;
  };
  static Attempt make(const TrialPlan& plan);
  ~CountPlan();

  // The counts of one estimand in one arm (and one stratum of an analysis): columns of the workspace.
  using Cell = CountCell;
  // What can stand in a column.
  using Range = CountRange;
  // [i_estimand * n_arms + i_arm], arms as TrialPlan::arms: over all strata.
  const std::vector<Cell>& arms() const;
  // [i_analysis][stratum]: the active arm's and the control's; empty for an analysis that is neither
  // stratified nor of a subgroup.
  using StratumCells = CountStratumCells;
  const std::vector<std::vector<StratumCells>>& strata() const;
  std::size_t n_columns() const;
  // Counts outside have together less than 1e-15 of the probability, and are never drawn.
  Range range(std::size_t column) const;
  // Of a design that looks before the end: how its trials are drawn and decided, by stages. The columns
  // above are then of all patients planned, as if no look changed anything. Null of a fixed design.
  const StagedCountPlan* staged() const;
  // Bytes that the tables hold.
  std::size_t table_bytes() const;

  // Memory of one thread, filled by draw(): column c of `counts`, row i = trial first_trial + i.
  struct Workspace {
    base::Columns<std::int32_t> counts;
    CountSampler::Scratch scratch;
  };
  static constexpr std::size_t k_most_trials = 1024;
  // Draws trials first_trial … first_trial + n_trials - 1, n_trials <= k_most_trials: a pure function
  // of (law, key, trial), whatever the cut. No allocation after a workspace's first use with this plan.
  void draw(rng::Key key, std::uint64_t first_trial, std::size_t n_trials, Workspace& workspace) const;

 private:
  struct Impl;
  explicit CountPlan(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace trialwright::trial
