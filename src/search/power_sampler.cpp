#include "search/power_sampler.hpp"

#include <algorithm>

#include "engine/simulate.hpp"
#include "engine/table_counts.hpp"
#include "trial/analyse_counts.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/staged_counts.hpp"
#include "trial/staged_trial.hpp"
#include "trialwright/error.hpp"

namespace trialwright::search {
namespace {

// Decisions of consecutive trials.
struct Decisions {
  std::vector<std::uint8_t> rejected;
  std::uint64_t n_for_harm = 0;
  void merge(const Decisions& later) {
    rejected.insert(rejected.end(), later.rejected.begin(), later.rejected.end());
    n_for_harm += later.n_for_harm;
  }
};

bool is_for_harm(const trial::PlannedAnalysis& analysis, const trial::AnalysisOutcome& outcome) {
  const auto& table = outcome.table;
  const std::int64_t difference =
      std::int64_t{table.responders_1} * table.n_0 - std::int64_t{table.responders_0} * table.n_1;
  const bool higher = analysis.test.spec().direction == analysis::Direction::higher_is_better;
  return outcome.rejected && (higher ? difference < 0 : difference > 0);
}

void note(const trial::PlannedAnalysis& analysis, const trial::AnalysisOutcome& outcome,
          Decisions& decisions) {
  decisions.rejected.push_back(outcome.rejected ? 1 : 0);
  decisions.n_for_harm += is_for_harm(analysis, outcome) ? 1 : 0;
}

// Of a design that looks before the end.
void note(const trial::StagedOutcome& outcome, Decisions& decisions) {
  decisions.rejected.push_back(outcome.rejected != 0 ? 1 : 0);
  decisions.n_for_harm += outcome.stop == design::StopReason::harm ? 1 : 0;
}

// One thread's memory.
struct Worker {
  trial::Workspace workspace;
  trial::CountPlan::Workspace counts;
  trial::StagedCountPlan::Workspace staged_counts;
  trial::EndCounts ends;
  trial::StagedOutcome staged;
  std::vector<analysis::TwoByTwo> strata;
  // Rejection regions of the plan at hand.
  const trial::TrialPlan* plan = nullptr;
  analysis::BinaryTest::Cache cache;

  void turn_to(const trial::TrialPlan& next) {
    if (plan == &next) return;
    plan = &next;
    cache = {};
    staged_counts.caches.clear();
  }
};

void simulate_patients(const trial::TrialPlan& plan, std::uint64_t from, std::uint64_t to,
                       Worker& worker, Decisions& decisions) {
  worker.workspace.prepare(plan);
  for (std::uint64_t i = from; i < to; ++i) {
    if (plan.staged) {
      trial::simulate_staged(plan, i, worker.workspace, worker.staged, nullptr);
      note(worker.staged, decisions);
      continue;
    }
    trial::simulate_trial(plan, i, worker.workspace);
    note(plan.analyses.front(), worker.workspace.outcome.analyses.front(), decisions);
  }
}

void draw_counts(const trial::TrialPlan& plan, const trial::CountPlan& counts, std::uint64_t from,
                 std::uint64_t to, Worker& worker, Decisions& decisions) {
  const auto& analysis = plan.analyses.front();
  const auto cells = engine::cells_of(plan, counts, 0);
  worker.turn_to(plan);
  for (std::uint64_t first = from; first < to; first += trial::CountPlan::k_most_trials) {
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(trial::CountPlan::k_most_trials, to - first));
    counts.draw(plan.key, first, n, worker.counts);
    for (std::size_t i = 0; i < n; ++i) {
      engine::read_tables(cells, worker.counts.counts, i, worker.strata);
      note(analysis, trial::analyse_counts(analysis, worker.strata, worker.cache), decisions);
    }
  }
}

void draw_staged_counts(const trial::TrialPlan& plan, const trial::StagedCountPlan& counts,
                        std::uint64_t from, std::uint64_t to, Worker& worker, Decisions& decisions) {
  worker.turn_to(plan);
  for (std::uint64_t first = from; first < to; first += trial::StagedCountPlan::k_most_trials) {
    const auto n = static_cast<std::size_t>(
        std::min<std::uint64_t>(trial::StagedCountPlan::k_most_trials, to - first));
    counts.run(plan.key, first, n, worker.staged_counts, worker.ends);
    for (std::size_t row = 0; row < n; ++row) {
      counts.looks_of(row, worker.staged_counts, worker.staged);
      note(worker.staged, decisions);
    }
  }
}

Error interruption() {
  return {ExitStatus::interrupted, "interrupted: the search for the sample size was not finished"};
}

}  // namespace

std::shared_ptr<const trial::TrialPlan> plan_with_patients(scenario::Study& study,
                                                           const scenario::PointSpec& point,
                                                           int patients) {
  scenario::PointSpec sized = point;
  sized.sweep.emplace_back("designs." + point.design + ".patients",
                           input::Node::scalar(std::to_string(patients)));
  return study.plan(sized);
}

PowerSampler::PowerSampler(scenario::Study& study, scenario::PointSpec point, int n_threads,
                           engine::Monitor* monitor)
    : study_(study), point_(std::move(point)), n_threads_(n_threads), monitor_(monitor) {}

std::shared_ptr<const trial::TrialPlan> PowerSampler::plan(int patients) {
  return sample(patients).plan;
}

PowerSampler::Sample& PowerSampler::sample(int patients) {
  const auto found = samples_.find(patients);
  if (found != samples_.end()) return found->second;
  auto plan = plan_with_patients(study_, point_, patients);
  return samples_.emplace(patients, Sample{std::move(plan), std::nullopt, {}, 0}).first->second;
}

void PowerSampler::extend(std::span<const int> sizes, std::uint64_t n_trials) {
  struct Extension {
    Sample* sample;
    std::uint64_t first_trial;
    std::uint64_t block_size;
  };
  std::vector<Extension> extensions;
  std::vector<engine::Job<Decisions>> jobs;
  for (int size : sizes) {
    Sample& of_size = sample(size);
    const std::uint64_t first = of_size.rejected.size();
    const bool is_listed = std::any_of(extensions.begin(), extensions.end(),
                                       [&](const auto& other) { return other.sample == &of_size; });
    if (first >= n_trials || is_listed) continue;
    if (!of_size.engine) of_size.engine = engine::engine_of(study_, *of_size.plan);
    const std::uint64_t block_size = engine::block_trials(*of_size.plan, of_size.engine->counts.get());
    extensions.push_back({&of_size, first, block_size});
    jobs.push_back({(n_trials - first + block_size - 1) / block_size, n_trials - first, {}});
  }
  engine::run_blocks<Worker>(
      jobs, n_threads_, monitor_, [&](std::size_t i_job, std::uint64_t block, Worker& worker) {
        const auto& extension = extensions[i_job];
        const auto& plan = *extension.sample->plan;
        const std::uint64_t from = extension.first_trial + block * extension.block_size;
        const std::uint64_t to = std::min(n_trials, from + extension.block_size);
        Decisions decisions;
        decisions.rejected.reserve(to - from);
        const auto& counts = extension.sample->engine->counts;
        if (counts && counts->staged())
          draw_staged_counts(plan, *counts->staged(), from, to, worker, decisions);
        else if (counts)
          draw_counts(plan, *counts, from, to, worker, decisions);
        else
          simulate_patients(plan, from, to, worker, decisions);
        return decisions;
      });
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    auto& rejected = extensions[i].sample->rejected;
    rejected.insert(rejected.end(), jobs[i].sum.rejected.begin(), jobs[i].sum.rejected.end());
    extensions[i].sample->n_for_harm += jobs[i].sum.n_for_harm;
    if (rejected.size() < n_trials) throw interruption();
  }
}

std::uint64_t PowerSampler::n_trials(int patients) const {
  const auto found = samples_.find(patients);
  return found == samples_.end() ? 0 : found->second.rejected.size();
}

std::uint64_t PowerSampler::n_rejected(int patients, std::uint64_t n_trials) const {
  return n_both_rejected(patients, patients, n_trials);
}

std::uint64_t PowerSampler::n_both_rejected(int patients, int others, std::uint64_t n_trials) const {
  const auto& one = samples_.at(patients).rejected;
  const auto& other = samples_.at(others).rejected;
  std::uint64_t n = 0;
  for (std::uint64_t i = 0; i < n_trials; ++i) n += one[i] & other[i];
  return n;
}

std::uint64_t PowerSampler::n_rejected_for_harm(int patients) const {
  return samples_.at(patients).n_for_harm;
}

void PowerSampler::heed_stop() const {
  if (monitor_ && monitor_->stop_requested()) throw interruption();
}

std::vector<int> PowerSampler::sizes_with(std::uint64_t n_trials) const {
  std::vector<int> sizes;
  for (const auto& [patients, of_size] : samples_)
    if (of_size.rejected.size() >= n_trials) sizes.push_back(patients);
  return sizes;
}

}  // namespace trialwright::search
