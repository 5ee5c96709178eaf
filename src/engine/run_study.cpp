#include "engine/run_study.hpp"

#include <fmt/format.h>

#include <utility>

#include "engine/block_pool.hpp"
#include "engine/metrics.hpp"
#include "engine/precision.hpp"
#include "trialwright/version.hpp"

namespace trialwright::engine {

std::vector<Work> work_of(const std::vector<std::shared_ptr<const trial::TrialPlan>>& plans,
                          const std::vector<PointEngine>& engines, std::uint64_t n_trials) {
  std::vector<Work> work;
  for (std::size_t i = 0; i < plans.size(); ++i)
    work.push_back({plans[i].get(), {}, n_trials, 0, engines[i].counts});
  return work;
}

Point point_of(const scenario::PointSpec& spec, const trial::TrialPlan& plan, const PointEngine& engine,
               const std::vector<std::optional<TrueValue>>& true_values,
               const std::vector<Calculated>& calculated, const PointAccumulator& sum) {
  Point point;
  point.design = spec.design;
  point.scenario = spec.scenario;
  for (const auto& [path, value] : spec.sweep) point.sweep.push_back({path, value.text});
  point.n_trials = sum.n_trials;
  point.engine = engine.name();
  std::vector<std::optional<double>> powers;
  for (std::size_t i = 0; i < plan.analyses.size(); ++i) {
    if (calculated[i].is_null) point.null_hypotheses.push_back(plan.analyses[i].name);
    const auto& exact = calculated[i].power;
    powers.push_back(exact.power);
    if (!exact.power)
      point.notes.push_back(
          fmt::format("{}: no exact power ({})", plan.analyses[i].name, exact.why_not));
    point.n_failed_analyses += sum.analyses[i].n_failed;
  }
  point.notes.push_back(engine.note());
  point.metrics = metrics_of(plan, true_values, powers, sum, calculated.front().stops);
  return point;
}

namespace {

// What does not change between rounds of the i-th point of a plan.
struct PointShape {
  PointShape(const scenario::SimulationSpec& simulation, const StudyPlan& plan, std::size_t i)
      : trials(track_shape(*plan.plans[i], plan.engines[i].counts.get(), Track::trials,
                           simulation.trials)),
        calendars(track_shape(*plan.plans[i], plan.engines[i].counts.get(), Track::calendars,
                              simulation.trials)),
        rounds(simulation, trials) {}

  TrackShape trials;
  TrackShape calendars;
  Rounds rounds;
};

bool has_truths(const StudyPlan& plan, std::size_t i, const Ledger& ledger) {
  const auto* values = ledger.values(plan.i_points[i]);
  return values && values->truths.size() == plan.plans[i]->analyses.size();
}

bool has_values(const StudyPlan& plan, std::size_t i, const Ledger& ledger) {
  return has_truths(plan, i, ledger) &&
         ledger.values(plan.i_points[i])->calculated.size() == plan.plans[i]->analyses.size();
}

// Of the i-th point what is missing of a round.
std::vector<Portion> missing(const StudyPlan& plan, std::size_t i, const Ledger& ledger,
                             const PointShape& shape, std::uint64_t i_round, std::size_t i_work) {
  std::vector<Portion> portions;
  const auto add = [&](Track track, const TrackShape& of_track, const TrialRange& wanted) {
    for (const auto& gap : ledger.gaps(plan.i_points[i], track, wanted))
      for (const auto& portion : portions_of(i_work, track, of_track, gap)) portions.push_back(portion);
  };
  if (i_round == 0) add(Track::calendars, shape.calendars, {0, shape.calendars.n_trials});
  add(Track::trials, shape.trials, shape.rounds.round(i_round));
  return portions;
}

// Results of some points, in their order, that merge.
struct SomePoints {
  std::vector<Point> points;
  bool lacks_some = false;
  void merge(const SomePoints& later) {
    points.insert(points.end(), later.points.begin(), later.points.end());
    lacks_some = lacks_some || later.lacks_some;
  }
};

struct SomeStandings {
  std::vector<Standing> standings;
  void merge(const SomeStandings& later) {
    standings.insert(standings.end(), later.standings.begin(), later.standings.end());
  }
};

struct NoScratch {};

// Puts into the ledger what comes, then hands it on.
class LedgerKeeper final : public Keeper {
 public:
  LedgerKeeper(Ledger& ledger, Keeper* saver) : ledger_(ledger), saver_(saver) {}

  void keep(std::vector<Piece> pieces, std::vector<PointValues> values) override {
    if (!saver_) {
      for (auto& one : values) ledger_.add(std::move(one));
      for (auto& piece : pieces) ledger_.add(std::move(piece));
      return;
    }
    for (const auto& one : values) ledger_.add(one);
    for (const auto& piece : pieces) ledger_.add(piece);
    saver_->keep(std::move(pieces), std::move(values));
  }
  std::optional<std::chrono::steady_clock::duration> interval() override {
    return saver_ ? saver_->interval() : std::nullopt;
  }

 private:
  Ledger& ledger_;
  Keeper* saver_;
};

// What is to be done next: a round of every point that is not at its end.
struct RoundWork {
  std::vector<PointWork> work;
  std::vector<Portion> portions;
};

// Moves `standings` on to where the ledger's points are.
RoundWork next_round(const scenario::Study& study, const StudyPlan& plan, const Ledger& ledger,
                     int n_threads, std::vector<Standing>& standings) {
  const auto& simulation = study.spec().simulation;
  std::vector<Job<SomeStandings>> jobs{{standings.size(), standings.size(), {}}};
  run_blocks<NoScratch>(jobs, n_threads, nullptr, [&](std::size_t, std::uint64_t i, NoScratch&) {
    const auto& before = standings[i];
    return SomeStandings{
        {before.is_whole ? before : standing_of(study, plan, i, ledger, before.i_round)}};
  });
  standings = std::move(jobs.front().sum.standings);
  RoundWork next;
  for (std::size_t i = 0; i < standings.size(); ++i) {
    if (standings[i].is_whole) continue;
    const PointShape shape(simulation, plan, i);
    const auto portions = missing(plan, i, ledger, shape, standings[i].i_round, next.work.size());
    next.portions.insert(next.portions.end(), portions.begin(), portions.end());
    const auto* known = has_truths(plan, i, ledger) ? ledger.values(plan.i_points[i]) : nullptr;
    next.work.push_back({plan.i_points[i], plan.plans[i].get(), plan.engines[i].counts.get(), known,
                         true, simulation.truth_patients});
  }
  return next;
}

// The ledger's results, judged from rounds that are known to be reached.
Results results_from(const scenario::Study& study, const StudyPlan& plan, const Ledger& ledger,
                     const std::vector<Standing>& reached, int n_threads) {
  const std::size_t n = plan.points.size();
  std::vector<Job<SomePoints>> jobs{{n, n, {}}};
  run_blocks<NoScratch>(jobs, n_threads, nullptr, [&](std::size_t, std::uint64_t i, NoScratch&) {
    const auto standing =
        reached[i].is_whole ? reached[i] : standing_of(study, plan, i, ledger, reached[i].i_round);
    const PointShape shape(study.spec().simulation, plan, i);
    SomePoints some;
    some.lacks_some = !standing.is_whole;
    auto point = point_of(plan, i, ledger, shape.rounds.round(standing.i_round).to);
    if (point) some.points.push_back(std::move(*point));
    return some;
  });
  auto& all = jobs.front().sum;
  Results results = results_without_points(study);
  results.interrupted = all.lacks_some;
  results.points = std::move(all.points);
  return results;
}

Results run_rounds(const scenario::Study& study, const StudyPlan& plan, Ledger& ledger, Keeper* saver,
                   int n_threads, Monitor* monitor, RowRecorder* rows) {
  fit_ledger(study, plan, ledger);
  LedgerKeeper keeper(ledger, saver);
  std::vector<Standing> standings(plan.points.size());
  while (true) {
    const auto next = next_round(study, plan, ledger, n_threads, standings);
    if (next.work.empty() ||
        run_portions(next.work, next.portions, n_threads, monitor, keeper, rows) == Ended::stopped)
      return results_from(study, plan, ledger, standings, n_threads);
  }
}

}  // namespace

Results results_without_points(const scenario::Study& study) {
  Results results;
  results.study = study.name();
  results.study_hash = fmt::format("{:016x}", study.hash());
  results.seed = study.spec().simulation.seed;
  results.version = k_version;
  return results;
}

std::optional<Point> point_of(const StudyPlan& plan, std::size_t i, const Ledger& ledger,
                              std::uint64_t n_trials) {
  if (!has_values(plan, i, ledger)) return std::nullopt;
  const auto& values = *ledger.values(plan.i_points[i]);
  const auto sum = sum_of(ledger.pieces(plan.i_points[i]), n_trials, *plan.plans[i],
                          plan.engines[i].counts.get(), values_alone(values.truths));
  if (sum.n_trials == 0) return std::nullopt;
  return point_of(plan.points[i], *plan.plans[i], plan.engines[i], values.truths, values.calculated,
                  sum);
}

void fit_ledger(const scenario::Study& study, const StudyPlan& plan, Ledger& ledger) {
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    const PointShape shape(study.spec().simulation, plan, i);
    const std::uint64_t round = shape.rounds.n_rounds() > 1 ? shape.rounds.round_trials() : 0;
    ledger.keep_fitting(plan.i_points[i], shape.trials, shape.calendars, round);
  }
}

Standing standing_of(const scenario::Study& study, const StudyPlan& plan, std::size_t i,
                     const Ledger& ledger, std::uint64_t from) {
  const auto& simulation = study.spec().simulation;
  const PointShape shape(simulation, plan, i);
  if (!has_values(plan, i, ledger)) return {from, false};
  for (std::uint64_t i_round = from;; ++i_round) {
    if (!missing(plan, i, ledger, shape, i_round, 0).empty()) return {i_round, false};
    if (i_round + 1 >= shape.rounds.n_rounds()) return {i_round, true};
    const auto point = point_of(plan, i, ledger, shape.rounds.round(i_round).to);
    if (simulation.precision && point && is_precise(*point, *simulation.precision))
      return {i_round, true};
  }
}

Results run_study(const scenario::Study& study, int n_threads, Monitor* monitor) {
  return run_study(study, plan_study(study, n_threads), n_threads, monitor);
}

Results run_study(const scenario::Study& study, const StudyPlan& plan, int n_threads,
                  Monitor* monitor) {
  Ledger ledger(study.points().size());
  return run_rounds(study, plan, ledger, nullptr, n_threads, monitor, nullptr);
}

Results run_study(const scenario::Study& study, const StudyPlan& plan, Ledger& ledger, Keeper& saver,
                  int n_threads, Monitor* monitor, RowRecorder* rows) {
  return run_rounds(study, plan, ledger, &saver, n_threads, monitor, rows);
}

}  // namespace trialwright::engine
