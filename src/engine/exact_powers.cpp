#include "engine/exact_powers.hpp"

namespace trialwright::engine {
namespace {

using ExactPower = trial::TrialPlan::ExactPower;

// Of one point: the analyses' powers in order, one a block.
struct Powers {
  std::vector<ExactPower> values;
  void merge(const Powers& later) {
    values.insert(values.end(), later.values.begin(), later.values.end());
  }
};

struct NoScratch {};

}  // namespace

std::vector<std::vector<ExactPower>> exact_powers(std::span<const Work> work, int n_threads,
                                                  Monitor* monitor) {
  std::vector<Job<Powers>> jobs;
  for (const auto& point : work)
    jobs.push_back({point.plan->analyses.size(), point.plan->analyses.size(), {}});
  run_blocks<NoScratch>(jobs, n_threads, monitor,
                        [&](std::size_t i_job, std::uint64_t i_analysis, NoScratch&) {
                          const auto& plan = *work[i_job].plan;
                          return Powers{{plan.exact_power(plan.analyses[i_analysis])}};
                        });
  std::vector<std::vector<ExactPower>> powers;
  for (auto& job : jobs) {
    if (job.sum.values.size() < job.n_blocks) return {};
    powers.push_back(std::move(job.sum.values));
  }
  return powers;
}

}  // namespace trialwright::engine
