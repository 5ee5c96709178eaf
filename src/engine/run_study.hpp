// A whole study: every point's plan, exact powers, true values and trials, as results to be reported.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/ledger.hpp"
#include "engine/point_engine.hpp"
#include "engine/run_portions.hpp"
#include "engine/simulate.hpp"
#include "scenario/study.hpp"
#include "trialwright/results.hpp"

namespace trialwright::engine {

// Points of a study, each with its plan and its engine.
struct StudyPlan {
  std::vector<scenario::PointSpec> points;
  std::vector<std::shared_ptr<const trial::TrialPlan>> plans;
  std::vector<PointEngine> engines;
  std::vector<std::size_t> i_points;  // into Study::points(), ascending
};
// Plans every point, or those asked for (ascending), on n_threads threads. Throws bad_input where a
// setting makes the study faulty, or simulation.engine asks for counts that have no exact law; an Error
// of status interrupted where the monitor (which may be null) asks to stop.
StudyPlan plan_study(const scenario::Study& study, int n_threads, Monitor* monitor = nullptr);
StudyPlan plan_study(const scenario::Study& study, std::span<const std::size_t> i_points, int n_threads,
                     Monitor* monitor = nullptr);

// True values first, then exact powers, then every point's trials, all in one pool; with a precision
// target in rounds, of the points that are not precise enough yet. Results depend on the study alone. A
// stop asked by the monitor leaves `interrupted` set, each point with the trials finished by then,
// points without any left out.
Results run_study(const scenario::Study& study, const StudyPlan& plan, int n_threads, Monitor* monitor);
Results run_study(const scenario::Study& study, int n_threads, Monitor* monitor);

// The same, where `ledger` holds what is done before: it goes on from there, to the same results. Every
// finished piece and value goes into the ledger first, then to `saver`, whose interval sets the pauses.
// Pieces in the ledger must belong to their points; those that do not fit the number of trials and the
// rounds are left out. `rows` may be null.
Results run_study(const scenario::Study& study, const StudyPlan& plan, Ledger& ledger, Keeper& saver,
                  int n_threads, Monitor* monitor, RowRecorder* rows = nullptr);

// What the results of a study say beside its points.
Results results_without_points(const scenario::Study& study);
// Ledger::keep_fitting of every point of the plan, by the study's trials and rounds.
void fit_ledger(const scenario::Study& study, const StudyPlan& plan, Ledger& ledger);

// How far the i-th point of a plan is: the first round that is not whole (all of its trials, of the
// first round the calendars, and the point's values), or, if none is, the round it ends with.
struct Standing {
  std::uint64_t i_round = 0;
  bool is_whole = false;
};
// Judged from round `from` on, which must be known to be reached.
Standing standing_of(const scenario::Study& study, const StudyPlan& plan, std::size_t i,
                     const Ledger& ledger, std::uint64_t from = 0);

// One point's results from its plan, its engine, what is calculated of it and its work's sum.
Point point_of(const scenario::PointSpec& spec, const trial::TrialPlan& plan, const PointEngine& engine,
               const std::vector<std::optional<TrueValue>>& true_values,
               const std::vector<Calculated>& calculated, const PointAccumulator& sum);
// The results of the i-th point of a plan from its first `n_trials` trials, as far as the ledger holds
// them; nullopt where it holds no trial, or lacks values.
std::optional<Point> point_of(const StudyPlan& plan, std::size_t i, const Ledger& ledger,
                              std::uint64_t n_trials);

// The plans' work, `n_trials` each, by these engines; without true values.
std::vector<Work> work_of(const std::vector<std::shared_ptr<const trial::TrialPlan>>& plans,
                          const std::vector<PointEngine>& engines, std::uint64_t n_trials);

}  // namespace trialwright::engine
