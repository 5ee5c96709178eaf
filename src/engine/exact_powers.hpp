// The exact powers that stand beside the simulated ones.
#pragma once

#include <span>
#include <vector>

#include "engine/simulate.hpp"

namespace trialwright::engine {

// TrialPlan::exact_power of every analysis of every point, each one block of the pool, those of the most
// patients first.
class ExactPowerStage final : public Stage {
 public:
  // `work` must outlive the stage.
  explicit ExactPowerStage(std::span<const Work> work);

  Monitor::Phase phase() const override { return Monitor::Phase::exact_powers; }
  std::uint64_t n_blocks() const override { return order_.size(); }
  std::uint64_t n_items() const override { return order_.size(); }
  std::uint64_t run(std::uint64_t i_block, std::size_t i_thread) override;

  // [i_work][i_analysis], once the stage's blocks are done.
  using Powers = std::vector<std::vector<trial::TrialPlan::ExactPower>>;
  Powers& powers() { return powers_; }

 private:
  struct Place {
    std::size_t i_work = 0;
    std::size_t i_analysis = 0;
  };

  std::span<const Work> work_;
  std::vector<Place> order_;
  Powers powers_;
};

}  // namespace trialwright::engine
