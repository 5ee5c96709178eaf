#include "engine/trial_stage.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/contract.hpp"
#include "trial/analyse_counts.hpp"

namespace trialwright::engine {
namespace {

constexpr std::uint64_t k_calendar_block = 128;

std::uint64_t blocks_of(std::uint64_t n, std::uint64_t size) {
  return (n + size - 1) / size;
}

// Of a point drawn as counts: the trials whose calendar is made.
std::uint64_t n_calendars(const Work& work) {
  if (!work.counts || work.first_trial >= trial::k_calendar_trials) return 0;
  return std::min(work.n_trials, trial::k_calendar_trials - work.first_trial);
}

void add_arm(std::span<const std::int32_t> events, std::span<const std::int32_t> patients,
             std::size_t n_trials, ArmAccumulator& sum) {
  for (std::size_t i = 0; i < n_trials; ++i) sum.add(events[i], patients[i]);
}

}  // namespace

TrialStage::TrialStage(std::span<const Work> work, int n_threads, std::function<void()> wait)
    : work_(work),
      wait_(std::move(wait)),
      states_(work.size()),
      workers_(static_cast<std::size_t>(n_threads)) {
  for (std::size_t i = 0; i < work.size(); ++i) {
    const auto& point = work[i];
    auto& state = states_[i];
    layouts_.emplace_back(*point.plan, point.counts.get());
    if (point.counts) state.arms = arms_in_tables(*point.plan, layouts_[i]);
    state.block_trials = block_trials(*point.plan, point.counts.get());
    state.n_calendar_blocks = blocks_of(n_calendars(point), k_calendar_block);
    state.n_blocks = state.n_calendar_blocks + blocks_of(point.n_trials, state.block_trials);
    index_.add_job(state.n_blocks);
    n_trials_ += point.n_trials;
  }
}

std::uint64_t TrialStage::run(std::uint64_t i, std::size_t i_thread) {
  if (wait_) wait_();
  const auto [i_point, i_block] = index_[i];
  const auto& work = work_[i_point];
  TRIALWRIGHT_EXPECT(work.true_values.size() == work.plan->analyses.size());
  auto& state = states_[i_point];
  auto& worker = workers_[i_thread];
  turn_to(i_point, worker);
  PointAccumulator sum(*work.plan, work.true_values);
  if (i_block < state.n_calendar_blocks) {
    make_calendar(work, i_block, worker, sum);
  } else {
    const std::uint64_t from = (i_block - state.n_calendar_blocks) * state.block_trials;
    const std::uint64_t to = std::min(work.n_trials, from + state.block_trials);
    if (work.counts)
      draw_counts(i_point, work.first_trial + from, work.first_trial + to, worker, sum);
    else
      simulate_patients(i_point, work.first_trial + from, work.first_trial + to, worker, sum);
    sum.n_trials = to - from;
  }
  const std::uint64_t n_trials = sum.n_trials;
  worker.n_trials += n_trials;
  ++worker.n_blocks;
  state.sum.add(i_block, std::move(sum));
  return n_trials;
}

void TrialStage::turn_to(std::size_t i_point, Worker& worker) {
  constexpr std::uint64_t k_most_counted = std::numeric_limits<std::uint32_t>::max();
  if (worker.i_point == i_point && worker.n_trials + states_[i_point].block_trials <= k_most_counted)
    return;
  hand_on_tables(worker);
  worker.cells.assign(layouts_[i_point].n_cells(), 0);
  if (worker.i_point == i_point) return;
  worker.i_point = i_point;
  worker.caches.clear();
  worker.caches.resize(work_[i_point].plan->analyses.size());
}

void TrialStage::hand_on_tables(Worker& worker) {
  if (worker.i_point == k_no_point) return;
  const std::size_t i_point = worker.i_point;
  auto& state = states_[i_point];
  bool is_complete = false;
  {
    const std::lock_guard lock(state.mutex);
    state.cells.resize(worker.cells.size());
    for (std::size_t i = 0; i < worker.cells.size(); ++i) state.cells[i] += worker.cells[i];
    state.n_blocks_counted += std::exchange(worker.n_blocks, 0);
    is_complete = state.n_blocks_counted == state.n_blocks;
  }
  worker.n_trials = 0;
  if (is_complete) evaluate(i_point);
}

void TrialStage::evaluate(std::size_t i_point) {
  const auto& work = work_[i_point];
  auto& state = states_[i_point];
  if (state.cells.empty()) return;
  state.tables = PointAccumulator(*work.plan, work.true_values);
  add_tables(*work.plan, layouts_[i_point], work.true_values, state.cells, state.arms, state.tables);
  std::vector<std::uint64_t>().swap(state.cells);  // "= {}" would keep the memory
}

std::vector<PointAccumulator> TrialStage::sums() {
  for (auto& worker : workers_) {
    hand_on_tables(worker);
    worker.i_point = k_no_point;
  }
  std::vector<PointAccumulator> sums;
  for (std::size_t i = 0; i < work_.size(); ++i) {
    evaluate(i);  // what a stop has left
    auto& sum = sums.emplace_back(std::move(states_[i].sum.sum()));
    if (!states_[i].tables.analyses.empty()) sum.merge(states_[i].tables);
  }
  return sums;
}

void TrialStage::make_calendar(const Work& work, std::uint64_t i_block, Worker& worker,
                               PointAccumulator& sum) {
  worker.workspace.prepare(*work.plan);
  const std::uint64_t from = i_block * k_calendar_block;
  const std::uint64_t to = std::min(n_calendars(work), from + k_calendar_block);
  for (std::uint64_t i = from; i < to; ++i) {
    trial::simulate_calendar(*work.plan, work.first_trial + i, worker.workspace);
    sum.add_calendar(worker.workspace.outcome);
  }
}

void TrialStage::draw_counts(std::size_t i_point, std::uint64_t from, std::uint64_t to, Worker& worker,
                             PointAccumulator& sum) {
  const auto& plan = *work_[i_point].plan;
  const auto& counts = *work_[i_point].counts;
  const auto& layout = layouts_[i_point];
  const auto& arms = states_[i_point].arms;
  const auto& columns = worker.counts.counts;
  for (std::uint64_t first = from; first < to; first += trial::CountPlan::k_most_trials) {
    const auto n =
        static_cast<std::size_t>(std::min<std::uint64_t>(trial::CountPlan::k_most_trials, to - first));
    counts.draw(plan.key, first, n, worker.counts);
    layout.count(columns, n, worker.cells);
    for (std::size_t arm = 0; arm < arms.size(); ++arm) {
      const auto& cell = counts.arms()[arm];
      if (!arms[arm]) add_arm(columns[cell.events], columns[cell.patients], n, sum.arms[arm]);
    }
    for (std::size_t i_analysis = 0; i_analysis < plan.analyses.size(); ++i_analysis) {
      if (layout.tabulates(i_analysis)) continue;
      const auto cells = cells_of(plan, counts, i_analysis);
      for (std::size_t i = 0; i < n; ++i) {
        read_tables(cells, columns, i, worker.strata);
        sum.analyses[i_analysis].add(
            plan.analyses[i_analysis], work_[i_point].true_values[i_analysis],
            trial::analyse_counts(plan.analyses[i_analysis], worker.strata, worker.caches[i_analysis]));
      }
    }
  }
}

void TrialStage::simulate_patients(std::size_t i_point, std::uint64_t from, std::uint64_t to,
                                   Worker& worker, PointAccumulator& sum) {
  const auto& plan = *work_[i_point].plan;
  const auto& layout = layouts_[i_point];
  auto& workspace = worker.workspace;
  const auto& outcome = workspace.outcome;
  workspace.prepare(plan);
  for (std::uint64_t i_trial = from; i_trial < to; ++i_trial) {
    trial::simulate_counts(plan, i_trial, workspace);
    for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
      const auto& table = outcome.analyses[i].table;
      if (const auto cell = layout.cell(i, table)) {
        ++worker.cells[*cell];
        continue;
      }
      const std::span<const analysis::TwoByTwo> strata = workspace.strata[i];
      sum.analyses[i].add(
          plan.analyses[i], work_[i_point].true_values[i],
          trial::analyse_counts(plan.analyses[i], strata.empty() ? std::span{&table, 1} : strata,
                                worker.caches[i]));
    }
    for (std::size_t arm = 0; arm < sum.arms.size(); ++arm)
      sum.arms[arm].add(outcome.counts[arm].events, outcome.counts[arm].patients);
    sum.add_calendar(outcome);
  }
}

}  // namespace trialwright::engine
