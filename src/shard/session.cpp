#include "shard/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <iterator>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "engine/ledger.hpp"
#include "engine/precision.hpp"
#include "engine/row_files.hpp"
#include "engine/row_layout.hpp"
#include "engine/row_recorder.hpp"
#include "engine/run_portions.hpp"
#include "engine/run_study.hpp"
#include "shard/found_work.hpp"
#include "shard/rounds_file.hpp"
#include "shard/store.hpp"
#include "trialwright/error.hpp"
#include "trialwright/version.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using engine::Track;

// A save may take this share of the time between two.
constexpr int k_times_a_save = 100;

Header header_of(const scenario::Study& study, const ShardId& shard, std::size_t n_points) {
  const auto& simulation = study.spec().simulation;
  return {study.name(),          study.hash(), simulation.seed,   std::string(k_version),
          study.resolved_yaml(), shard,        simulation.trials, n_points};
}

std::uint64_t trials_of(const std::vector<engine::Piece>& pieces) {
  std::uint64_t n = 0;
  for (const auto& piece : pieces)
    if (piece.track == Track::trials) n += piece.range.size();
  return n;
}

// Saves to the store what the engine finishes, by time: what comes sooner waits for the next save, or
// for the end.
class Saver final : public engine::Keeper {
 public:
  Saver(Store& store, Clock::duration interval, Progress progress)
      : store_(store),
        interval_(interval),
        start_(Clock::now()),
        next_save_(start_ + interval),
        progress_(progress) {}

  void keep(std::vector<engine::Piece> pieces, std::vector<engine::PointValues> values) override {
    const std::uint64_t n = trials_of(pieces);
    progress_.n_trials += n;
    progress_.n_done += n;
    std::move(pieces.begin(), pieces.end(), std::back_inserter(pieces_));
    std::move(values.begin(), values.end(), std::back_inserter(values_));
    if (Clock::now() >= next_save_) save();
  }

  std::optional<Clock::duration> interval() override {
    constexpr Clock::duration k_least = std::chrono::milliseconds(1);
    return std::max(k_least, next_save_ - Clock::now());
  }

  bool is_waiting() const { return !pieces_.empty() || !values_.empty(); }
  const Progress& progress() const { return progress_; }

  // Writes what waits; where it throws, it still waits.
  void save() {
    const auto before = Clock::now();
    progress_.seconds = std::chrono::duration<double>(before - start_).count();
    store_.append(pieces_, values_, progress_);
    pieces_.clear();
    values_.clear();
    const auto after = Clock::now();
    next_save_ = after + std::max(interval_, k_times_a_save * (after - before));
  }

 private:
  Store& store_;
  Clock::duration interval_;
  Clock::time_point start_;
  Clock::time_point next_save_;
  Progress progress_;
  std::vector<engine::Piece> pieces_;
  std::vector<engine::PointValues> values_;
};

// For run_portions alone: into the ledger, then to the saver.
class LedgerKeeper final : public engine::Keeper {
 public:
  LedgerKeeper(engine::Ledger& ledger, Saver& saver) : ledger_(ledger), saver_(saver) {}
  void keep(std::vector<engine::Piece> pieces, std::vector<engine::PointValues> values) override {
    for (const auto& of_point : values) ledger_.add(of_point);
    for (const auto& piece : pieces) ledger_.add(piece);
    saver_.keep(std::move(pieces), std::move(values));
  }
  std::optional<Clock::duration> interval() override { return saver_.interval(); }

 private:
  engine::Ledger& ledger_;
  Saver& saver_;
};

// One shard's work in its directory: what was found, what comes, and where it goes.
class Work {
 public:
  Work(const scenario::Study& study, const SessionOptions& options, Header header)
      : study_(study),
        options_(options),
        store_(options.directory, std::move(header)),
        ledger_(store_.header().n_points),
        points_(study.points()) {}

  Store& store() { return store_; }
  engine::Ledger& ledger() { return ledger_; }

  // Of the pieces found those that `is_asked` for.
  template <class IsAsked>
  void enter_found(std::vector<Content> contents, const engine::StudyPlan& plan, IsAsked is_asked) {
    is_found_as_asked_ =
        !contents.empty() && std::all_of(contents.begin(), contents.end(), [&](const Content& content) {
          return content.header.n_trials == store_.header().n_trials;
        });
    const auto& spec = study_.spec();
    const auto is_usable = [&](const engine::Piece& piece) {
      if (!is_asked(piece)) return false;
      const bool is_with_rows = has_rows(piece, spec.outputs, store_.directory());
      if (!is_with_rows) n_without_rows_ += piece.range.size();
      return is_with_rows;
    };
    left_out_ = enter(std::move(contents), plan, spec.simulation, ledger_, is_usable);
  }

  // Null where the study asks for no rows.
  engine::RowRecorder* rows() {
    const auto& outputs = study_.spec().outputs;
    const bool is_asked = engine::asks_for(outputs, engine::RowKind::trials) ||
                          engine::asks_for(outputs, engine::RowKind::patients);
    if (is_asked && !rows_)
      rows_ = std::make_unique<engine::RowRecorder>(study_, points_, store_.directory(), stem());
    return rows_.get();
  }
  // trials.csv and patients.csv, as far as they are asked for, of these results of all points.
  void write_rows(const Results& results) const {
    engine::RowSegments rows;
    for (std::size_t i = 0; i < results.points.size(); ++i)
      engine::add_rows(ledger_.pieces(i), results.points[i].n_trials, store_.directory(), rows);
    try {
      engine::write_row_files(study_, rows, options_.directory, engine::Extent::whole);
    } catch (const Error& error) {
      throw io_error(fmt::format("{}\nall trials are done and saved in {}; go on with --resume",
                                 error.what(), store_.whole_file().string()));
    }
  }

  // Calls simulate(saver), which returns how it ended, and puts what came of it on the disk.
  template <class Simulate>
  void run(std::uint64_t n_done, std::uint64_t n_to_do, SessionOutcome& outcome, Simulate simulate) {
    if (n_done > 0 && options_.tell_found) options_.tell_found(n_done, n_to_do);
    Saver saver(store_, options_.save_interval, {0, 0, n_done, n_to_do, outcome.i_round});
    try {
      const engine::Ended ended = simulate(saver);
      outcome.interrupted = ended == engine::Ended::stopped;
      if (!outcome.interrupted)
        finish(saver);
      else if (saver.is_waiting())
        saver.save();
    } catch (const Error& error) {
      if (error.status() != ExitStatus::io) throw;
      throw saved_elsewhere(error, saver);
    } catch (const std::exception& error) {
      throw saved_elsewhere(error, saver);
    }
    outcome.n_trials = saver.progress().n_trials;
    outcome.notes = store_.notes();
    if (n_without_rows_ > 0)
      outcome.notes.push_back(
          fmt::format("{} trials found done lack the rows that are asked for, and were done again",
                      n_without_rows_));
    outcome.shard_file = outcome.interrupted ? store_.journal_file() : store_.whole_file();
  }

 private:
  Content content() const { return content_of(store_.header(), ledger_, left_out_); }

  void finish(const Saver& saver) {
    const bool has_more = saver.progress().n_trials > 0 || saver.is_waiting() || !is_found_as_asked_;
    if (!has_more && store_.is_finished()) return;
    Content whole = content();
    whole.progress = saver.progress();
    store_.finish(whole);
    engine::RowSegments referred;
    engine::add_rows(whole.pieces, std::numeric_limits<std::uint64_t>::max(), store_.directory(),
                     referred);
    engine::remove_unreferenced_parts(store_.directory(), stem(), referred);
  }

  std::string stem() const { return fs::path(whole_name(store_.header().shard)).stem().string(); }

  // Saves what is finished and not on the disk wherever it can; the error to end with.
  Error saved_elsewhere(const std::exception& cause, Saver& saver) {
    std::string where;
    try {
      // Even where nothing waits: it finds out whether what was saved still stands.
      saver.save();
      where = fmt::format("what is finished is saved in {}; go on with --resume",
                          store_.journal_file().string());
    } catch (const std::exception&) {
      where = saved_beside();
    }
    return io_error(fmt::format("{}\n{}", cause.what(), where));
  }

  std::string saved_beside() const {
    const Content whole = content();
    if (whole.pieces.empty()) return "nothing was finished yet";
    try {
      const fs::path file = store_.save_anywhere(whole);
      const bool is_in_place = file.parent_path() == store_.directory();
      return fmt::format("what is finished is saved in {}; {}go on with --resume", file.string(),
                         is_in_place
                             ? std::string()
                             : fmt::format("move it into {} and ", store_.directory().string()));
    } catch (const std::exception& error) {
      return fmt::format(
          "what was finished since the last save could not be saved elsewhere either: {}",
          error.what());
    }
  }

  const scenario::Study& study_;
  const SessionOptions& options_;
  Store store_;
  engine::Ledger ledger_;
  std::vector<engine::Piece> left_out_;
  std::uint64_t n_without_rows_ = 0;
  std::vector<scenario::PointSpec> points_;
  std::unique_ptr<engine::RowRecorder> rows_;
  bool is_found_as_asked_ = false;
};

std::uint64_t trials_done(const engine::Ledger& ledger, std::size_t n_points) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < n_points; ++i) n += ledger.n_trials(i);
  return n;
}

SessionOutcome run_whole(const scenario::Study& study, const SessionOptions& options,
                         engine::Monitor* monitor) {
  const auto plan = engine::plan_study(study, options.n_threads, monitor);
  if (options.claim_directory) options.claim_directory();
  const std::size_t n_points = plan.plans.size();
  Work work(study, options, header_of(study, {1, 1}, n_points));
  std::vector<Content> found;
  if (options.resume) {
    found = work.store().read_own();
    auto others = work.store().read_others();
    std::move(others.begin(), others.end(), std::back_inserter(found));
  } else {
    work.store().refuse_loss(0);
    work.store().refuse_others();
  }
  work.enter_found(std::move(found), plan, [](const engine::Piece&) { return true; });

  SessionOutcome outcome;
  outcome.n_points = n_points;
  outcome.n_trials_resumed = trials_done(work.ledger(), n_points);
  outcome.n_trials_asked = n_points * study.spec().simulation.trials;
  work.run(outcome.n_trials_resumed, outcome.n_trials_asked, outcome, [&](Saver& saver) {
    outcome.results =
        engine::run_study(study, plan, work.ledger(), saver, options.n_threads, monitor, work.rows());
    return outcome.results->interrupted ? engine::Ended::stopped : engine::Ended::done;
  });
  if (!outcome.interrupted) work.write_rows(*outcome.results);
  return outcome;
}

// The share of a shard in the first round that is not judged yet.
struct RoundShare {
  std::uint64_t i_round = 0;
  std::vector<PointShare> points;
};

RoundShare round_share(const scenario::Study& study, const std::vector<scenario::PointSpec>& points,
                       const fs::path& directory, const Header& header) {
  const auto& simulation = study.spec().simulation;
  RoundsFile rounds;
  if (simulation.precision) rounds = read_rounds(directory, header, target_text(simulation));
  RoundShare share;
  share.i_round = rounds.open.size();
  share.points = share_of(costs_of_round(study, points, rounds.open), header.shard);
  return share;
}

// What a shard is to do of one track of a point, done or not.
struct TrackShare {
  std::size_t i = 0;  // into RoundShare::points and StudyPlan
  Track track = Track::trials;
  engine::TrackShape shape;
  engine::TrialRange wanted;
};

std::vector<TrackShare> track_shares(const scenario::Study& study, const engine::StudyPlan& plan,
                                     const RoundShare& share) {
  const auto& simulation = study.spec().simulation;
  std::vector<TrackShare> all;
  const auto add = [&](std::size_t i, Track track, const engine::TrackShape& shape,
                       const engine::TrialRange& round) {
    const auto wanted = range_of(share.points[i], track, shape, round);
    if (!wanted.empty()) all.push_back({i, track, shape, wanted});
  };
  for (std::size_t i = 0; i < share.points.size(); ++i) {
    const auto shape = [&](Track track) {
      return engine::track_shape(*plan.plans[i], plan.engines[i].counts.get(), track,
                                 simulation.trials);
    };
    const engine::Rounds rounds(simulation, shape(Track::trials));
    if (share.i_round < rounds.n_rounds())
      add(i, Track::trials, shape(Track::trials), rounds.round(share.i_round));
    const auto calendars = shape(Track::calendars);
    if (share.i_round == 0) add(i, Track::calendars, calendars, {0, calendars.n_trials});
  }
  return all;
}

// Is a piece a part of what the shard is to do? One that reaches beyond would leave no room, in the
// merge, for the piece of the shard that does the rest; it may, when the number of trials is another
// now than it was.
bool is_within(const std::vector<TrackShare>& tracks, const RoundShare& share,
               const engine::Piece& piece) {
  return std::any_of(tracks.begin(), tracks.end(), [&](const TrackShare& of_track) {
    return share.points[of_track.i].i_point == piece.i_point && of_track.track == piece.track &&
           of_track.wanted.from <= piece.range.from && piece.range.to <= of_track.wanted.to;
  });
}

// What is left to do.
struct ShardPortions {
  std::vector<engine::PointWork> work;
  std::vector<engine::Portion> portions;
  std::uint64_t n_asked = 0;
  std::uint64_t n_to_do = 0;
};

ShardPortions portions_of(const scenario::Study& study, const engine::StudyPlan& plan,
                          const RoundShare& share, std::span<const TrackShare> tracks,
                          const engine::Ledger& ledger) {
  ShardPortions all;
  for (std::size_t i = 0; i < share.points.size(); ++i) {
    const std::size_t i_point = share.points[i].i_point;
    const std::size_t n_before = all.portions.size();
    for (; !tracks.empty() && tracks.front().i == i; tracks = tracks.subspan(1)) {
      const auto& [_, track, shape, wanted] = tracks.front();
      if (track == Track::trials) all.n_asked += wanted.size();
      for (const auto& gap : ledger.gaps(i_point, track, wanted)) {
        if (track == Track::trials) all.n_to_do += gap.size();
        for (const auto& portion : engine::portions_of(all.work.size(), track, shape, gap))
          all.portions.push_back(portion);
      }
    }
    const auto* known = ledger.values(i_point);
    const bool needs_values =
        share.points[i].from == 0 && share.i_round == 0 && (!known || known->calculated.empty());
    if (all.portions.size() == n_before && !needs_values) continue;
    all.work.push_back({i_point, plan.plans[i].get(), plan.engines[i].counts.get(), known, needs_values,
                        study.spec().simulation.truth_patients});
  }
  return all;
}

SessionOutcome run_shard(const scenario::Study& study, const SessionOptions& options,
                         engine::Monitor* monitor) {
  const auto points = study.points();
  const auto header = header_of(study, *options.shard, points.size());
  const auto share = round_share(study, points, shards_directory(options.directory), header);
  std::vector<std::size_t> i_points;
  for (const auto& of_point : share.points) i_points.push_back(of_point.i_point);
  const auto plan = engine::plan_study(study, i_points, options.n_threads, monitor);
  if (options.claim_directory) options.claim_directory();
  Work work(study, options, header);
  // A later round adds to what the shard did in those before.
  std::vector<Content> found;
  if (!options.resume) work.store().refuse_loss(share.i_round);
  if (options.resume || share.i_round > 0) found = work.store().read_own();
  const auto tracks = track_shares(study, plan, share);
  work.enter_found(std::move(found), plan,
                   [&](const engine::Piece& piece) { return is_within(tracks, share, piece); });

  const auto all = portions_of(study, plan, share, tracks, work.ledger());
  SessionOutcome outcome;
  outcome.n_points = share.points.size();
  outcome.i_round = share.i_round;
  outcome.n_trials_asked = all.n_asked;
  outcome.n_trials_resumed = all.n_asked - all.n_to_do;
  work.run(outcome.n_trials_resumed, all.n_asked, outcome, [&](Saver& saver) {
    LedgerKeeper keeper(work.ledger(), saver);
    return engine::run_portions(all.work, all.portions, options.n_threads, monitor, keeper,
                                work.rows());
  });
  return outcome;
}

}  // namespace

SessionOutcome run_session(const scenario::Study& study, const SessionOptions& options,
                           engine::Monitor* monitor) {
  try {
    return options.shard ? run_shard(study, options, monitor) : run_whole(study, options, monitor);
  } catch (const Error& error) {
    if (error.status() != ExitStatus::interrupted) throw;
  }
  SessionOutcome outcome;
  outcome.interrupted = true;
  if (!options.shard) {
    outcome.results = engine::results_without_points(study);
    outcome.results->interrupted = true;
  }
  return outcome;
}

}  // namespace trialwright::shard
