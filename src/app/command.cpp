#include "app/command.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "engine/simulate.hpp"
#include "report/text_table.hpp"

namespace trialwright::app {

void describe(CLI::App& command, const std::string& details) {
  command.footer("\n" + details + "\n\n" + k_exit_statuses);
}

void add_study_options(CLI::App& command, CommonOptions& options) {
  command.add_option("CONFIG", options.config, "the study file (YAML)")->required()->type_name("FILE");
  command
      .add_option("--set", options.set,
                  "override any value of the study: --set designs.fixed.patients=200 (may be repeated)")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  command.add_option("--seed", options.seed, "seed, in place of simulation.seed")->type_name("N");
  command.add_flag("--json", options.json, "print machine-readable JSON on stdout");
}

void add_trials_option(CLI::App& command, CommonOptions& options) {
  command.add_option("--trials", options.trials, "trials a point, in place of simulation.trials")
      ->type_name("N");
}

void add_machine_options(CLI::App& command, CommonOptions& options) {
  command
      .add_option(
          "--threads", options.threads,
          "threads (default: all that the machine or the job may use); no result depends on them")
      ->type_name("N");
  command.add_flag("-q,--quiet", options.quiet, "no progress bar, no notes on stderr");
}

scenario::Study load_study(const CommonOptions& options) {
  std::vector<std::string> assignments = options.set;
  if (!options.trials.empty())
    assignments.push_back(fmt::format("simulation.trials={}",
                                      parse_integer("--trials", options.trials, 1, 1'000'000'000'000)));
  if (!options.seed.empty())
    assignments.push_back(fmt::format(
        "simulation.seed={}",
        parse_integer("--seed", options.seed, 0, std::numeric_limits<std::int64_t>::max())));
  return scenario::Study::load(options.config, assignments);
}

int threads_of(const CommonOptions& options) {
  if (options.threads.empty()) return engine::available_threads();
  return static_cast<int>(parse_integer("--threads", options.threads, 1, 4096));
}

TerminalMonitor::Bar bar_of(const CommonOptions& options) {
  return options.quiet ? TerminalMonitor::Bar::hidden : TerminalMonitor::Bar::shown;
}

std::int64_t parse_integer(const std::string& option, const std::string& text, std::int64_t minimum,
                           std::int64_t maximum) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < minimum || value > maximum)
    throw bad_input(fmt::format("error: {} is \"{}\" (a whole number from {} to {} is needed)", option,
                                text, minimum, maximum));
  return value;
}

double parse_number(const std::string& option, const std::string& text, double minimum,
                    double maximum) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value) ||
      value < minimum || value > maximum)
    throw bad_input(fmt::format("error: {} is \"{}\" (a number from {} to {} is needed)", option, text,
                                minimum, maximum));
  return value;
}

std::vector<double> parse_numbers(const std::string& option, const std::string& text, double minimum,
                                  double maximum) {
  std::vector<double> values;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t comma = std::min(text.find(',', start), text.size());
    values.push_back(parse_number(option, text.substr(start, comma - start), minimum, maximum));
    start = comma + 1;
  }
  return values;
}

std::string printed_table(const Results& results) {
  constexpr std::size_t k_narrowest = 80, k_widest = 240;
  report::TableOptions options;
  winsize terminal{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &terminal) == 0 && terminal.ws_col > 0)
    options.width = std::clamp<std::size_t>(terminal.ws_col, k_narrowest, k_widest);
  return report::text_table(results, options);
}

void print(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
    throw io_error("error: cannot write to standard output");
}

}  // namespace trialwright::app
