// What the subcommands share: the common options, how their texts become values, and how each is added.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/monitor.hpp"
#include "scenario/study.hpp"
#include "trialwright/error.hpp"
#include "trialwright/results.hpp"

namespace trialwright::app {

// The chosen subcommand's work; returns the process's exit status. Set by the parsed subcommand.
using Action = std::function<ExitStatus()>;

// Options as typed. Numbers stay text until parsed here, strictly: CLI11 takes "-1" for 2^64 - 1.
struct CommonOptions {
  std::string config;
  std::vector<std::string> set;
  std::string trials;
  std::string seed;
  std::string threads;
  bool json = false;
  bool quiet = false;
};

// The details that a subcommand's --help ends with, and the exit statuses; the list of subcommands
// shows its one line alone.
void describe(CLI::App& command, const std::string& details);
inline constexpr const char* k_exit_statuses =
    "Exit status: 0 done; 2 fault in the command line or the study; 3 input/output fault; 4 interrupted,\n"
    "what is finished is saved; 5 a check did not hold.";

// Options in groups, so that no subcommand takes one that says nothing to it: CONFIG, --set, --seed and
// --json; --trials; --threads and --quiet. `options` must outlive the parse.
void add_study_options(CLI::App& command, CommonOptions& options);
void add_trials_option(CLI::App& command, CommonOptions& options);
void add_machine_options(CLI::App& command, CommonOptions& options);

// The study, with --set, --trials and --seed applied in that order.
scenario::Study load_study(const CommonOptions& options);

// --threads, or all that this process may use; bad_input unless 1 to 4096.
int threads_of(const CommonOptions& options);

// Hidden by --quiet.
TerminalMonitor::Bar bar_of(const CommonOptions& options);

// Strict numbers of the command line; bad_input names the option and what it takes.
std::int64_t parse_integer(const std::string& option, const std::string& text, std::int64_t minimum,
                           std::int64_t maximum);
double parse_number(const std::string& option, const std::string& text, double minimum, double maximum);
std::vector<double> parse_numbers(const std::string& option, const std::string& text, double minimum,
                                  double maximum);

// Prints to stdout; io_error where that fails.
void print(const std::string& text);

// The table that `run` and `merge` print, as wide as the terminal that stdout is, if it is one.
std::string printed_table(const Results& results);

// Each adds its subcommand; parsing it sets `action`.
void add_run_command(CLI::App& app, Action& action);
void add_check_command(CLI::App& app, Action& action);
void add_calibrate_command(CLI::App& app, Action& action);
void add_size_command(CLI::App& app, Action& action);
void add_replay_command(CLI::App& app, Action& action);
void add_exact_command(CLI::App& app, Action& action);
void add_boundaries_command(CLI::App& app, Action& action);
void add_merge_command(CLI::App& app, Action& action);
void add_submit_command(CLI::App& app, Action& action);
void add_status_command(CLI::App& app, Action& action);
void add_list_command(CLI::App& app, Action& action);

}  // namespace trialwright::app
