// The trials of every point as blocks of the pool: drawn as counts or simulated patient by patient, and
// summed.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <vector>

#include "engine/simulate.hpp"
#include "engine/table_counts.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::engine {

class TrialStage final : public Stage {
 public:
  // `work` must outlive the stage. `wait` is called before every block: it returns once the true values
  // of `work` are there.
  TrialStage(std::span<const Work> work, int n_threads, std::function<void()> wait = {});

  Monitor::Phase phase() const override { return Monitor::Phase::trials; }
  std::uint64_t n_blocks() const override { return index_.n_blocks(); }
  std::uint64_t n_items() const override { return n_trials_; }
  std::uint64_t run(std::uint64_t i_block, std::size_t i_thread) override;

  // Every point's sum over its finished blocks. Once, when the pool is done.
  std::vector<PointAccumulator> sums();

 private:
  static constexpr std::size_t k_no_point = ~std::size_t{0};

  // One thread's memory, with the tables of the point at hand that it has counted and not handed on.
  struct Worker {
    trial::Workspace workspace;
    trial::CountPlan::Workspace counts;
    std::vector<analysis::TwoByTwo> strata;
    std::vector<analysis::BinaryTest::Cache> caches;  // [i_analysis] of the point at hand
    std::vector<std::uint32_t> cells;
    std::size_t i_point = k_no_point;
    std::uint64_t n_blocks = 0;  // with tables in `cells`
    std::uint64_t n_trials = 0;
  };

  struct State {
    std::vector<std::optional<ArmInTables>> arms;  // that the tables tell; none where patients are made
    std::uint64_t block_trials = 1;
    std::uint64_t n_calendar_blocks = 0;  // before those of the trials
    std::uint64_t n_blocks = 0;
    OrderedSum<PointAccumulator> sum;  // of what is not tabulated
    std::mutex mutex;
    std::uint64_t n_blocks_counted = 0;  // whose tables are in `cells`
    std::vector<std::uint64_t> cells;
    PointAccumulator tables;
  };

  void turn_to(std::size_t i_point, Worker& worker);
  void hand_on_tables(Worker& worker);
  void evaluate(std::size_t i_point);
  void make_calendar(const Work& work, std::uint64_t i_block, Worker& worker, PointAccumulator& sum);
  void draw_counts(std::size_t i_point, std::uint64_t from, std::uint64_t to, Worker& worker,
                   PointAccumulator& sum);
  void simulate_patients(std::size_t i_point, std::uint64_t from, std::uint64_t to, Worker& worker,
                         PointAccumulator& sum);

  std::span<const Work> work_;
  std::function<void()> wait_;
  std::vector<TableLayout> layouts_;  // [i_point]
  std::vector<State> states_;         // [i_point]
  std::vector<Worker> workers_;       // [i_thread]
  BlockIndex index_;
  std::uint64_t n_trials_ = 0;
};

}  // namespace trialwright::engine
