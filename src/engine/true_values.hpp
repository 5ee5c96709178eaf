// True values: what each analysis's estimator would give of an endless trial under a plan's truth.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/simulate.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::engine {

// The true value of one analysis on its effect measure, and that value's own Monte Carlo standard error
// (0 where it is exact).
struct TrueValue {
  double value = 0;
  double mcse = 0;
  friend bool operator==(const TrueValue&, const TrueValue&) = default;
};

// [i_work][i_analysis]; nullopt where the truth is drawn for each trial. Exact where both rates have
// closed forms and the analysis is not stratified; otherwise the estimator applied to the pooled counts
// of trials that no point uses (trial numbers from 2^47), about a tenth of the point's own patients, at
// least 2^18 and at most 2^23. Points that differ in the number of patients alone share them.
using PointTruths = std::vector<std::vector<std::optional<TrueValue>>>;

// Their trials, as blocks of the pool.
class TruthStage final : public Stage {
 public:
  // Fills in the true values of `work`, which must outlive the stage, when the last block is done.
  TruthStage(std::span<Work> work, int n_threads);

  Monitor::Phase phase() const override { return Monitor::Phase::true_values; }
  std::uint64_t n_blocks() const override;
  std::uint64_t n_items() const override { return n_trials_; }
  std::uint64_t run(std::uint64_t i_block, std::size_t i_thread) override;

  // Returns when the true values are filled in; throws what a block of theirs threw.
  void wait() const;
  PointTruths& truths() { return truths_; }

 private:
  // One analysis's tables, summed over trials, one a stratum.
  using Tables = std::vector<analysis::TwoByTwo>;
  struct Worker {
    trial::Workspace workspace;
    trial::CountPlan::Workspace counts;
  };
  // One truth: its exact values [i_analysis] and, where one has none, its trials in batches
  // [i_batch][i_analysis].
  struct Truth {
    const Work* work = nullptr;
    std::vector<std::optional<TrueValue>> exact;
    std::uint64_t batch_trials = 0;
    std::vector<std::vector<Tables>> batches;
  };

  void simulate_batch(const Truth& truth, std::uint64_t i_batch, Worker& worker,
                      std::vector<Tables>& sums) const;
  void draw_batch(const Truth& truth, std::uint64_t i_batch, Worker& worker,
                  std::vector<Tables>& sums) const;
  std::optional<TrueValue> pooled_value(const Truth& truth, std::size_t i_analysis) const;
  std::uint64_t run_batch(std::uint64_t i_block, std::size_t i_thread);
  void finish();
  void fail();

  std::span<Work> work_;
  std::map<std::uint64_t, Truth> truths_of_key_;  // TrialPlan::truth_key
  std::vector<Truth*> simulated_;
  std::vector<Worker> workers_;  // [i_thread]
  std::uint64_t n_trials_ = 0;
  enum class State { under_way, failed, done };
  std::atomic<std::uint64_t> n_left_;
  std::atomic_flag has_failed_;
  std::exception_ptr failure_;
  std::atomic<State> state_ = State::under_way;
  PointTruths truths_;
};

// Runs a TruthStage alone.
PointTruths true_values(std::span<Work> work, int n_threads, Monitor* monitor);

}  // namespace trialwright::engine
