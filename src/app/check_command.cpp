#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>

#include "app/command.hpp"
#include "app/row_sizes.hpp"
#include "engine/exact_powers.hpp"
#include "engine/precision.hpp"
#include "engine/run_study.hpp"
#include "engine/simulate.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/staged_trial.hpp"

namespace trialwright::app {
namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seconds of one trial drawn as counts, by drawing more and more on one thread until they take some
// hundredths of a second.
double seconds_a_draw(const trial::TrialPlan& plan, const engine::PointEngine& engine) {
  constexpr std::uint64_t k_fewest = 16, k_most = 1 << 16;
  for (std::uint64_t n_trials = k_fewest;; n_trials *= 4) {
    const engine::Work work{&plan, engine::TrueValues(plan.analyses.size()), n_trials,
                            trial::k_calendar_trials, engine.counts};
    const auto start = std::chrono::steady_clock::now();
    engine::simulate({&work, 1}, 1, nullptr);
    const double seconds = seconds_since(start);
    if (seconds > 0.05 || n_trials >= k_most) return seconds / static_cast<double>(n_trials);
  }
}

// Seconds of one trial, by simulating for about a hundredth of a second on one thread.
double seconds_a_trial(const trial::TrialPlan& plan) {
  trial::Workspace workspace;
  workspace.prepare(plan);
  trial::StagedOutcome outcome;
  const auto simulate = [&](std::uint64_t i_trial) {
    if (plan.staged)
      trial::simulate_staged(plan, i_trial, workspace, outcome, nullptr);
    else
      trial::simulate_trial(plan, i_trial, workspace);
  };
  simulate(trial::k_calendar_trials);
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  std::uint64_t n = 0;
  while (seconds < 0.01 && n < 1000) {
    simulate(trial::k_calendar_trials + ++n);
    seconds = seconds_since(start);
  }
  return seconds / static_cast<double>(n);
}

// Most trials of a point: all, or, by a precision target, the whole rounds that it needs at worst.
std::uint64_t most_trials(const scenario::SimulationSpec& simulation, const engine::Rounds& rounds) {
  const auto worst =
      simulation.precision ? scenario::trials_at_worst(*simulation.precision) : std::nullopt;
  const auto round = static_cast<double>(rounds.round_trials());
  if (!worst || *worst + round > static_cast<double>(simulation.trials)) return simulation.trials;
  return static_cast<std::uint64_t>(std::ceil(*worst / round) * round);
}

// What a study costs at most.
struct Costs {
  std::vector<std::uint64_t> n_trials;      // [i_point]
  std::vector<std::uint64_t> round_trials;  // [i_point]
  double seconds = 0;                       // on one thread
  std::vector<RowSize> rows;
};

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
                     plan.n_planned,
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
std::vector<ExactPower> primary_powers(const Plans& plans,
                                       const std::vector<engine::PointEngine>& engines, int n_threads) {
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
                                  const auto* counts = engines[i].counts.get();
                                  return Powers{{engine::calculated_of(*plans[i], counts, 0).power}};
                                });
  return std::move(jobs.front().sum.values);
}

nlohmann::ordered_json json_of(const scenario::PrecisionTarget& target) {
  nlohmann::ordered_json json{{"metric", target.metric}};
  if (!target.hypothesis.empty()) json["hypothesis"] = target.hypothesis;
  if (target.mcse) json["mcse"] = *target.mcse;
  if (target.half_width) json["half_width"] = *target.half_width;
  json["round_trials"] = target.round_trials;
  if (const auto worst = scenario::trials_at_worst(target))
    json["trials_at_worst"] = static_cast<std::uint64_t>(*worst);
  return json;
}

nlohmann::ordered_json as_json(const scenario::Study& study, const engine::StudyPlan& plan,
                               const std::vector<ExactPower>& powers, const Costs& costs,
                               double seconds) {
  const auto& simulation = study.spec().simulation;
  nlohmann::ordered_json json{{"study", study.name()},
                              {"study_hash", fmt::format("{:016x}", study.hash())},
                              {"trials", simulation.trials},
                              {"seconds_estimated", seconds}};
  if (simulation.precision) json["precision"] = json_of(*simulation.precision);
  for (const auto& size : costs.rows)
    json["outputs"][engine::row_file_name(size.kind, study.spec().outputs, "")] = {
        {"rows", static_cast<std::uint64_t>(size.n_rows)},
        {"bytes_uncompressed", static_cast<std::uint64_t>(size.bytes)}};
  json["points"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    nlohmann::ordered_json point{{"design", plan.points[i].design},
                                 {"scenario", plan.points[i].scenario},
                                 {"sweep", nlohmann::ordered_json::object()},
                                 {"patients", plan.plans[i]->n_planned}};
    for (const auto& [path, value] : plan.points[i].sweep) point["sweep"][path] = value.text;
    point["engine"] = plan.engines[i].name();
    if (!plan.engines[i].counts) point["why_patients"] = plan.engines[i].why_patients;
    if (simulation.precision) {
      point["trials_at_most"] = costs.n_trials[i];
      point["round_trials"] = costs.round_trials[i];
    }
    if (powers[i].power)
      point["exact_power"] = *powers[i].power;
    else
      point["no_exact_power"] = powers[i].why_not;
    json["points"].push_back(std::move(point));
  }
  return json;
}

// Has the point a true value that patients are simulated for?
bool simulates_truth(const trial::TrialPlan& plan) {
  return !plan.model->truth_is_drawn() &&
         std::any_of(plan.analyses.begin(), plan.analyses.end(), [](const auto& analysis) {
           return !analysis.exact_rates || !analysis.strata.empty();
         });
}

// Seconds of the whole run on one thread. A few points tell the time of all: patients take time close
// to linear in their number, counts the same whatever it is.
double seconds_of(const engine::StudyPlan& plan, std::span<const std::uint64_t> n_trials,
                  double truth_patients) {
  double seconds[2]{};
  double units_timed[2]{};
  double units[2]{};
  const std::size_t n_points = plan.points.size();
  for (std::size_t i = 0; i < n_points; ++i) {
    const bool is_counted = plan.engines[i].counts != nullptr;
    const std::size_t kind = is_counted ? 1 : 0;
    const double of_trial = is_counted ? 1 : plan.plans[i]->n_patients;
    units[kind] += of_trial * static_cast<double>(n_trials[i]);
    if (!is_counted && simulates_truth(*plan.plans[i])) units[kind] += truth_patients;
    if (i % (n_points / 8 + 1) != 0 && units_timed[kind] > 0) continue;
    seconds[kind] +=
        is_counted ? seconds_a_draw(*plan.plans[i], plan.engines[i]) : seconds_a_trial(*plan.plans[i]);
    units_timed[kind] += of_trial;
  }
  double sum = 0;
  for (std::size_t kind = 0; kind < 2; ++kind)
    if (units[kind] > 0) sum += seconds[kind] / units_timed[kind] * units[kind];
  return sum;
}

Costs costs_of(const scenario::Study& study, const engine::StudyPlan& plan) {
  const auto& simulation = study.spec().simulation;
  Costs costs;
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    const engine::Rounds rounds(simulation,
                                engine::track_shape(*plan.plans[i], plan.engines[i].counts.get(),
                                                    engine::Track::trials, simulation.trials));
    costs.n_trials.push_back(most_trials(simulation, rounds));
    costs.round_trials.push_back(rounds.round_trials());
  }
  costs.seconds = seconds_of(plan, costs.n_trials, static_cast<double>(simulation.truth_patients));
  costs.rows = row_sizes(study, plan.points, plan.plans, costs.n_trials);
  return costs;
}

// The target, when it is judged and what it needs at worst.
std::string precision_line(const scenario::SimulationSpec& simulation, const Costs& costs) {
  if (!simulation.precision) return {};
  const auto& target = *simulation.precision;
  const auto [least, most] = std::minmax_element(costs.round_trials.begin(), costs.round_trials.end());
  std::string text = fmt::format(
      "# precision: {} of {}, {} at most {}, judged after every {}{} trials (whole blocks)",
      target.metric, target.hypothesis.empty() ? "each design's primary analysis" : target.hypothesis,
      target.mcse ? "MCSE" : "half the 95% interval", target.mcse ? *target.mcse : *target.half_width,
      *least, *least == *most ? "" : fmt::format(" to {}", *most));
  const auto worst = scenario::trials_at_worst(target);
  if (!worst)
    return text + fmt::format("; at most {} trials a point, be it reached or not\n", simulation.trials);
  text += fmt::format("; {:.0f} trials reach it at worst", *worst);
  if (*worst > static_cast<double>(simulation.trials))
    text +=
        fmt::format(", more than the {} there are: a point may end less precise", simulation.trials);
  return text + "\n";
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> k_units{"bytes", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < k_units.size(); ++unit) bytes /= 1000;
  return fmt::format("{:.3g} {}", bytes, k_units[unit]);
}

std::string row_lines(const scenario::Study& study, const Costs& costs) {
  std::string text;
  for (const auto& size : costs.rows)
    text += fmt::format(
        "# {}: {}{:.0f} rows, about {}{}\n", engine::row_file_name(size.kind, study.spec().outputs, ""),
        study.spec().simulation.precision ? "at most " : "", size.n_rows, bytes_text(size.bytes),
        study.spec().outputs.compression == scenario::Compression::none ? "" : " before compression");
  return text;
}

ExitStatus run(const CommonOptions& options) {
  auto study = load_study(options);
  const int n_threads = engine::available_threads();
  const auto start = std::chrono::steady_clock::now();
  const auto plan = engine::plan_study(study, n_threads);
  const auto powers = primary_powers(plan.plans, plan.engines, n_threads);
  // A run plans and calculates the same.
  const double planning_seconds = seconds_since(start);
  const auto& simulation = study.spec().simulation;
  const Costs costs = costs_of(study, plan);
  const double estimate = planning_seconds + costs.seconds / n_threads;

  if (options.json) {
    print(as_json(study, plan, powers, costs, estimate).dump(1) + "\n");
    return ExitStatus::done;
  }
  const std::uint64_t most = *std::max_element(costs.n_trials.begin(), costs.n_trials.end());
  std::string text = study.resolved_yaml();
  text += fmt::format("\n# {}: no fault found. {} points x {}{} trials, about {} on {} thread{}\n",
                      study.name(), plan.points.size(), simulation.precision ? "at most " : "", most,
                      duration(estimate), n_threads, n_threads == 1 ? "" : "s");
  text += precision_line(simulation, costs);
  text += row_lines(study, costs);
  text += engine_lines(plan.points, plan.engines);
  for (std::size_t i = 0; i < plan.points.size(); ++i)
    text += "#" + point_line(plan.points[i], *plan.plans[i], powers[i]);
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
      "exact power where there is one, what each design draws (patients or counts) and why, an estimate "
      "of the\n"
      "run time, what a precision target needs at worst, and how large trials.csv and patients.csv get. "
      "Writes\n"
      "nothing.");
  add_study_options(*command, *options);
  add_trials_option(*command, *options);
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
