// Trials that look before the end as counts: drawn stage by stage from their exact joint law, and
// decided, many at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/columns.hpp"
#include "rng/stream.hpp"
#include "trial/count_calendar.hpp"
#include "trial/count_law.hpp"
#include "trial/count_sampler.hpp"
#include "trial/end_counts.hpp"
#include "trial/recalled_looks.hpp"
#include "trial/staged_trial.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::trial {

// A plan's law of counts by stages, its rules, and what of them was decided beforehand; immutable, safe
// to share between threads. A stage's counts are columns of their own.
//
// Patients are independent and all of a look's outcomes are in, so what a look sees are the next
// patients of the list: fixed numbers where nothing but the planned looks decides them, else as many as
// the trial's state says. Draws: as CountSampler, unit = stage; what an incomplete block holds is drawn
// by words of unit 2^20 + stage.
class StagedCountPlan {
 public:
  // Where the plan's trials are no function of such counts, `plan` is null and `why_not` completes
  // "patients are simulated: …". `law` is count_law's of the same plan, which must outlive what is
  // made.
  struct Attempt {
    std::shared_ptr<const StagedCountPlan> plan;
    std::string why_not;
  };
  static Attempt make(const TrialPlan& plan, const PlanLaw& law);
  ~StagedCountPlan();

  // Memory of one thread. After run(): row i = trial first_trial + i.
  struct Workspace {
    base::Columns<std::int32_t> counts;  // [i_stage * columns of a stage + column]
    base::Columns<std::int32_t> sizes;   // [i_arm] of the stage at hand
    CountSampler::Scratch scratch;
    std::vector<design::TrialState> states;  // of the trials of a chunk
    std::vector<std::int32_t> known;
    std::vector<std::int32_t>
        urns;  // what is left of each one's block: [place in the chunk * n_arms + i_arm]
    std::vector<analysis::TwoByTwo> stages;  // of one trial
    std::vector<double> merits;
    std::vector<design::Rate> safety;
    std::vector<analysis::BinaryTest::Cache> caches;  // [i_analysis]
    base::Columns<std::uint32_t> block_words;
    RecalledLooks recalled;
  };

  static constexpr std::size_t k_most_trials = 1024;
  // Draws and decides trials first_trial … first_trial + n_trials - 1, n_trials <= k_most_trials, and
  // counts their ends.
  void run(rng::Key key, std::uint64_t first_trial, std::size_t n_trials, Workspace& workspace,
           EndCounts& ends) const;

  // One of the trials that run() drew last, decided again look by look: all of StagedOutcome but the
  // calendar and the pipeline (nobody is enrolled who is not known), and the analyses and arms of
  // `trial` as simulate_staged leaves them.
  void tell(const TrialPlan& plan, std::size_t row, Workspace& workspace, StagedOutcome& outcome,
            TrialOutcome& trial) const;
  // The same without inference and analyses, with what its calendar is made from. Records, in months
  // that nobody knows, are made where `records` is not null.
  CountedLooks looks_of(std::size_t row, Workspace& workspace, StagedOutcome& outcome,
                        std::vector<LookRecord>* records = nullptr) const;
  // The tables of an analysis after so many looks, one a stratum; valid until the workspace is used
  // again.
  std::span<const analysis::TwoByTwo> tables(std::size_t i_analysis, int n_looks, std::size_t row,
                                             Workspace& workspace) const;

  // Is every look decided by one table, made beforehand?
  bool decides_by_tables() const;
  // Probabilities of the ends, exact: by convolution over the looks, where decides_by_tables.
  struct EndProbability {
    TrialEnd end;  // of naive_rejected nothing is said
    double probability = 0;
  };
  std::vector<EndProbability> end_probabilities() const;

 private:
  class Maker;
  struct Impl;
  explicit StagedCountPlan(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace trialwright::trial
