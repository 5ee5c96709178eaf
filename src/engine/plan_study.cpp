#include <algorithm>
#include <mutex>
#include <numeric>
#include <utility>

#include "engine/block_pool.hpp"
#include "engine/run_study.hpp"
#include "trialwright/error.hpp"

namespace trialwright::engine {
namespace {

// Below so many points a copy of the study costs more than it saves. As many are planned between two
// looks whether to stop.
constexpr std::size_t k_points_of_a_range = 16;

// The plans of a range of points, and what is wrong with them.
struct PlannedRange {
  std::vector<std::shared_ptr<const trial::TrialPlan>> plans;
  input::Diagnostics faults;
  void merge(const PlannedRange& later) {
    plans.insert(plans.end(), later.plans.begin(), later.plans.end());
    for (const auto& fault : later.faults.faults()) faults.add(fault.at, fault.problem, fault.hint);
  }
};

struct NoScratch {};

// Asks a monitor, which hears of one thread at a time, whether to stop.
class StopAsked {
 public:
  explicit StopAsked(Monitor* monitor) : monitor_(monitor) {}
  void check() {
    if (!monitor_) return;
    const std::lock_guard lock(mutex_);
    if (monitor_->stop_requested())
      throw Error(ExitStatus::interrupted, "interrupted: the points were not planned yet");
  }

 private:
  Monitor* monitor_;
  std::mutex mutex_;
};

// One range of neighbouring points a thread, each planned by its own copy of the study.
std::vector<std::shared_ptr<const trial::TrialPlan>> plan_points(
    const scenario::Study& study, std::span<const scenario::PointSpec> points, int n_threads,
    Monitor* monitor) {
  const std::size_t n_ranges = std::clamp<std::size_t>(points.size() / k_points_of_a_range, 1,
                                                       static_cast<std::size_t>(n_threads));
  StopAsked stop(monitor);
  std::vector<Job<PlannedRange>> jobs{{n_ranges, points.size(), {}}};
  run_blocks<NoScratch>(jobs, n_threads, nullptr, [&](std::size_t, std::uint64_t i, NoScratch&) {
    const std::size_t to = points.size() * (i + 1) / n_ranges;
    scenario::Study copy = study;
    PlannedRange range;
    for (std::size_t from = points.size() * i / n_ranges; from < to; from += k_points_of_a_range) {
      stop.check();
      const auto some =
          copy.plans(points.subspan(from, std::min(k_points_of_a_range, to - from)), range.faults);
      range.plans.insert(range.plans.end(), some.begin(), some.end());
    }
    return range;
  });
  auto& all = jobs.front().sum;
  if (!all.faults.empty()) study.refuse(all.faults);
  return std::move(all.plans);
}

}  // namespace

StudyPlan plan_study(const scenario::Study& study, int n_threads, Monitor* monitor) {
  std::vector<std::size_t> all(study.points().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return plan_study(study, all, n_threads, monitor);
}

StudyPlan plan_study(const scenario::Study& study, std::span<const std::size_t> i_points, int n_threads,
                     Monitor* monitor) {
  StudyPlan plan;
  auto points = study.points();
  for (const std::size_t i : i_points) plan.points.push_back(std::move(points[i]));
  plan.i_points.assign(i_points.begin(), i_points.end());
  plan.plans = plan_points(study, plan.points, n_threads, monitor);
  plan.engines = engines_of(study, plan.plans, n_threads, monitor);
  return plan;
}

}  // namespace trialwright::engine
