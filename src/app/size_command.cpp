#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.hpp"
#include "app/monitor.hpp"
#include "base/named_table.hpp"
#include "search/size.hpp"
#include "trialwright/error.hpp"

namespace trialwright::app {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  CommonOptions common;
  std::string design;
  std::string scenario;
  std::string hypothesis;
  std::string power = "0.9";
  std::string minimum = "2";
  std::string maximum = "20000";
};

struct Row {
  scenario::PointSpec point;
  search::SizeAnswer answer;
};

std::string sweep_text(const scenario::SweepSettings& settings) {
  std::string text;
  for (const auto& [path, value] : settings) text += fmt::format(", {} = {}", path, value.text);
  return text;
}

std::string arms_text(const search::SizeAnswer& answer, const search::PowerAtSize& size) {
  std::string text;
  for (std::size_t i = 0; i < answer.arms.size(); ++i)
    text += fmt::format("{}{} {}", i == 0 ? "" : " + ", size.arm_patients[i], answer.arms[i]);
  return text;
}

std::string power_text(const search::SizeAnswer& answer, const search::PowerAtSize& size) {
  if (size.n_trials == 0) return fmt::format("exact power {:.4f}", size.power);
  return fmt::format("{} {:.4f} (MCSE {:.4f}, 95% interval {:.4f} to {:.4f}, {} trials)",
                     answer.is_assurance ? "assurance" : "power", size.power, size.mcse,
                     size.interval.lower, size.interval.upper, size.n_trials);
}

std::string outcome_text(const search::SizeAnswer& answer, double target) {
  const auto& size = answer.smallest;
  const std::string at = fmt::format("{} patients ({}): {}", size.patients, arms_text(answer, size),
                                     power_text(answer, size));
  switch (answer.outcome) {
    case search::SizeOutcome::found:
      return fmt::format("  {}\n", at);
    case search::SizeOutcome::minimum_suffices:
      return fmt::format("  the smallest size allowed suffices: {}\n", at);
    case search::SizeOutcome::not_reached:
      return fmt::format("  NOT REACHED: no size allowed has {} {}; at the largest, {}\n",
                         answer.is_assurance ? "assurance" : "power", target, at);
  }
  return {};
}

std::string warnings_text(const search::SizeAnswer& answer) {
  std::string text;
  if (answer.shows_harm)
    text +=
        "  NOTE: treatment is worse under this truth, and a two-sided test rejects for harm too:\n"
        "  this is the size to show harm, not benefit\n";
  if (answer.is_assurance && answer.highest.patients > 0)
    text += fmt::format(
        "  assurance has a ceiling, the probability that the truth drawn itself favours treatment; the highest\n"
        "  seen is {:.4f} (MCSE {:.4f}), at {} patients\n",
        answer.highest.power, answer.highest.mcse, answer.highest.patients);
  return text;
}

std::string exact_text(const search::SizeAnswer& answer, double target) {
  std::string text;
  if (answer.sustained.patients > 0)
    text += fmt::format("  from {} patients on ({}) it stays at or above {} (sizes to {} enumerated)\n",
                        answer.sustained.patients, arms_text(answer, answer.sustained), target,
                        answer.scanned_to);
  else if (answer.outcome == search::SizeOutcome::found)
    text +=
        fmt::format("  no size was found from which it stays at or above {} (sizes to {} enumerated)\n",
                    target, answer.scanned_to);
  if (answer.approximate.patients > 0)
    text += fmt::format("  normal formula: {} patients ({}): {}\n", answer.approximate.patients,
                        arms_text(answer, answer.approximate), power_text(answer, answer.approximate));
  return text;
}

std::string simulated_text(const search::SizeAnswer& answer) {
  std::string text;
  if (answer.outcome == search::SizeOutcome::found)
    text += fmt::format(
        "  95% interval of this size: {} to {} patients (the fitted curve meets the target at "
        "{:.1f}, SE {:.1f})\n",
        answer.lower, answer.upper, answer.root, answer.root_standard_error);
  return text + fmt::format("  simulated, since {}\n", answer.why_simulated);
}

std::string neighbours_text(const search::SizeAnswer& answer, double target) {
  if (answer.neighbours.empty()) return {};
  std::string text = fmt::format("  {:>8}", "patients");
  for (const auto& arm : answer.arms) text += fmt::format("  {:>8}", arm);
  text += answer.is_exact       ? "  exact power\n"
          : answer.is_assurance ? "  assurance    MCSE\n"
                                : "      power    MCSE\n";
  for (const auto& size : answer.neighbours) {
    text += fmt::format("  {:>8}", size.patients);
    for (std::size_t i = 0; i < answer.arms.size(); ++i)
      text += fmt::format("  {:>{}}", size.arm_patients[i],
                          std::max<std::size_t>(8, answer.arms[i].size()));
    text += fmt::format("  {:>{}.4f}", size.power, answer.is_exact ? 11 : 9);
    if (!answer.is_exact) text += fmt::format("  {:.4f}", size.mcse);
    text += size.patients == answer.smallest.patients ? "  <- smallest"
            : size.power < target                     ? "  below"
                                                      : "";
    text += "\n";
  }
  return text;
}

std::string text_of(const std::vector<Row>& rows, double target) {
  std::string text;
  for (const auto& [point, answer] : rows) {
    text += fmt::format("{} under {}{}: {}, {} of at least {}\n", point.design, point.scenario,
                        sweep_text(point.sweep), answer.hypothesis,
                        answer.is_assurance ? "assurance" : "power", target);
    text += outcome_text(answer, target) + warnings_text(answer);
    text += answer.is_exact ? exact_text(answer, target) : simulated_text(answer);
    text += neighbours_text(answer, target) + "\n";
  }
  return text;
}

Json json_of(const search::SizeAnswer& answer, const search::PowerAtSize& size) {
  Json json{{"patients", size.patients}};
  for (std::size_t i = 0; i < answer.arms.size(); ++i)
    json["arms"][answer.arms[i]] = size.arm_patients[i];
  json["power"] = size.power;
  json["mcse"] = size.mcse;
  json["lower"] = size.n_trials == 0 ? size.power : size.interval.lower;
  json["upper"] = size.n_trials == 0 ? size.power : size.interval.upper;
  json["n_trials"] = size.n_trials;
  return json;
}

std::string outcome_name(search::SizeOutcome outcome) {
  switch (outcome) {
    case search::SizeOutcome::found:
      return "found";
    case search::SizeOutcome::minimum_suffices:
      return "minimum_suffices";
    case search::SizeOutcome::not_reached:
      return "not_reached";
  }
  return {};
}

Json json_of(const Row& row) {
  const auto& answer = row.answer;
  Json json{{"design", row.point.design}, {"scenario", row.point.scenario}, {"sweep", Json::object()}};
  for (const auto& [path, value] : row.point.sweep) json["sweep"][path] = value.text;
  json["hypothesis"] = answer.hypothesis;
  json["metric"] = answer.is_exact ? "exact_power" : answer.is_assurance ? "assurance" : "power";
  json["outcome"] = outcome_name(answer.outcome);
  json["size"] = json_of(answer, answer.smallest);
  if (answer.shows_harm) json["shows_harm"] = true;
  if (answer.highest.patients > 0) json["highest"] = json_of(answer, answer.highest);
  if (answer.is_exact) {
    if (answer.sustained.patients > 0) json["sustained"] = json_of(answer, answer.sustained);
    if (answer.approximate.patients > 0) json["normal_formula"] = json_of(answer, answer.approximate);
    json["scanned_to"] = answer.scanned_to;
  } else {
    json["why_simulated"] = answer.why_simulated;
    if (answer.outcome == search::SizeOutcome::found) {
      json["lower"] = answer.lower;
      json["upper"] = answer.upper;
      json["root"] = answer.root;
      json["root_standard_error"] = answer.root_standard_error;
    }
  }
  json["neighbours"] = Json::array();
  for (const auto& size : answer.neighbours) json["neighbours"].push_back(json_of(answer, size));
  return json;
}

// Every design under every scenario under which the hypothesis asked for is no null hypothesis, the
// number of patients taken out of the sweep.
std::vector<scenario::PointSpec> points_of(scenario::Study& study, const Options& options) {
  std::vector<scenario::PointSpec> points;
  search::SizeQuestion question;
  question.hypothesis = options.hypothesis;
  bool named = false;
  for (const auto& design : study.spec().designs) {
    for (const auto& scenario : study.spec().scenarios) {
      if (!options.design.empty() && options.design != design.name) continue;
      if (!options.scenario.empty() && options.scenario != scenario.name) continue;
      named = true;
      auto axes = scenario::axes_for(study.spec().sweep, design.name, scenario.name);
      std::erase_if(
          axes, [&](const auto& axis) { return axis.path == "designs." + design.name + ".patients"; });
      for (auto& settings : scenario::cross(axes)) {
        question.point = {design.name, scenario.name, std::move(settings)};
        const auto plan = search::plan_of(study, question);
        if (!plan->is_null(plan->analyses.front())) points.push_back(question.point);
      }
    }
  }
  if (!named)
    throw bad_input(fmt::format("error: the study has no design \"{}\" under a scenario \"{}\"",
                                options.design.empty() ? "*" : options.design,
                                options.scenario.empty() ? "*" : options.scenario));
  if (points.empty())
    throw bad_input(
        "error: the null hypothesis is true under every scenario asked for (no size gives power there)");
  return points;
}

// The answers until all are found or a stop is asked for.
std::vector<Row> find_all(scenario::Study& study, const std::vector<scenario::PointSpec>& points,
                          search::SizeQuestion question, const Options& options) {
  const int n_threads = threads_of(options.common);
  TerminalMonitor monitor(bar_of(options.common));
  std::vector<Row> rows;
  for (const auto& point : points) {
    if (monitor.stop_requested()) break;
    question.point = point;
    try {
      rows.push_back({point, search::find_size(study, question, n_threads, &monitor)});
    } catch (const Error& error) {
      if (error.status() != ExitStatus::interrupted) throw;
      break;
    }
  }
  return rows;
}

Json json_of(const scenario::Study& study, double target, const std::vector<Row>& rows) {
  Json json{{"format", "trialwright-size/1"},
            {"study", study.name()},
            {"seed", study.spec().simulation.seed},
            {"target", target}};
  json["points"] = Json::array();
  for (const auto& row : rows) json["points"].push_back(json_of(row));
  return json;
}

ExitStatus run(const Options& options) {
  auto study = load_study(options.common);
  search::SizeQuestion question;
  question.hypothesis = options.hypothesis;
  question.target = parse_number("--power", options.power, 0.01, 0.999);
  question.minimum = static_cast<int>(parse_integer("--minimum", options.minimum, 2, 10'000'000));
  question.maximum = static_cast<int>(parse_integer("--maximum", options.maximum, 2, 10'000'000));
  question.max_trials = study.spec().simulation.trials;

  const auto points = points_of(study, options);
  const auto rows = find_all(study, points, question, options);
  const bool is_interrupted = rows.size() < points.size();
  if (options.common.json) {
    Json json = json_of(study, question.target, rows);
    if (is_interrupted) json["interrupted"] = true;
    print(json.dump(1) + "\n");
  } else {
    print(text_of(rows, question.target));
  }
  if (is_interrupted) {
    fmt::print(stderr, "interrupted: {} of {} sizes were found\n", rows.size(), points.size());
    return ExitStatus::interrupted;
  }
  const bool all_reached = std::none_of(rows.begin(), rows.end(), [](const Row& row) {
    return row.answer.outcome == search::SizeOutcome::not_reached;
  });
  return all_reached ? ExitStatus::done : ExitStatus::check_failed;
}

}  // namespace

void add_size_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("size", "the smallest sample size whose power reaches the target");
  describe(
      *command,
      "The smallest number of patients whose power (assurance, where a scenario draws its truth) "
      "reaches the\n"
      "target, for every design, scenario under which the null hypothesis is false, and sweep point;\n"
      "designs.*.patients is searched for\n"
      "and its sweep left out. By enumeration where power is exact, else by simulation on common random\n"
      "numbers with at most --trials trials at any one size, with the 95% interval of the size.\n"
      "Sizes are whole allocation units. Exit status 5 where a target is not reached.");
  add_study_options(*command, options->common);
  add_trials_option(*command, options->common);
  add_machine_options(*command, options->common);
  command->add_option("--design", options->design, "this design only");
  command->add_option("--scenario", options->scenario, "this scenario only");
  command->add_option("--hypothesis", options->hypothesis,
                      "an analysis, in place of the design's primary");
  command->add_option("--power", options->power, "the target")->capture_default_str()->type_name("P");
  command->add_option("--minimum", options->minimum, "the fewest patients allowed")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--maximum", options->maximum, "the most patients allowed")
      ->capture_default_str()
      ->type_name("N");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
