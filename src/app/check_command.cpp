#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.hpp"
#include "engine/simulate.hpp"
#include "trial/simulate_trial.hpp"

namespace trialwright::app {
namespace {

// Seconds of one trial, by simulating for about a tenth of a second on one thread.
double seconds_a_trial(const trial::TrialPlan& plan) {
  trial::Workspace workspace;
  workspace.prepare(plan);
  trial::simulate_trial(plan, 0, workspace);
  const auto start = std::chrono::steady_clock::now();
  double seconds = 0;
  std::uint64_t n = 0;
  while (seconds < 0.05 && n < 1000) {
    trial::simulate_trial(plan, ++n, workspace);
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  return seconds / static_cast<double>(n);
}

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", std::max(1.0, seconds));
  if (seconds < 3600) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string point_line(const scenario::PointSpec& point, const trial::TrialPlan& plan) {
  std::string settings;
  for (const auto& [path, value] : point.sweep) settings += fmt::format("  {}={}", path, value.text);
  const auto exact = plan.exact_power(plan.analyses.front());
  return fmt::format("  {} / {}{}: {} patients, {}\n", point.design, point.scenario, settings,
                     plan.n_patients,
                     exact.power ? fmt::format("exact power {:.4f}", *exact.power)
                                 : "simulation only: " + exact.why_not);
}

using Plans = std::vector<std::shared_ptr<const trial::TrialPlan>>;

nlohmann::ordered_json as_json(const scenario::Study& study,
                               const std::vector<scenario::PointSpec>& points, const Plans& plans,
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
    const auto exact = plans[i]->exact_power(plans[i]->analyses.front());
    if (exact.power)
      point["exact_power"] = *exact.power;
    else
      point["no_exact_power"] = exact.why_not;
    json["points"].push_back(std::move(point));
  }
  return json;
}

ExitStatus run(const CommonOptions& options) {
  auto study = load_study(options);
  const auto points = study.points();
  const auto plans = study.plans(points);
  const int n_threads = engine::available_threads();
  const auto n_trials = static_cast<double>(study.spec().simulation.trials);
  // A few points tell the time of all: it is close to linear in the number of patients.
  double seconds = 0;
  double patients = 0;
  double all_patients = 0;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    all_patients += plans[i]->n_patients;
    if (i % (plans.size() / 8 + 1) != 0) continue;
    seconds += seconds_a_trial(*plans[i]);
    patients += plans[i]->n_patients;
  }
  const double estimate = seconds / patients * all_patients * n_trials / n_threads;

  if (options.json) {
    print(as_json(study, points, plans, estimate).dump(1) + "\n");
    return ExitStatus::done;
  }
  std::string text = study.resolved_yaml();
  text += fmt::format("\n# {}: no fault found. {} points x {} trials, about {} on {} thread{}\n",
                      study.name(), points.size(), study.spec().simulation.trials, duration(estimate),
                      n_threads, n_threads == 1 ? "" : "s");
  for (std::size_t i = 0; i < points.size(); ++i) text += "#" + point_line(points[i], *plans[i]);
  print(text);
  return ExitStatus::done;
}

}  // namespace

void add_check_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<CommonOptions>();
  auto* command = app.add_subcommand("check", "validate a study; print the whole resolved plan");
  describe(*command,
           "Reads and checks a study, and prints it with every default written out (valid YAML), its "
           "points, their\n"
           "exact power where there is one, and an estimate of the run time. Simulates nothing.");
  add_study_options(*command, *options);
  add_trials_option(*command, *options);
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
