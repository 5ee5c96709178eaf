// The trials of every portion as blocks of the pool: drawn as counts or simulated patient by patient,
// and summed into pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "engine/block_pool.hpp"
#include "engine/piece.hpp"
#include "engine/portion.hpp"
#include "engine/row_recorder.hpp"
#include "engine/table_counts.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/staged_trial.hpp"

namespace trialwright::engine {

// Blocks begin at multiples of TrackShape::block_trials, so that a block's sums are the same whatever
// portion it is in; blocks' sums merge in any order to the same bits.
class TrialStage final : public Stage {
 public:
  // Called before every block with its portion's i_work: returns, once they are there, the point's true
  // values, which stay where they are.
  using TruthSource = std::function<const TrueValues&(std::size_t i_work)>;
  // `work`, `portions` and `rows` (which may be null) must outlive the stage.
  TrialStage(std::span<const PointWork> work, std::span<const Portion> portions, int n_threads,
             TruthSource true_values, RowRecorder* rows = nullptr);

  Monitor::Phase phase() const override { return Monitor::Phase::trials; }
  std::uint64_t n_blocks() const override { return index_.n_blocks(); }
  std::uint64_t n_items() const override { return n_trials_; }
  std::uint64_t run(std::uint64_t i_block, std::size_t i_thread) override;

  // While the pool is paused or at its end: what was finished since the last call, one piece for each
  // portion with new blocks, in the portions' order.
  std::vector<Piece> take_pieces();

 private:
  static constexpr std::size_t k_none = ~std::size_t{0};

  // One thread's memory, with the sums of the portion at hand that it has not handed on.
  struct Worker {
    trial::Workspace workspace;
    trial::StagedOutcome staged;
    std::vector<trial::LookRecord> looks;
    trial::CountPlan::Workspace counts;
    trial::StagedCountPlan::Workspace staged_counts;
    trial::EndCounts ends;
    std::vector<analysis::TwoByTwo> strata;
    std::vector<analysis::TwoByTwo> strata_compared;  // of the analysis that one is held against
    std::vector<analysis::BinaryTest::Cache> caches;  // [i_analysis] of the point at hand
    std::vector<std::uint32_t> cells;
    PointAccumulator sum;  // of what is not tabulated
    std::size_t i_work = k_none;
    std::size_t i_portion = k_none;
    std::uint64_t n_blocks = 0;  // in `sum` and `cells`
    std::uint64_t n_trials = 0;
  };

  // What does not change of a point while it is worked on.
  struct PointState {
    TableLayout layout;
    std::vector<std::optional<ArmInTables>> arms;  // that the tables tell; none where patients are made
  };

  struct PortionState {
    std::uint64_t block_trials = 1;
    std::uint64_t first_block = 0;  // of the stage
    std::uint64_t n_blocks = 0;
    std::mutex mutex;
    std::uint64_t n_summed = 0;  // blocks in `sum` and `cells`, or taken before
    std::uint64_t n_taken = 0;
    std::optional<PointAccumulator> sum;
    std::vector<std::uint64_t> cells;
    SparseCounts packed;  // instead of `cells`, once all blocks are summed
  };

  Worker& worker(std::size_t i_thread);
  TrialRange block(std::size_t i_portion, std::uint64_t i_block) const;
  void turn_to(std::size_t i_portion, const TrueValues& true_values, Worker& worker);
  void hand_on(Worker& worker);
  std::optional<Piece> take_piece(std::size_t i_portion);
  void make_calendars(const TrialRange& trials, Worker& worker, PointAccumulator& sum);
  // `rows` may be null.
  void draw_counts(const TrialRange& trials, const TrueValues& true_values, Worker& worker,
                   PointAccumulator& sum, RowRecorder::Block* rows);
  void simulate_patients(const TrialRange& trials, const TrueValues& true_values, Worker& worker,
                         PointAccumulator& sum, RowRecorder::Block* rows);
  // The same of designs that look before the end.
  void make_staged_calendars(const TrialRange& trials, Worker& worker, PointAccumulator& sum);
  void write_staged_counts(std::uint64_t first, std::size_t n, Worker& worker,
                           RowRecorder::Block& rows);
  void draw_staged_counts(const TrialRange& trials, const TrueValues& true_values, Worker& worker,
                          PointAccumulator& sum, RowRecorder::Block* rows);
  void simulate_staged(const TrialRange& trials, const TrueValues& true_values, Worker& worker,
                       PointAccumulator& sum, RowRecorder::Block* rows);
  void compare_counts(std::size_t n, Worker& worker, PointAccumulator& sum) const;
  // Rows of the n trials from `first` on that were drawn last.
  void write_counts(std::uint64_t first, std::size_t n, Worker& worker, RowRecorder::Block& rows);
  // Rows of the trial that was simulated last.
  void write_trial(std::uint64_t trial, Worker& worker, RowRecorder::Block& rows);

  std::span<const PointWork> work_;
  std::span<const Portion> portions_;
  TruthSource true_values_;
  RowRecorder* rows_;
  std::vector<PointState> points_;                // [i_work]
  std::vector<PortionState> states_;              // [i_portion]
  std::vector<std::unique_ptr<Worker>> workers_;  // [i_thread]
  BlockIndex index_;
  std::uint64_t n_trials_ = 0;
};

}  // namespace trialwright::engine
