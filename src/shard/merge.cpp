#include "shard/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include "engine/ledger.hpp"
#include "engine/precision.hpp"
#include "engine/run_portions.hpp"
#include "engine/run_study.hpp"
#include "shard/found_work.hpp"
#include "shard/gather.hpp"
#include "trialwright/error.hpp"
#include "trialwright/version.hpp"

namespace trialwright::shard {
namespace {

using engine::Ledger;
using engine::StudyPlan;
using engine::Track;
using engine::TrackShape;
using engine::TrialRange;

// Points planned at a time: bounds the memory of plans.
constexpr std::size_t k_batch_points = 256;

// What a point's round lacks, and of what.
struct Lack {
  MissingRange missing;
  TrackShape shape;
  TrialRange wanted;
};

// How far one point is.
struct PointState {
  std::uint64_t i_round = 0;
  bool is_whole = false;
  bool has_round_after = false;
  std::uint64_t n_trials_used = 0;  // the point's trials before this are in its results
  std::vector<Lack> lacks;          // of its round
  std::optional<Point> point;
};

PointState state_of(const scenario::Study& study, const StudyPlan& plan, std::size_t i,
                    const Ledger& ledger) {
  const auto& simulation = study.spec().simulation;
  const auto* counts = plan.engines[i].counts.get();
  const auto trials = engine::track_shape(*plan.plans[i], counts, Track::trials, simulation.trials);
  const auto calendars =
      engine::track_shape(*plan.plans[i], counts, Track::calendars, simulation.trials);
  const engine::Rounds rounds(simulation, trials);
  const auto standing = engine::standing_of(study, plan, i, ledger);
  const TrialRange round = rounds.round(standing.i_round);

  PointState state{standing.i_round,
                   standing.is_whole,
                   standing.i_round + 1 < rounds.n_rounds(),
                   round.to,
                   {},
                   engine::point_of(plan, i, ledger, round.to)};
  if (state.is_whole) return state;
  const auto add = [&](Track track, const TrackShape& shape, const TrialRange& wanted) {
    for (const auto& gap : ledger.gaps(plan.i_points[i], track, wanted))
      state.lacks.push_back({{plan.i_points[i], track, gap}, shape, wanted});
  };
  if (standing.i_round == 0) add(Track::calendars, calendars, {0, calendars.n_trials});
  add(Track::trials, trials, round);
  return state;
}

struct States {
  std::vector<PointState> of_points;
  void merge(const States& later) {
    of_points.insert(of_points.end(), later.of_points.begin(), later.of_points.end());
  }
};
struct NoScratch {};

class ValuesIntoLedger final : public engine::Keeper {
 public:
  explicit ValuesIntoLedger(Ledger& ledger) : ledger_(ledger) {}
  void keep(std::vector<engine::Piece>, std::vector<engine::PointValues> values) override {
    for (auto& of_point : values) ledger_.add(std::move(of_point));
  }
  std::optional<std::chrono::steady_clock::duration> interval() override { return std::nullopt; }

 private:
  Ledger& ledger_;
};

std::uint64_t size_of_union(std::vector<TrialRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const TrialRange& a, const TrialRange& b) { return a.from < b.from; });
  std::uint64_t size = 0, reached = 0;
  for (const auto& range : ranges) {
    const std::uint64_t from = std::max(range.from, reached);
    if (range.to > from) size += range.to - from;
    reached = std::max(reached, range.to);
  }
  return size;
}

scenario::Study study_of(const Header& header, std::optional<std::uint64_t> n_trials) {
  std::vector<std::string> assignments;
  if (n_trials && *n_trials != header.n_trials)
    assignments.push_back(fmt::format("simulation.trials={}", *n_trials));
  auto study = scenario::Study::parse(header.resolved_yaml, header.study, ".", assignments);
  if (study.hash() != header.study_hash || study.points().size() != header.n_points)
    throw io_error(
        fmt::format("the study \"{}\" in the shard files is not the one that their "
                    "study_hash {:016x} names: they were made by another program",
                    header.study, header.study_hash));
  return study;
}

class Merger {
 public:
  Merger(Gathered found, scenario::Study study, int n_threads, engine::Monitor* monitor)
      : found_(std::move(found)),
        n_threads_(n_threads),
        monitor_(monitor),
        outcome_{.study = std::move(study),
                 .header = found_.header,
                 .files = found_.files,
                 .results = {},
                 .missing = {},
                 .missing_shards = {},
                 .open_points = {},
                 .rounds = {},
                 .notes = found_.notes,
                 .rows = {},
                 .content = {}} {
    outcome_.header.n_trials = simulation().trials;
    outcome_.header.resolved_yaml = outcome_.study.resolved_yaml();
    outcome_.content.header = outcome_.header;
    outcome_.content.header.shard = {1, 1};
  }

  MergeOutcome run() {
    outcome_.results = engine::results_without_points(outcome_.study);
    const std::size_t n = found_.header.n_points;
    for (std::size_t from = 0; from < n; from += k_batch_points)
      take_batch(from, std::min(n, from + k_batch_points));
    judge();
    find_missing_shards();
    tell_notes();
    outcome_.results.partial = !outcome_.is_complete();
    outcome_.content.is_whole = true;
    outcome_.content.progress =
        Progress{0, 0, n_trials_used_, found_.header.n_points * simulation().trials};
    return std::move(outcome_);
  }

 private:
  const scenario::SimulationSpec& simulation() const { return outcome_.study.spec().simulation; }

  void take_batch(std::size_t from, std::size_t to) {
    std::vector<std::size_t> i_points(to - from);
    std::iota(i_points.begin(), i_points.end(), from);
    const auto plan = engine::plan_study(outcome_.study, i_points, n_threads_, monitor_);
    Ledger ledger(found_.header.n_points);
    std::vector<std::uint64_t> n_found;
    for (const std::size_t i : i_points) n_found.push_back(count_overlaps(i));
    Content batch = contents_of(i_points);
    find_values(plan, batch, ledger);
    std::vector<Content> batches;
    batches.push_back(std::move(batch));
    const auto left_out = enter(std::move(batches), plan, simulation(), ledger);
    keep_content(ledger, left_out);

    std::vector<engine::Job<States>> jobs{{i_points.size(), i_points.size(), {}}};
    engine::run_blocks<NoScratch>(jobs, n_threads_, nullptr,
                                  [&](std::size_t, std::uint64_t i, NoScratch&) {
                                    return States{{state_of(outcome_.study, plan, i, ledger)}};
                                  });
    for (std::size_t i = 0; i < i_points.size(); ++i) {
      auto& state = jobs.front().sum.of_points[i];
      n_unusable_ += n_found[i] - std::min(n_found[i], ledger.n_trials(i_points[i]));
      if (state.point) {
        n_trials_used_ += state.point->n_trials;
        outcome_.results.points.push_back(std::move(*state.point));
        add_rows_of(ledger.pieces(i_points[i]), state.n_trials_used);
      }
      states_.push_back({state.i_round, state.is_whole, state.has_round_after, state.n_trials_used,
                         std::move(state.lacks), std::nullopt});
    }
  }

  // Returns the point's trials that are anywhere in the files.
  std::uint64_t count_overlaps(std::size_t i_point) {
    std::vector<TrialRange> ranges;
    std::uint64_t sum = 0;
    for (const auto& piece : found_.pieces[i_point]) {
      if (piece.track != Track::trials) continue;
      ranges.push_back(piece.range);
      sum += piece.range.size();
    }
    const std::uint64_t n_found = size_of_union(std::move(ranges));
    outcome_.n_trials_overlapping += sum - n_found;
    return n_found;
  }

  Content contents_of(const std::vector<std::size_t>& i_points) {
    Content batch;
    batch.header = found_.header;
    for (const std::size_t i : i_points) {
      std::move(found_.pieces[i].begin(), found_.pieces[i].end(), std::back_inserter(batch.pieces));
      std::move(found_.values[i].begin(), found_.values[i].end(), std::back_inserter(batch.values));
      found_.pieces[i] = {};
      found_.values[i] = {};
    }
    return batch;
  }

  // Computes what no file tells of the points that it holds trials of.
  void find_values(const StudyPlan& plan, const Content& batch, Ledger& ledger) {
    std::set<std::size_t> lacking;
    for (const auto& piece : batch.pieces) lacking.insert(piece.i_point);
    for (const auto& values : batch.values)
      if (!values.calculated.empty()) lacking.erase(values.i_point);
    std::vector<engine::PointWork> work;
    for (std::size_t i = 0; i < plan.points.size(); ++i)
      if (lacking.contains(plan.i_points[i]))
        work.push_back({plan.i_points[i], plan.plans[i].get(), plan.engines[i].counts.get(), nullptr,
                        true, simulation().truth_patients});
    if (work.empty()) return;
    ValuesIntoLedger keeper(ledger);
    if (engine::run_portions(work, {}, n_threads_, monitor_, keeper) == engine::Ended::stopped)
      throw Error(ExitStatus::interrupted, "interrupted: nothing was merged");
  }

  void keep_content(const Ledger& ledger, const std::vector<engine::Piece>& left_out) {
    Content content = content_of(outcome_.content.header, ledger, left_out);
    std::move(content.pieces.begin(), content.pieces.end(),
              std::back_inserter(outcome_.content.pieces));
    std::move(content.values.begin(), content.values.end(),
              std::back_inserter(outcome_.content.values));
  }

  void add_rows_of(std::span<const engine::Piece> pieces, std::uint64_t n_trials) {
    const auto& outputs = outcome_.study.spec().outputs;
    for (const auto& piece : pieces)
      if (const auto why = engine::lacking_rows(piece, outputs); why && piece.range.to <= n_trials)
        throw io_error(fmt::format("trials {} to {} of point {} cannot be used: {}", piece.range.from,
                                   piece.range.to - 1, piece.i_point + 1, *why));
    engine::add_rows(pieces, n_trials, "/", outcome_.rows);
  }

  // Which round is the first that is not whole, and what it lacks; what the rounds before it have
  // shown.
  void judge() {
    constexpr std::uint64_t k_none = ~std::uint64_t{0};
    std::uint64_t first = k_none, last = 0;
    for (const auto& state : states_) {
      if (!state.is_whole) first = std::min(first, state.i_round);
      last = std::max(last, state.i_round);
    }
    if (first != k_none) find_lacks(first);
    if (!simulation().precision) return;
    RoundsFile rounds{found_.header.study_hash,
                      found_.header.seed,
                      found_.header.version,
                      target_text(simulation()),
                      {}};
    for (std::uint64_t r = 0; r < std::min(first, last); ++r) {
      auto& open = rounds.open.emplace_back();
      for (std::size_t i = 0; i < states_.size(); ++i)
        if (states_[i].i_round > r) open.push_back(i);
    }
    const auto ends_unjudged = [&](const PointState& state) {
      return state.i_round == last && !state.has_round_after;
    };
    if (first == k_none && std::none_of(states_.begin(), states_.end(), ends_unjudged))
      rounds.open.emplace_back();
    outcome_.rounds = std::move(rounds);
  }

  void find_lacks(std::uint64_t first) {
    outcome_.i_round = first;
    // A round of which nothing is there is not missing: it has not begun.
    bool has_begun = first == 0;
    for (const auto& state : states_) {
      if (state.is_whole) {
        has_begun = has_begun || state.i_round >= first;
        continue;
      }
      has_begun = has_begun || state.i_round > first;
      for (const auto& lack : state.lacks)
        has_begun = has_begun || !(lack.missing.range == lack.wanted);
    }
    for (std::size_t i = 0; i < states_.size(); ++i) {
      if (states_[i].is_whole || states_[i].i_round != first) continue;
      if (!has_begun) outcome_.open_points.push_back(i);
      for (const auto& lack : states_[i].lacks)
        if (has_begun) outcome_.missing.push_back(lack.missing);
    }
  }

  void find_missing_shards() {
    const std::uint32_t n = outcome_.header.shard.n;
    if (outcome_.missing.empty()) return;
    const auto points = outcome_.study.points();
    const auto open =
        outcome_.rounds ? std::span(outcome_.rounds->open) : std::span<std::vector<std::size_t>>{};
    const auto costs = costs_of_round(outcome_.study, points, open);
    std::vector<std::uint32_t> lacking, not_whole;
    for (std::uint32_t i = 1; i <= n; ++i) {
      const auto shares = share_of(costs, {i, n});
      const bool is_lacking =
          std::any_of(shares.begin(), shares.end(), [&](const auto& share) { return lacks_of(share); });
      if (is_lacking) lacking.push_back(i);
      if (is_whole({i, n})) continue;
      not_whole.push_back(i);
      if (is_lacking) outcome_.missing_shards.push_back(i);
    }
    // What is missing may lie in shards that are whole, where those of another cutting, which overlap
    // them in part, were found to cover more: all of one cutting cover everything.
    if (outcome_.missing_shards.empty())
      outcome_.missing_shards = not_whole.empty() ? std::move(lacking) : std::move(not_whole);
  }

  // Has the shard done all that is asked of it, in the round at hand too?
  bool is_whole(const ShardId& shard) const {
    return std::any_of(found_.whole.begin(), found_.whole.end(), [&](const auto& whole) {
      return whole.shard == shard && whole.i_round >= outcome_.i_round &&
             whole.n_trials == outcome_.header.n_trials;
    });
  }

  // Is any of this share missing?
  bool lacks_of(const PointShare& share) const {
    const auto& state = states_[share.i_point];
    if (state.is_whole || state.i_round != outcome_.i_round) return false;
    return std::any_of(state.lacks.begin(), state.lacks.end(), [&](const Lack& lack) {
      const auto range = range_of(share, lack.missing.track, lack.shape, lack.wanted);
      return range.from < lack.missing.range.to && lack.missing.range.from < range.to;
    });
  }

  void tell_notes() {
    if (outcome_.n_trials_overlapping > 0)
      outcome_.notes.push_back(fmt::format("{} trials stand in several files; each is counted once",
                                           outcome_.n_trials_overlapping));
    if (n_unusable_ > 0)
      outcome_.notes.push_back(fmt::format(
          "{} trials are not used: sums of a range of trials count as a whole or not at all, and "
          "these overlap others in part or do not end within the {} trials asked for",
          n_unusable_, simulation().trials));
  }

  Gathered found_;
  int n_threads_;
  engine::Monitor* monitor_;
  MergeOutcome outcome_;
  std::vector<PointState> states_;  // [i_point], without the points
  std::uint64_t n_unusable_ = 0;
  std::uint64_t n_trials_used_ = 0;
};

}  // namespace

MergeOutcome merge(const std::vector<std::filesystem::path>& places,
                   std::optional<std::uint64_t> n_trials, int n_threads, engine::Monitor* monitor,
                   std::optional<std::uint32_t> n_shards) {
  auto found = gather(places);
  if (n_shards) found.header.shard.n = *n_shards;
  auto study = study_of(found.header, n_trials);
  return Merger(std::move(found), std::move(study), n_threads, monitor).run();
}

}  // namespace trialwright::shard
