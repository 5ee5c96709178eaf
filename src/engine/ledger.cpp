#include "engine/ledger.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "base/contract.hpp"
#include "engine/table_counts.hpp"

namespace trialwright::engine {
namespace {

bool is_before(const Piece& a, const Piece& b) {
  return a.track != b.track ? a.track < b.track : a.range.from < b.range.from;
}

bool overlap(const Piece& a, const Piece& b) {
  return a.track == b.track && a.range.from < b.range.to && b.range.from < a.range.to;
}

// A piece does not say for which of its trials it has rows of patients: joined, those that have some
// and those that have none could not be told apart.
bool have_alike_rows(const Piece& a, const Piece& b) {
  for (std::size_t kind = 0; kind < k_row_kinds; ++kind)
    if (a.rows[kind].empty() != b.rows[kind].empty()) return false;
  return true;
}

}  // namespace

Ledger::Ledger(std::size_t n_points) : points_(n_points) {}

bool Ledger::add(Piece piece) {
  TRIALWRIGHT_EXPECT(piece.i_point < points_.size() && !piece.range.empty());
  auto& entry = points_[piece.i_point];
  auto& pieces = entry.pieces;
  const auto after = std::upper_bound(pieces.begin(), pieces.end(), piece, is_before);
  if (after != pieces.end() && overlap(piece, *after)) return false;
  if (after != pieces.begin() && overlap(piece, *std::prev(after))) return false;
  const auto place = pieces.insert(after, std::move(piece));
  const auto i = static_cast<std::size_t>(place - pieces.begin());
  join_after(entry, i);
  if (i > 0) join_after(entry, i - 1);
  return true;
}

bool Ledger::may_join(const PointEntry& entry, const Piece& earlier, const Piece& later) {
  const auto& [block, round] = entry.rules[static_cast<std::size_t>(later.track)];
  if (block == 0 || earlier.track != later.track || earlier.range.to != later.range.from) return false;
  if (!have_alike_rows(earlier, later)) return false;
  return later.range.to % block == 0 && (round == 0 || later.range.from % round != 0);
}

void Ledger::join_after(PointEntry& entry, std::size_t i) {
  auto& pieces = entry.pieces;
  if (i + 1 >= pieces.size() || !may_join(entry, pieces[i], pieces[i + 1])) return;
  pieces[i].merge(std::move(pieces[i + 1]));
  pieces.erase(pieces.begin() + static_cast<std::ptrdiff_t>(i) + 1);
}

void Ledger::add(PointValues values) {
  TRIALWRIGHT_EXPECT(values.i_point < points_.size());
  auto& known = points_[values.i_point].values;
  if (!known)
    known = std::move(values);
  else if (known->calculated.empty())
    known->calculated = std::move(values.calculated);
}

const PointValues* Ledger::values(std::size_t i_point) const {
  const auto& values = points_[i_point].values;
  return values ? &*values : nullptr;
}

std::span<const Piece> Ledger::pieces(std::size_t i_point) const {
  return points_[i_point].pieces;
}

std::vector<TrialRange> Ledger::gaps(std::size_t i_point, Track track, const TrialRange& wanted) const {
  std::vector<TrialRange> gaps;
  std::uint64_t from = wanted.from;
  for (const auto& piece : points_[i_point].pieces) {
    if (piece.track != track || piece.range.to <= from) continue;
    if (piece.range.from >= wanted.to) break;
    if (piece.range.from > from) gaps.push_back({from, piece.range.from});
    from = piece.range.to;
  }
  if (from < wanted.to) gaps.push_back({from, wanted.to});
  return gaps;
}

std::uint64_t Ledger::n_trials(std::size_t i_point) const {
  std::uint64_t n = 0;
  for (const auto& piece : points_[i_point].pieces)
    if (piece.track == Track::trials) n += piece.range.size();
  return n;
}

void Ledger::keep_fitting(std::size_t i_point, const TrackShape& trials, const TrackShape& calendars,
                          std::uint64_t round_trials) {
  auto& entry = points_[i_point];
  TRIALWRIGHT_EXPECT(round_trials % trials.block_trials == 0);
  entry.rules[static_cast<std::size_t>(Track::trials)] = {trials.block_trials, round_trials};
  entry.rules[static_cast<std::size_t>(Track::calendars)] = {calendars.block_trials, 0};
  std::erase_if(entry.pieces, [&](const Piece& piece) {
    if (piece.track == Track::calendars) return !calendars.fits(piece.range);
    const bool spans_rounds =
        round_trials != 0 && piece.range.from / round_trials != (piece.range.to - 1) / round_trials;
    return spans_rounds || !trials.fits(piece.range);
  });
  std::vector<Piece> pieces;
  std::swap(pieces, entry.pieces);
  for (auto& piece : pieces) {
    entry.pieces.push_back(std::move(piece));
    if (entry.pieces.size() > 1) join_after(entry, entry.pieces.size() - 2);
  }
}

bool belongs(const Piece& piece, const trial::TrialPlan& plan, const trial::CountPlan* counts,
             const TrueValues& true_values) {
  const PointAccumulator made(plan, true_values);
  if (piece.sum.analyses.size() != made.analyses.size() || piece.sum.arms.size() != made.arms.size() ||
      piece.sum.maintenance.size() != made.maintenance.size())
    return false;
  if (!piece.sum.staged.is_like(made.staged)) return false;
  for (std::size_t i = 0; i < made.analyses.size(); ++i)
    if (piece.sum.analyses[i].estimate.shift() != made.analyses[i].estimate.shift()) return false;
  if (piece.sum.n_trials != (piece.track == Track::trials ? piece.range.size() : 0)) return false;
  if (piece.cells.empty()) return true;
  std::vector<std::uint64_t> cells(TableLayout(plan, counts).n_cells());
  return piece.cells.add_to(cells);
}

PointAccumulator sum_of(std::span<const Piece> pieces, const trial::TrialPlan& plan,
                        const trial::CountPlan* counts, const TrueValues& true_values) {
  return sum_of(pieces, std::numeric_limits<std::uint64_t>::max(), plan, counts, true_values);
}

PointAccumulator sum_of(std::span<const Piece> pieces, std::uint64_t n_trials,
                        const trial::TrialPlan& plan, const trial::CountPlan* counts,
                        const TrueValues& true_values) {
  PointAccumulator sum(plan, true_values);
  const TableLayout layout(plan, counts);
  std::vector<std::uint64_t> cells(layout.n_cells());
  for (const auto& piece : pieces) {
    if (piece.track == Track::trials && piece.range.to > n_trials) continue;
    sum.merge(piece.sum);
    [[maybe_unused]] const bool are_in_layout = piece.cells.add_to(cells);
    TRIALWRIGHT_EXPECT(are_in_layout);
  }
  if (sum.n_trials == 0 || cells.empty()) return sum;
  const auto arms = counts ? arms_in_tables(plan, layout) : std::vector<std::optional<ArmInTables>>{};
  PointAccumulator tables(plan, true_values);
  add_tables(plan, layout, true_values, cells, arms, tables);
  sum.merge(tables);
  return sum;
}

}  // namespace trialwright::engine
