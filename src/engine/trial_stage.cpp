#include "engine/trial_stage.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/contract.hpp"
#include "trial/analyse_counts.hpp"

namespace trialwright::engine {
namespace {

void add_arm(std::span<const std::int32_t> events, std::span<const std::int32_t> patients,
             std::size_t n_trials, ArmAccumulator& sum) {
  for (std::size_t i = 0; i < n_trials; ++i) sum.add(events[i], patients[i]);
}

// An analysis held against another of the same trial, by the tables of both.
void add_consistency(const trial::TrialPlan& plan, std::size_t i_analysis,
                     std::span<const analysis::TwoByTwo> own, std::span<const analysis::TwoByTwo> with,
                     std::vector<analysis::BinaryTest::Cache>& caches, PointAccumulator& sum) {
  const auto& analysis = plan.analyses[i_analysis];
  const auto i_with = static_cast<std::size_t>(analysis.consistency->i_with);
  const auto& other = plan.analyses[i_with];
  sum.analyses[i_analysis].consistency.add(
      is_consistent(analysis, analysis.estimator(own), other.estimator(with)),
      other.test.reject(with, caches[i_with]));
}

// What a staged trial ended with, below k_inference_trials: as it stood at its last look.
void add_inference(const trial::TrialPlan& plan, const TrueValues& true_values,
                   const trial::TrialOutcome& outcome, const trial::StagedOutcome& staged,
                   PointAccumulator& sum) {
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    const bool is_hypothesis = i < static_cast<std::size_t>(plan.n_hypotheses);
    if (!is_hypothesis || was_tested_last(staged.state, i))
      sum.analyses[i].add(plan.analyses[i], true_values[i], outcome.analyses[i]);
    if (const auto& held = plan.analyses[i].consistency) {
      const auto with = static_cast<std::size_t>(held->i_with);
      const bool is_with_hypothesis = held->i_with < plan.n_hypotheses;
      sum.analyses[i].consistency.add(
          is_consistent(plan.analyses[i], outcome.analyses[i].estimate,
                        outcome.analyses[with].estimate),
          is_with_hypothesis ? (staged.rejected >> with & 1) != 0 : outcome.analyses[with].rejected);
    }
  }
  for (std::size_t arm = 0; arm < sum.arms.size(); ++arm)
    sum.arms[arm].add(outcome.counts[arm].events, outcome.counts[arm].patients);
  sum.staged.add_inference(plan, true_values, staged);
}

// "= {}" would keep the memory.
template <class T>
void free_memory(std::vector<T>& values) {
  std::vector<T>().swap(values);
}

}  // namespace

TrialStage::TrialStage(std::span<const PointWork> work, std::span<const Portion> portions,
                       int n_threads, TruthSource true_values, RowRecorder* rows)
    : work_(work),
      portions_(portions),
      true_values_(std::move(true_values)),
      rows_(rows),
      states_(portions.size()),
      workers_(static_cast<std::size_t>(n_threads)) {
  for (const auto& point : work) {
    TableLayout layout(*point.plan, point.counts);
    auto arms =
        point.counts ? arms_in_tables(*point.plan, layout) : std::vector<std::optional<ArmInTables>>{};
    points_.push_back({std::move(layout), std::move(arms)});
  }
  for (std::size_t i = 0; i < portions.size(); ++i) {
    const auto& [i_work, track, range] = portions[i];
    auto& state = states_[i];
    const auto shape = track_shape(*work[i_work].plan, work[i_work].counts, track, range.to);
    state.block_trials = shape.block_trials;
    state.first_block = index_.n_blocks();
    state.n_blocks = shape.n_blocks() - range.from / state.block_trials;
    TRIALWRIGHT_EXPECT(!range.empty() && range.to <= shape.n_trials);
    index_.add_job(state.n_blocks);
    if (track == Track::trials) n_trials_ += range.size();
  }
  if (rows_) rows_->begin(n_threads);
}

// Made by the thread that uses it, here and in the columns that it sizes later, so that on machines of
// several memory nodes its pages are on the thread's own.
TrialStage::Worker& TrialStage::worker(std::size_t i_thread) {
  auto& worker = workers_[i_thread];
  if (!worker) worker = std::make_unique<Worker>();
  return *worker;
}

// A range that begins within a block begins with the rest of it.
TrialRange TrialStage::block(std::size_t i_portion, std::uint64_t i_block) const {
  const auto& range = portions_[i_portion].range;
  const std::uint64_t size = states_[i_portion].block_trials;
  const std::uint64_t from = (range.from / size + i_block) * size;
  return {std::max(range.from, from), std::min(range.to, from + size)};
}

std::uint64_t TrialStage::run(std::uint64_t i, std::size_t i_thread) {
  const auto [i_portion, i_block] = index_[i];
  const auto& portion = portions_[i_portion];
  const auto& point = work_[portion.i_work];
  // First of all, since the rows of the blocks after this one wait for its own.
  std::optional<RowRecorder::Block> rows;
  if (rows_ && portion.track == Track::calendars)
    rows_->pass(i);
  else if (rows_)
    rows.emplace(rows_->open(i, i_thread, point.i_point, *point.plan));
  const auto& true_values = true_values_(portion.i_work);
  TRIALWRIGHT_EXPECT(true_values.size() == point.plan->analyses.size());
  auto& worker = this->worker(i_thread);
  turn_to(i_portion, true_values, worker);
  const TrialRange trials = block(i_portion, i_block);
  PointAccumulator sum(*point.plan, true_values);
  if (portion.track == Track::calendars) {
    if (point.plan->staged)
      make_staged_calendars(trials, worker, sum);
    else
      make_calendars(trials, worker, sum);
  } else {
    if (point.counts && point.counts->staged())
      draw_staged_counts(trials, true_values, worker, sum, rows ? &*rows : nullptr);
    else if (point.counts)
      draw_counts(trials, true_values, worker, sum, rows ? &*rows : nullptr);
    else if (point.plan->staged)
      simulate_staged(trials, true_values, worker, sum, rows ? &*rows : nullptr);
    else
      simulate_patients(trials, true_values, worker, sum, rows ? &*rows : nullptr);
    sum.n_trials = trials.size();
  }
  if (rows) rows->finish();
  worker.n_trials += sum.n_trials;
  ++worker.n_blocks;
  worker.sum.merge(sum);
  return sum.n_trials;
}

void TrialStage::turn_to(std::size_t i_portion, const TrueValues& true_values, Worker& worker) {
  constexpr std::uint64_t k_most_counted = std::numeric_limits<std::uint32_t>::max();
  if (worker.i_portion == i_portion &&
      worker.n_trials + states_[i_portion].block_trials <= k_most_counted)
    return;
  hand_on(worker);
  const auto& [i_work, track, range] = portions_[i_portion];
  const auto& plan = *work_[i_work].plan;
  worker.cells.assign(track == Track::trials ? points_[i_work].layout.n_cells() : 0, 0);
  worker.sum = PointAccumulator(plan, true_values);
  worker.i_portion = i_portion;
  if (std::exchange(worker.i_work, i_work) == i_work) return;
  worker.staged_counts.caches.clear();
  worker.caches.clear();
  worker.caches.resize(plan.analyses.size());
}

void TrialStage::hand_on(Worker& worker) {
  const std::size_t i_portion = std::exchange(worker.i_portion, k_none);
  if (i_portion == k_none) return;
  auto& state = states_[i_portion];
  const std::lock_guard lock(state.mutex);
  if (state.sum)
    state.sum->merge(worker.sum);
  else
    state.sum = std::move(worker.sum);
  state.cells.resize(worker.cells.size());
  for (std::size_t i = 0; i < worker.cells.size(); ++i) state.cells[i] += worker.cells[i];
  state.n_summed += std::exchange(worker.n_blocks, 0);
  worker.n_trials = 0;
  // Of the many points of a sweep the sparse counts alone wait for the next pause.
  if (state.n_summed == state.n_blocks) {
    state.packed = SparseCounts(state.cells);
    free_memory(state.cells);
  }
}

std::vector<Piece> TrialStage::take_pieces() {
  for (auto& worker : workers_)
    if (worker) hand_on(*worker);
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < portions_.size(); ++i)
    if (auto piece = take_piece(i)) pieces.push_back(std::move(*piece));
  if (rows_) rows_->forget(rows_->n_written());
  return pieces;
}

// The blocks done are a prefix of the portion's, so the new ones follow those taken before.
std::optional<Piece> TrialStage::take_piece(std::size_t i_portion) {
  auto& state = states_[i_portion];
  if (!state.sum) return std::nullopt;
  const auto& portion = portions_[i_portion];
  Piece piece;
  piece.i_point = work_[portion.i_work].i_point;
  piece.track = portion.track;
  piece.range = {block(i_portion, state.n_taken).from, block(i_portion, state.n_summed - 1).to};
  piece.sum = std::move(*state.sum);
  state.sum.reset();
  const bool is_whole = state.n_summed == state.n_blocks;
  piece.cells = is_whole ? std::exchange(state.packed, {}) : SparseCounts(state.cells);
  free_memory(state.cells);
  if (rows_)
    piece.rows = rows_->segments(state.first_block + state.n_taken, state.first_block + state.n_summed);
  state.n_taken = state.n_summed;
  return piece;
}

void TrialStage::make_calendars(const TrialRange& trials, Worker& worker, PointAccumulator& sum) {
  const auto& plan = *work_[worker.i_work].plan;
  worker.workspace.prepare(plan);
  for (std::uint64_t i = trials.from; i < trials.to; ++i) {
    trial::simulate_calendar(plan, i, worker.workspace);
    sum.add_calendar(worker.workspace.outcome);
  }
}

void TrialStage::draw_counts(const TrialRange& trials, const TrueValues& true_values, Worker& worker,
                             PointAccumulator& sum, RowRecorder::Block* rows) {
  const auto& plan = *work_[worker.i_work].plan;
  const auto& counts = *work_[worker.i_work].counts;
  const auto& [layout, arms] = points_[worker.i_work];
  const auto& columns = worker.counts.counts;
  for (std::uint64_t first = trials.from; first < trials.to; first += trial::CountPlan::k_most_trials) {
    const auto n = static_cast<std::size_t>(
        std::min<std::uint64_t>(trial::CountPlan::k_most_trials, trials.to - first));
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
            plan.analyses[i_analysis], true_values[i_analysis],
            trial::analyse_counts(plan.analyses[i_analysis], worker.strata, worker.caches[i_analysis]));
      }
    }
    compare_counts(n, worker, sum);
    if (rows && rows->wants_trials()) write_counts(first, n, worker, *rows);
  }
}

// Analyses that are held against others, in the n trials drawn last.
void TrialStage::compare_counts(std::size_t n, Worker& worker, PointAccumulator& sum) const {
  const auto& plan = *work_[worker.i_work].plan;
  const auto& counts = *work_[worker.i_work].counts;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    if (!plan.analyses[i].consistency) continue;
    const auto own = cells_of(plan, counts, i);
    const auto with =
        cells_of(plan, counts, static_cast<std::size_t>(plan.analyses[i].consistency->i_with));
    for (std::size_t row = 0; row < n; ++row) {
      read_tables(own, worker.counts.counts, row, worker.strata);
      read_tables(with, worker.counts.counts, row, worker.strata_compared);
      add_consistency(plan, i, worker.strata, worker.strata_compared, worker.caches, sum);
    }
  }
}

void TrialStage::write_counts(std::uint64_t first, std::size_t n, Worker& worker,
                              RowRecorder::Block& rows) {
  const auto& plan = *work_[worker.i_work].plan;
  const auto& counts = *work_[worker.i_work].counts;
  std::vector<TableCells> cells;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) cells.push_back(cells_of(plan, counts, i));
  worker.workspace.prepare(plan);
  for (std::size_t i_row = 0; i_row < n; ++i_row) {
    // The calendars' own blocks sum them; a row needs them with the trial's counts.
    const std::uint64_t trial = first + i_row;
    const bool has_calendar = trial < trial::k_calendar_trials;
    if (has_calendar) trial::simulate_calendar(plan, trial, worker.workspace);
    rows.begin(trial, has_calendar ? &worker.workspace.outcome : nullptr);
    for (std::size_t i = 0; i < cells.size(); ++i) {
      read_tables(cells[i], worker.counts.counts, i_row, worker.strata);
      rows.add(i, worker.strata);
    }
  }
}

void TrialStage::simulate_patients(const TrialRange& trials, const TrueValues& true_values,
                                   Worker& worker, PointAccumulator& sum, RowRecorder::Block* rows) {
  const auto& plan = *work_[worker.i_work].plan;
  const auto& layout = points_[worker.i_work].layout;
  auto& workspace = worker.workspace;
  const auto& outcome = workspace.outcome;
  workspace.prepare(plan);
  for (std::uint64_t i_trial = trials.from; i_trial < trials.to; ++i_trial) {
    trial::simulate_counts(plan, i_trial, workspace);
    const auto tables_of = [&](std::size_t i) {
      const std::span<const analysis::TwoByTwo> strata = workspace.strata[i];
      return strata.empty() ? std::span{&outcome.analyses[i].table, 1} : strata;
    };
    for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
      if (const auto& held = plan.analyses[i].consistency)
        add_consistency(plan, i, tables_of(i), tables_of(static_cast<std::size_t>(held->i_with)),
                        worker.caches, sum);
      if (plan.analyses[i].maintenance) {
        sum.analyses[i].add(plan.analyses[i], true_values[i], outcome.analyses[i]);
        continue;
      }
      const auto& table = outcome.analyses[i].table;
      if (const auto cell = layout.cell(i, table)) {
        ++worker.cells[*cell];
        continue;
      }
      sum.analyses[i].add(plan.analyses[i], true_values[i],
                          trial::analyse_counts(plan.analyses[i], tables_of(i), worker.caches[i]));
    }
    for (std::size_t arm = 0; arm < sum.arms.size(); ++arm)
      sum.arms[arm].add(outcome.counts[arm].events, outcome.counts[arm].patients);
    if (plan.maintenance) sum.add_maintenance(workspace.maintenance);
    sum.add_calendar(outcome);
    if (rows) write_trial(i_trial, worker, *rows);
  }
}

// The decisions of the trial's own counts, in time.
void TrialStage::make_staged_calendars(const TrialRange& trials, Worker& worker,
                                       PointAccumulator& sum) {
  const auto& plan = *work_[worker.i_work].plan;
  const auto& counts = *work_[worker.i_work].counts->staged();
  auto& staged = worker.staged;
  worker.workspace.prepare(plan);
  worker.ends.clear();
  for (std::uint64_t first = trials.from; first < trials.to;
       first += trial::StagedCountPlan::k_most_trials) {
    const auto n = static_cast<std::size_t>(
        std::min<std::uint64_t>(trial::StagedCountPlan::k_most_trials, trials.to - first));
    counts.run(plan.key, first, n, worker.staged_counts, worker.ends);
    for (std::size_t row = 0; row < n; ++row) {
      const auto looks = counts.looks_of(row, worker.staged_counts, staged);
      trial::add_calendar(plan, first + row, looks, worker.workspace, staged);
      sum.staged.add_calendar(staged);
      sum.add_calendar(worker.workspace.outcome);
    }
  }
}

void TrialStage::draw_staged_counts(const TrialRange& trials, const TrueValues& true_values,
                                    Worker& worker, PointAccumulator& sum, RowRecorder::Block* rows) {
  const auto& plan = *work_[worker.i_work].plan;
  const auto& counts = *work_[worker.i_work].counts->staged();
  auto& staged = worker.staged;
  auto& outcome = worker.workspace.outcome;
  worker.ends.clear();
  if (rows) worker.workspace.prepare(plan);
  for (std::uint64_t first = trials.from; first < trials.to;
       first += trial::StagedCountPlan::k_most_trials) {
    const auto n = static_cast<std::size_t>(
        std::min<std::uint64_t>(trial::StagedCountPlan::k_most_trials, trials.to - first));
    counts.run(plan.key, first, n, worker.staged_counts, worker.ends);
    for (std::size_t row = 0; row < n && first + row < trial::k_inference_trials; ++row) {
      counts.tell(plan, row, worker.staged_counts, staged, outcome);
      add_inference(plan, true_values, outcome, staged, sum);
    }
    if (rows && rows->wants_trials()) write_staged_counts(first, n, worker, *rows);
  }
  worker.ends.for_each([&](const trial::TrialEnd& end, std::uint64_t n) { sum.staged.add(end, n); });
}

void TrialStage::write_staged_counts(std::uint64_t first, std::size_t n, Worker& worker,
                                     RowRecorder::Block& rows) {
  const auto& plan = *work_[worker.i_work].plan;
  const auto& counts = *work_[worker.i_work].counts->staged();
  auto& staged = worker.staged;
  for (std::size_t row = 0; row < n; ++row) {
    std::vector<design::Inference> inference;
    if (first + row < trial::k_inference_trials) {
      counts.tell(plan, row, worker.staged_counts, staged, worker.workspace.outcome);
      inference = std::move(staged.inference);
    }
    const auto looks = counts.looks_of(row, worker.staged_counts, staged, &worker.looks);
    staged.inference = std::move(inference);
    const bool has_calendar = first + row < trial::k_calendar_trials;
    if (has_calendar) trial::add_calendar(plan, first + row, looks, worker.workspace, staged);
    rows.begin(first + row, has_calendar ? &worker.workspace.outcome : nullptr, staged, worker.looks);
    for (std::size_t i = 0; i < plan.analyses.size(); ++i)
      rows.add(i, counts.tables(i, looks.n_looks, row, worker.staged_counts));
  }
}

void TrialStage::simulate_staged(const TrialRange& trials, const TrueValues& true_values,
                                 Worker& worker, PointAccumulator& sum, RowRecorder::Block* rows) {
  const auto& plan = *work_[worker.i_work].plan;
  auto& workspace = worker.workspace;
  auto& staged = worker.staged;
  workspace.prepare(plan);
  for (std::uint64_t i_trial = trials.from; i_trial < trials.to; ++i_trial) {
    trial::simulate_staged(plan, i_trial, workspace, staged,
                           rows && rows->wants_trials() ? &worker.looks : nullptr);
    sum.staged.add(staged);
    sum.staged.add_calendar(staged);
    sum.add_calendar(workspace.outcome);
    if (i_trial < trial::k_inference_trials)
      add_inference(plan, true_values, workspace.outcome, staged, sum);
    if (rows) write_trial(i_trial, worker, *rows);
  }
}

void TrialStage::write_trial(std::uint64_t trial, Worker& worker, RowRecorder::Block& rows) {
  const auto& plan = *work_[worker.i_work].plan;
  auto& workspace = worker.workspace;
  const auto& analyses = workspace.outcome.analyses;
  if (rows.wants_trials()) {
    if (plan.staged)
      rows.begin(trial, &workspace.outcome, worker.staged, worker.looks);
    else
      rows.begin(trial, &workspace.outcome);
    for (std::size_t i = 0; i < analyses.size(); ++i) {
      if (plan.analyses[i].maintenance) {
        rows.add_made(i, analyses[i]);
        continue;
      }
      const std::span<const analysis::TwoByTwo> strata = workspace.strata[i];
      rows.add(i, strata.empty() ? std::span{&analyses[i].table, 1} : strata);
    }
  }
  if (rows.wants_patients(trial)) rows.add_patients(trial, workspace);
}

}  // namespace trialwright::engine
