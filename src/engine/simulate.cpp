#include "engine/simulate.hpp"

#include <algorithm>
#include <bit>

namespace trialwright::engine {
namespace {

constexpr std::uint64_t k_block_patients = 1 << 18;
constexpr std::uint64_t k_max_block_trials = 1 << 12;

}  // namespace

std::uint64_t block_trials(const trial::TrialPlan& plan) {
  const auto patients = static_cast<std::uint64_t>(plan.n_patients);
  return std::min(k_max_block_trials,
                  std::bit_ceil(std::max<std::uint64_t>(1, k_block_patients / patients)));
}

std::uint64_t n_blocks(const Work& work) {
  const std::uint64_t size = block_trials(*work.plan);
  return (work.n_trials + size - 1) / size;
}

PointAccumulator simulate_block(const Work& work, std::uint64_t block, trial::Workspace& workspace) {
  const std::uint64_t size = block_trials(*work.plan);
  const std::uint64_t from = block * size;
  const std::uint64_t to = std::min(work.n_trials, from + size);
  PointAccumulator sum(*work.plan, work.true_values);
  workspace.prepare(*work.plan);
  for (std::uint64_t i = from; i < to; ++i) {
    trial::simulate_trial(*work.plan, work.first_trial + i, workspace);
    sum.add(*work.plan, work.true_values, workspace.outcome);
  }
  return sum;
}

std::vector<PointAccumulator> simulate(std::span<const Work> work, int n_threads, Monitor* monitor) {
  std::vector<Job<PointAccumulator>> jobs;
  for (const auto& point : work)
    jobs.push_back({n_blocks(point), point.n_trials, PointAccumulator(*point.plan, point.true_values)});
  run_blocks<trial::Workspace>(
      jobs, n_threads, monitor,
      [&](std::size_t i_point, std::uint64_t block, trial::Workspace& workspace) {
        return simulate_block(work[i_point], block, workspace);
      });
  std::vector<PointAccumulator> sums;
  for (auto& job : jobs) sums.push_back(std::move(job.sum));
  return sums;
}

}  // namespace trialwright::engine
