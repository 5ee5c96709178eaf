#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.hpp"
#include "engine/run_study.hpp"
#include "engine/simulate.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::app {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seconds of one trial drawn as counts, by drawing some on one thread.
double seconds_a_draw(const trial::TrialPlan& plan, const engine::PointEngine& engine) {
  constexpr std::uint64_t k_trials = 1 << 16;
  const engine::Work work{&plan, engine::TrueValues(plan.analyses.size()), k_trials,
                          trial::k_calendar_trials, engine.counts};
  const auto start = std::chrono::steady_clock::now();
  engine::simulate({&work, 1}, 1, nullptr);
  return seconds_since(start) / k_trials;
}

// Seconds of one trial, by simulating for about a hundredth of a second on one thread.
double seconds_a_trial(const trial::TrialPlan& plan) {
  trial::Workspace workspace;
  workspace.prepare(plan);
  trial::simulate_trial(plan, trial::k_calendar_trials, workspace);
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  std::uint64_t n = 0;
  while (seconds < 0.01 && n < 1000) {
    trial::simulate_trial(plan, trial::k_calendar_trials + ++n, workspace);
    seconds = seconds_since(start);
  }
  return seconds / static_cast<double>(n);
}

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", std::max(1.0, seconds));
  if (seconds < 3600) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

using ExactPower = trial::TrialPlan::ExactPower;

std::string point_line(const scenario::PointSpec& point, const trial::TrialPlan& plan,
                       const ExactPower& exact) {
  std::string settings;
  for (const auto& [path, value] : point.sweep) settings += fmt::format("  {}={}", path, value.text);
  return fmt::format("  {} / {}{}: {} patients, {}\n", point.design, point.scenario, settings,
                     plan.n_patients,
                     exact.power ? fmt::format("exact power {:.4f}", *exact.power)
                                 : "simulation only: " + exact.why_not);
}

using Plans = std::vector<std::shared_ptr<const trial::TrialPlan>>;
using Engines = std::vector<engine::PointEngine>;

// Each design's engine, where its points agree; else how many of them have which.
std::string engine_lines(const std::vector<scenario::PointSpec>& points, const Engines& engines) {
  std::vector<std::string> designs;
  std::string text;
  for (const auto& point : points) {
    if (std::find(designs.begin(), designs.end(), point.design) != designs.end()) continue;
    designs.push_back(point.design);
    std::map<std::string, int> notes;
    int n_points = 0;
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].design != point.design) continue;
      ++notes[engines[i].note()];
      ++n_points;
    }
    for (const auto& [note, n] : notes)
      text += fmt::format("# {}{}: {}\n", point.design,
                          n == n_points ? "" : fmt::format(" ({} of {} points)", n, n_points), note);
  }
  return text;
}

// The exact powers of the primary analyses, in the pool.
std::vector<ExactPower> primary_powers(const Plans& plans, int n_threads) {
  struct Powers {
    std::vector<ExactPower> values;
    void merge(const Powers& later) {
      values.insert(values.end(), later.values.begin(), later.values.end());
    }
  };
  struct NoScratch {};
  std::vector<engine::Job<Powers>> jobs{{plans.size(), plans.size(), {}}};
  engine::run_blocks<NoScratch>(jobs, n_threads, nullptr,
                                [&](std::size_t, std::uint64_t i, NoScratch&) {
                                  return Powers{{plans[i]->exact_power(plans[i]->analyses.front())}};
                                });
  return std::move(jobs.front().sum.values);
}

nlohmann::ordered_json as_json(const scenario::Study& study,
                               const std::vector<scenario::PointSpec>& points, const Plans& plans,
                               const Engines& engines, const std::vector<ExactPower>& powers,
                               double seconds) {
  nlohmann::ordered_json json{{"study", study.name()},
                              {"study_hash", fmt::format("{:016x}", study.hash())},
                              {"trials", study.spec().simulation.trials},
                              {"seconds_estimated", seconds},
                              {"points", nlohmann::ordered_json::array()}};
  for (std::size_t i = 0; i < points.size(); ++i) {
    nlohmann::ordered_json point{{"design", points[i].design},
                                 {"scenario", points[i].scenario},
                                 {"sweep", nlohmann::ordered_json::object()},
                                 {"patients", plans[i]->n_patients}};
    for (const auto& [path, value] : points[i].sweep) point["sweep"][path] = value.text;
    point["engine"] = engines[i].name();
    if (!engines[i].counts) point["why_patients"] = engines[i].why_patients;
    if (powers[i].power)
      point["exact_power"] = *powers[i].power;
    else
      point["no_exact_power"] = powers[i].why_not;
    json["points"].push_back(std::move(point));
  }
  return json;
}

// Seconds of the whole run on one thread. A few points tell the time of all: patients take time close
// to linear in their number, counts the same whatever it is.
double seconds_of(const Plans& plans, const Engines& engines, double n_trials) {
  double seconds[2]{};
  double units_timed[2]{};
  double units[2]{};
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const std::size_t kind = engines[i].counts ? 1 : 0;
    const double of_point = engines[i].counts ? 1 : plans[i]->n_patients;
    units[kind] += of_point;
    if (i % (plans.size() / 8 + 1) != 0 && units_timed[kind] > 0) continue;
    seconds[kind] +=
        engines[i].counts ? seconds_a_draw(*plans[i], engines[i]) : seconds_a_trial(*plans[i]);
    units_timed[kind] += of_point;
  }
  double sum = 0;
  for (std::size_t kind = 0; kind < 2; ++kind)
    if (units[kind] > 0) sum += seconds[kind] / units_timed[kind] * units[kind] * n_trials;
  return sum;
}

ExitStatus run(const CommonOptions& options) {
  auto study = load_study(options);
  const int n_threads = engine::available_threads();
  const auto [points, plans, engines, i_points] = engine::plan_study(study, n_threads);
  const auto powers = primary_powers(plans, n_threads);
  const std::uint64_t n_trials = study.spec().simulation.trials;
  const double estimate = seconds_of(plans, engines, static_cast<double>(n_trials)) / n_threads;

  if (options.json) {
    print(as_json(study, points, plans, engines, powers, estimate).dump(1) + "\n");
    return ExitStatus::done;
  }
  std::string text = study.resolved_yaml();
  text += fmt::format("\n# {}: no fault found. {} points x {} trials, about {} on {} thread{}\n",
                      study.name(), points.size(), n_trials, duration(estimate), n_threads,
                      n_threads == 1 ? "" : "s");
  text += engine_lines(points, engines);
  for (std::size_t i = 0; i < points.size(); ++i)
    text += "#" + point_line(points[i], *plans[i], powers[i]);
  print(text);
  return ExitStatus::done;
}

}  // namespace

void add_check_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<CommonOptions>();
  auto* command = app.add_subcommand("check", "validate a study; print the whole resolved plan");
  describe(
      *command,
      "Reads and checks a study, and prints it with every default written out (valid YAML), its "
      "points, their\n"
      "exact power where there is one, what each design draws (patients or counts) and why, and an "
      "estimate of\n"
      "the run time. Writes nothing.");
  add_study_options(*command, *options);
  add_trials_option(*command, *options);
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
