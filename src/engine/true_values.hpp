// True values: what each analysis's estimator would give of an endless trial under a plan's truth.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/accumulator.hpp"
#include "engine/block_pool.hpp"
#include "engine/portion.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::engine {

// The values without their errors, as sums are made about them.
TrueValues values_alone(const std::vector<std::optional<TrueValue>>& truths);

// True values of every point, those known taken as they are. nullopt where the truth is drawn for each
// trial; exact where both rates have closed forms and the analysis is not stratified; otherwise the
// estimator applied to the pooled counts of PointWork::truth_patients of the point's own patients, in
// trials that no point uses (trial numbers from 2^47). A function of the point's plan, its engine and
// truth_patients alone: neither of the number of trials nor of the points beside it.
class TruthStage final : public Stage {
 public:
  // `work` must outlive the stage.
  TruthStage(std::span<const PointWork> work, int n_threads);

  Monitor::Phase phase() const override { return Monitor::Phase::true_values; }
  std::uint64_t n_blocks() const override;
  std::uint64_t n_items() const override { return n_trials_; }
  std::uint64_t run(std::uint64_t i_block, std::size_t i_thread) override;

  bool is_done(std::size_t i_work) const { return truths_[i_work].state == State::done; }
  // [i_analysis] of a point that is done.
  const std::vector<std::optional<TrueValue>>& truths(std::size_t i_work) const {
    return truths_[i_work].values;
  }
  // Returns when the point is done; throws what a block of any point threw.
  const TrueValues& wait(std::size_t i_work) const;

 private:
  // One analysis's tables, summed over trials, one a stratum.
  using Tables = std::vector<analysis::TwoByTwo>;
  struct Worker {
    trial::Workspace workspace;
    trial::CountPlan::Workspace counts;
  };
  enum class State { under_way, failed, done };
  // One point's truth: [i_analysis] its exact values and, where one has none, its trials in batches
  // [i_batch][i_analysis] until the last is there.
  struct Truth {
    const PointWork* work = nullptr;
    std::vector<std::optional<TrueValue>> values;
    TrueValues alone;
    std::uint64_t batch_trials = 0;
    std::vector<std::vector<Tables>> batches;
    std::atomic<std::uint64_t> n_left = 0;
    std::atomic<State> state = State::under_way;
  };

  void simulate_batch(const Truth& truth, std::uint64_t i_batch, Worker& worker,
                      std::vector<Tables>& sums) const;
  void draw_batch(const Truth& truth, std::uint64_t i_batch, Worker& worker,
                  std::vector<Tables>& sums) const;
  std::optional<TrueValue> pooled_value(const Truth& truth, std::size_t i_analysis) const;
  std::uint64_t run_batch(std::uint64_t i_block, std::size_t i_thread);
  void finish(Truth& truth);
  void fail();

  std::vector<Truth> truths_;                     // [i_work]
  std::vector<Truth*> simulated_;                 // those with batches
  std::vector<std::unique_ptr<Worker>> workers_;  // [i_thread]
  std::uint64_t n_trials_ = 0;
  std::atomic_flag has_failed_;
  std::exception_ptr failure_;
};

}  // namespace trialwright::engine
