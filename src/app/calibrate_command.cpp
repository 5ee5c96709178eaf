#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>

#include "app/command.hpp"
#include "app/monitor.hpp"
#include "base/durable_file.hpp"
#include "calibrate/calibrate.hpp"

namespace trialwright::app {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  CommonOptions common;
  bool check = false;
  std::string patients = "1000000";
  std::string output;
};

std::size_t longest_name(const std::vector<calibrate::TargetFit>& targets) {
  std::size_t longest = 6;
  for (const auto& fit : targets) longest = std::max(longest, fit.name.size());
  return longest;
}

std::string targets_text(const std::vector<calibrate::TargetFit>& targets) {
  const std::size_t width = longest_name(targets);
  std::string text = fmt::format("  {:<{}}  published    target  achieved  residual     MCSE      z\n",
                                 "target", width);
  for (const auto& fit : targets) {
    text += fmt::format("  {:<{}}  {:>9}  {:>7.3f}%  {:>7.3f}%  {:>+8.3f}", fit.name, width,
                        fmt::format("{}/{}", fit.events, fit.patients), 100 * fit.target,
                        100 * fit.achieved,
                        // Without the sign of a zero that rounding leaves.
                        std::abs(fit.residual) < 5e-6 ? 0.0 : 100 * fit.residual);
    text += fit.z ? fmt::format("  {:>7.3f}  {:>+5.1f}\n", 100 * fit.mcse, *fit.z)
                  : fmt::format("  {:>7}\n", "exact");
  }
  return text;
}

std::string parameters_text(const calibrate::Calibration& calibration) {
  std::size_t width = 9;
  for (const auto& parameter : calibration.parameters) width = std::max(width, parameter.path.size());
  std::string text = fmt::format("  {:<{}}  {:>10}  {:>10}  {:>14}\n", "parameter", width, "present",
                                 "fitted", "standard error");
  for (const auto& parameter : calibration.parameters)
    text += fmt::format("  {:<{}}  {:>10.6g}  {:>10.6g}  {:>14.4g}\n", parameter.path, width,
                        parameter.present, parameter.fitted, parameter.standard_error);
  return text;
}

std::string correlations_text(const calibrate::Calibration& calibration) {
  std::string text = "  correlation of the parameters, in the order above\n";
  for (const auto& row : calibration.correlation) {
    text += "  ";
    for (double value : row) text += fmt::format("{:>7.3f}", std::abs(value) < 5e-4 ? 0.0 : value);
    text += "\n";
  }
  return text;
}

std::string fit_text(const scenario::Study& study, const calibrate::Calibration& calibration) {
  const std::string& source = study.spec().calibration->source;
  std::string text =
      fmt::format("calibration of {}{}\n\n", study.name(), source.empty() ? "" : " to " + source);
  text += "with the present parameters (rates and residuals in points of percent)\n";
  text += targets_text(calibration.at_present) + "\nwith the fitted parameters\n";
  text += targets_text(calibration.at_fitted) +
          "\nparameters; standard errors from the published counts' own sizes\n";
  text += parameters_text(calibration) + "\n" + correlations_text(calibration);
  if (calibration.degrees_of_freedom > 0)
    text += fmt::format("  lack of fit: chi-square {:.2f} on {} degrees of freedom\n",
                        calibration.lack_of_fit, calibration.degrees_of_freedom);
  return text;
}

Json json_of(const std::vector<calibrate::TargetFit>& targets) {
  Json list = Json::array();
  for (const auto& fit : targets) {
    Json json{{"name", fit.name},         {"estimand", fit.estimand}, {"arm", fit.arm},
              {"events", fit.events},     {"patients", fit.patients}, {"target", fit.target},
              {"achieved", fit.achieved}, {"residual", fit.residual}, {"mcse", fit.mcse}};
    json["z"] = fit.z ? Json(*fit.z) : Json(nullptr);
    list.push_back(std::move(json));
  }
  return list;
}

Json heading(const scenario::Study& study) {
  return {{"format", "trialwright-calibration/1"},
          {"study", study.name()},
          {"source", study.spec().calibration->source},
          {"seed", study.spec().simulation.seed}};
}

Json json_of(const scenario::Study& study, const calibrate::Calibration& calibration) {
  Json json = heading(study);
  json["present"] = json_of(calibration.at_present);
  json["fitted"] = json_of(calibration.at_fitted);
  json["parameters"] = Json::array();
  for (const auto& parameter : calibration.parameters)
    json["parameters"].push_back({{"path", parameter.path},
                                  {"present", parameter.present},
                                  {"fitted", parameter.fitted},
                                  {"standard_error", parameter.standard_error}});
  json["covariance"] = calibration.covariance;
  json["correlation"] = calibration.correlation;
  json["lack_of_fit"] = calibration.lack_of_fit;
  json["degrees_of_freedom"] = calibration.degrees_of_freedom;
  return json;
}

ExitStatus run_check(scenario::Study& study, const calibrate::Settings& settings,
                     const Options& options) {
  const auto targets = calibrate::check(study, settings);
  if (options.common.json) {
    Json json = heading(study);
    json["present"] = json_of(targets);
    print(json.dump(1) + "\n");
  } else {
    print(fmt::format("calibration of {} (rates and residuals in points of percent)\n{}", study.name(),
                      targets_text(targets)));
  }
  return calibrate::is_met(targets) ? ExitStatus::done : ExitStatus::check_failed;
}

ExitStatus run_fit(scenario::Study& study, const calibrate::Settings& settings,
                   const Options& options) {
  const auto calibration = calibrate::fit(study, settings);
  if (!options.output.empty())
    base::write_file(options.output,
                     calibrate::overlay_yaml(
                         study, calibration,
                         fmt::format("Fitted by: trialwright calibrate {} --seed {} --patients {}",
                                     options.common.config, study.spec().simulation.seed,
                                     settings.patients_per_arm)));
  print(options.common.json ? json_of(study, calibration).dump(1) + "\n"
                            : fit_text(study, calibration));
  const bool is_exactly_determined = calibration.degrees_of_freedom == 0;
  return is_exactly_determined && !calibrate::is_met(calibration.at_fitted) ? ExitStatus::check_failed
                                                                            : ExitStatus::done;
}

ExitStatus run(const Options& options) {
  calibrate::Settings settings;
  settings.patients_per_arm =
      static_cast<std::uint64_t>(parse_integer("--patients", options.patients, 10'000, 1'000'000'000));
  if (options.check && !options.output.empty())
    throw bad_input("error: --check fits nothing that --output could write");
  settings.n_threads = threads_of(options.common);
  auto study = load_study(options.common);
  TerminalMonitor monitor(bar_of(options.common));
  settings.monitor = &monitor;
  return options.check ? run_check(study, settings, options) : run_fit(study, settings, options);
}

}  // namespace

void add_calibrate_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("calibrate", "fit the patient generator to the published rates");
  describe(
      *command,
      "Fits the parameters in calibration.fitted so that the observed rates of the targets' estimands, with all of\n"
      "the study's intercurrent events, are the published events/patients; prints target, achieved rate and\n"
      "residual against its Monte Carlo error before and after, and the parameters' standard errors and\n"
      "correlations from the published counts' own sizes. The study's file is left alone: -o writes the fitted\n"
      "values as YAML to paste or to extend. Exit status 5 where a residual is above 0.2 points and above 4\n"
      "Monte Carlo standard errors.");
  add_study_options(*command, options->common);
  add_machine_options(*command, options->common);
  command->add_flag("--check", options->check,
                    "compare the present parameters with the targets; fit nothing");
  command
      ->add_option("--patients", options->patients,
                   "patients an arm of the last round and of the check, where rates are simulated")
      ->capture_default_str()
      ->type_name("N");
  command->add_option("-o,--output", options->output, "write the fitted values to this file")
      ->type_name("FILE");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
