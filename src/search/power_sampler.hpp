// Which trials reject at which sizes, with the same trial numbers at every size.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/block_pool.hpp"
#include "engine/point_engine.hpp"
#include "scenario/study.hpp"

namespace trialwright::search {

// Simulates trials 0, 1, 2 … of one design at any size, by the engine that the study says, and keeps
// each trial's decision on the primary analysis.
class PowerSampler {
 public:
  // The point's sweep may settle anything but `designs.<design>.patients`.
  PowerSampler(scenario::Study& study, scenario::PointSpec point, int n_threads,
               engine::Monitor* monitor);

  // The plan at a size; bad_input where the design does not allow it.
  std::shared_ptr<const trial::TrialPlan> plan(int patients);

  // Brings every one of the sizes to at least n_trials trials. Throws Error (interrupted) after a stop.
  void extend(std::span<const int> sizes, std::uint64_t n_trials);

  // Trials simulated at a size so far.
  std::uint64_t n_trials(int patients) const;
  // Among the first n_trials: how many reject at a size, and at both of two sizes.
  std::uint64_t n_rejected(int patients, std::uint64_t n_trials) const;
  std::uint64_t n_both_rejected(int patients, int others, std::uint64_t n_trials) const;
  // Among all at a size: how many reject although the response is the worse one in the active arm.
  std::uint64_t n_rejected_for_harm(int patients) const;
  // Throws Error (interrupted) where a stop is asked for.
  void heed_stop() const;
  // Sizes with at least n_trials, in order.
  std::vector<int> sizes_with(std::uint64_t n_trials) const;

 private:
  struct Sample {
    std::shared_ptr<const trial::TrialPlan> plan;
    std::optional<engine::PointEngine> engine;  // once trials are asked for
    std::vector<std::uint8_t> rejected;         // [trial]
    std::uint64_t n_for_harm = 0;
  };

  Sample& sample(int patients);

  scenario::Study& study_;
  scenario::PointSpec point_;
  int n_threads_;
  engine::Monitor* monitor_;
  std::map<int, Sample> samples_;
};

// The point's plan with that many patients.
std::shared_ptr<const trial::TrialPlan> plan_with_patients(scenario::Study& study,
                                                           const scenario::PointSpec& point,
                                                           int patients);

}  // namespace trialwright::search
