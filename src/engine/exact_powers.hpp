// What is calculated of every analysis, and stands beside what is simulated: exact power, and whether
// its null hypothesis is true.
#pragma once

#include <span>
#include <vector>

#include "engine/simulate.hpp"

namespace trialwright::engine {

// Of one analysis of one point.
struct Calculated {
  trial::TrialPlan::ExactPower power;
  bool is_null = false;
};

// TrialPlan::exact_power and is_null of every analysis of every point, each one block of the pool,
// those of the most patients first.
class ExactPowerStage final : public Stage {
 public:
  // `work` must outlive the stage.
  explicit ExactPowerStage(std::span<const Work> work);

  Monitor::Phase phase() const override { return Monitor::Phase::exact_powers; }
  std::uint64_t n_blocks() const override { return order_.size(); }
  std::uint64_t n_items() const override { return order_.size(); }
  std::uint64_t run(std::uint64_t i_block, std::size_t i_thread) override;

  // [i_work][i_analysis], once the stage's blocks are done.
  using Table = std::vector<std::vector<Calculated>>;
  const Table& calculated() const { return calculated_; }

 private:
  struct Place {
    std::size_t i_work = 0;
    std::size_t i_analysis = 0;
  };

  std::span<const Work> work_;
  std::vector<Place> order_;
  Table calculated_;
};

}  // namespace trialwright::engine
