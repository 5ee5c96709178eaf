#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include "app/command.hpp"
#include "app/monitor.hpp"
#include "engine/run_study.hpp"
#include "report/directory.hpp"
#include "report/json.hpp"
#include "report/text_table.hpp"
#include "trialwright/version.hpp"

namespace trialwright::app {
namespace {

struct Options {
  CommonOptions common;
  std::string output;
};

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

// As typed, blanks between the words.
std::string command_line() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  std::string words{std::istreambuf_iterator<char>(file), {}};
  if (!words.empty()) words.pop_back();
  std::replace(words.begin(), words.end(), '\0', ' ');
  return words;
}

report::Manifest manifest(int n_threads, std::chrono::system_clock::time_point start, double seconds,
                          const Results& results) {
  std::uint64_t n_trials = 0;
  for (const auto& point : results.points) n_trials += point.n_trials;
  return {{"compiler", std::string("g++ " __VERSION__)},
          {"host", host_name()},
          {"threads", std::int64_t{n_threads}},
          {"started", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(start))},
          {"seconds", seconds},
          {"trials", static_cast<std::int64_t>(n_trials)},
          {"interrupted", results.interrupted},
          {"command_line", command_line()}};
}

// Beside the caller, named for the study and all that its results depend on, so that no run of another
// study, or of another number of trials, meets it.
std::string default_directory(const Options& options, const scenario::Study& study) {
  return fmt::format("results/{}-{:08x}", std::filesystem::path(options.common.config).stem().string(),
                     study.hash_with_trials() >> 32);
}

std::string closing_text(const Results& results, const std::filesystem::path& asked,
                         const std::filesystem::path& written) {
  if (!results.interrupted) return {};
  if (results.points.empty()) return "interrupted: no trial was finished, and nothing was written\n";
  const std::string finished =
      fmt::format("interrupted: the trials finished so far are in {}", written.string());
  return written == asked
             ? finished + "\n"
             : fmt::format("{}\n{} keeps what it held, which is more\n", finished, asked.string());
}

ExitStatus run(const Options& options) {
  auto study = load_study(options.common);
  const int n_threads = threads_of(options.common);
  const auto start = std::chrono::system_clock::now();
  const auto clock_start = std::chrono::steady_clock::now();
  const auto plan = engine::plan_study(study, n_threads);
  const std::filesystem::path directory =
      options.output.empty() ? default_directory(options, study) : options.output;
  report::claim_directory(directory, fmt::format("{:016x}", study.hash()));
  report::refuse_fewer_trials(directory, study.spec().simulation.trials);

  Results results;
  {
    TerminalMonitor monitor(bar_of(options.common));
    results = engine::run_study(study, plan, n_threads, &monitor);
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - clock_start).count();
  const bool has_results = !results.points.empty();
  const auto written = has_results
                           ? report::write_directory(directory, results, study.resolved_yaml(),
                                                     manifest(n_threads, start, seconds, results))
                           : directory;

  if (options.common.json)
    print(report::write_json(results));
  else
    print(report::text_table(results) +
          (has_results ? fmt::format("\nwritten to {}\n", written.string()) : ""));
  if (!options.common.quiet)
    fmt::print(stderr, "{:.1f} s on {} thread{}\n", seconds, n_threads, n_threads == 1 ? "" : "s");
  fmt::print(stderr, "{}", closing_text(results, directory, written));
  return results.interrupted ? ExitStatus::interrupted : ExitStatus::done;
}

}  // namespace

void add_run_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("run", "simulate every design x scenario x sweep point");
  describe(
      *command,
      "Simulates every design under every scenario at every point of the sweep, prints the table "
      "and writes\n"
      "the results directory: results.json, results.csv, resolved.yaml, manifest.json. Results there of the same\n"
      "study give way to at least as many trials only: a run of fewer is refused, what an interrupted one\n"
      "has finished goes to DIR/interrupted.\n"
      "Results depend on the study, the seed and the version alone, not on threads or machine.\n"
      "Example: trialwright run configs/phase3_power.yaml --set designs.fixed.patients=250");
  add_study_options(*command, options->common);
  add_trials_option(*command, options->common);
  add_machine_options(*command, options->common);
  command->add_option("-o,--output", options->output,
                      "results directory (default results/NAME-HASH, made where it is absent)");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
