// What is calculated of every analysis, and stands beside what is simulated: exact power, and whether
// its null hypothesis is true.
#pragma once

#include <atomic>
#include <span>
#include <vector>

#include "engine/block_pool.hpp"
#include "engine/portion.hpp"

namespace trialwright::engine {

// Is an analysis's null true, and its exact power: of a fixed design by TrialPlan::exact_power; of a
// design with looks by convolution, where its counts have fixed sizes and tables alone decide, with the
// exact probabilities of its stops. `counts` is the plan's law of counts, or null where patients are
// simulated.
Calculated calculated_of(const trial::TrialPlan& plan, const trial::CountPlan* counts,
                         std::size_t i_analysis);

// calculated_of of every analysis of every point whose values are needed and not
// known, each one block of the pool, those of the most patients first.
class ExactPowerStage final : public Stage {
 public:
  // `work` must outlive the stage.
  explicit ExactPowerStage(std::span<const PointWork> work);

  Monitor::Phase phase() const override { return Monitor::Phase::exact_powers; }
  std::uint64_t n_blocks() const override { return order_.size(); }
  std::uint64_t n_items() const override { return order_.size(); }
  std::uint64_t run(std::uint64_t i_block, std::size_t i_thread) override;

  // Are a point's powers to be found?
  bool is_asked(std::size_t i_work) const;
  // While the pool works on none of the stage's blocks: are a point's all done, and [i_analysis] what
  // they gave (empty where not asked for).
  bool is_done(std::size_t i_work) const { return n_left_[i_work] == 0; }
  const std::vector<Calculated>& calculated(std::size_t i_work) const { return calculated_[i_work]; }

 private:
  struct Place {
    std::size_t i_work = 0;
    std::size_t i_analysis = 0;
  };

  std::span<const PointWork> work_;
  std::vector<Place> order_;
  std::vector<std::vector<Calculated>> calculated_;  // [i_work]
  std::vector<std::atomic<std::size_t>> n_left_;     // [i_work]
};

}  // namespace trialwright::engine
