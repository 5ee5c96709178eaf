#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "app/array_index.hpp"
#include "app/command.hpp"
#include "app/manifest.hpp"
#include "app/monitor.hpp"
#include "report/directory.hpp"
#include "report/json.hpp"
#include "shard/session.hpp"
#include "shard/store.hpp"

namespace trialwright::app {
namespace {

namespace fs = std::filesystem;

struct Options {
  CommonOptions common;
  std::string output;
  std::optional<std::string> shard;  // as typed: "" is a fault, not the whole study
  bool resume = false;
  std::string save_every = "10";
};

std::uint64_t most_trials(const fs::path& directory) {
  return std::max(report::most_trials_in(directory),
                  shard::most_trials_asked(shard::shards_directory(directory), {1, 1}));
}

// Beside the caller, named for the study and all that its trials depend on, so that no run of another
// study meets it and a longer one finds the shorter one's work. A short run after a longer one has a
// directory of its own, and so has a study that stops on precision, whose number of trials nobody
// knows.
fs::path default_directory(const Options& options, const scenario::Study& study) {
  const auto& simulation = study.spec().simulation;
  const std::uint64_t hash = simulation.precision ? study.hash_with_trials() : study.hash();
  const std::string name =
      fmt::format("results/{}-{:08x}", fs::path(options.common.config).stem().string(), hash >> 32);
  const bool is_shorter = !options.shard && most_trials(name) > simulation.trials;
  return is_shorter && !simulation.precision ? fmt::format("{}-{}trials", name, simulation.trials)
                                             : name;
}

shard::SessionOptions session_options(const Options& options, const scenario::Study& study) {
  shard::SessionOptions session;
  if (options.shard) session.shard = parse_shard(*options.shard);
  session.resume = options.resume;
  session.save_interval = std::chrono::milliseconds(
      static_cast<std::int64_t>(1000 * parse_number("--save-every", options.save_every, 0, 86400)));
  session.n_threads = threads_of(options.common);
  session.directory =
      options.output.empty() ? default_directory(options, study) : fs::path(options.output);
  session.claim_directory = [&study, directory = session.directory, is_whole = !session.shard] {
    report::claim_directory(directory, fmt::format("{:016x}", study.hash()));
    if (is_whole && !study.spec().simulation.precision)
      report::refuse_fewer_trials(directory, study.spec().simulation.trials);
  };
  return session;
}

// Of a whole study.
std::string closing_text(const shard::SessionOutcome& outcome, const fs::path& asked,
                         const fs::path& written) {
  if (!outcome.interrupted) return {};
  if (outcome.results->points.empty())
    return "interrupted: no trial was finished, and no results were written; the same command with --resume goes "
           "on\n";
  const std::string finished = fmt::format(
      "interrupted: the trials finished so far are in {}; the same command with --resume goes on\n",
      written.string());
  return written == asked
             ? finished
             : fmt::format("{}{} keeps what it held, which is more\n", finished, asked.string());
}

void tell_notes(const Options& options, const shard::SessionOutcome& outcome, double seconds,
                int n_threads) {
  if (options.common.quiet) return;
  for (const auto& note : outcome.notes) tell(note + "\n");
  tell(fmt::format("{:.1f} s on {} thread{}\n", seconds, n_threads, n_threads == 1 ? "" : "s"));
}

void report_whole(const Options& options, const scenario::Study& study,
                  const shard::SessionOptions& session, const shard::SessionOutcome& outcome,
                  const Clocks& clocks) {
  const Results& results = *outcome.results;
  const double seconds = clocks.seconds();
  const bool has_results = !results.points.empty();
  const auto written = has_results
                           ? report::write_directory(session.directory, results, study.resolved_yaml(),
                                                     manifest_of(results, session.n_threads, clocks))
                           : session.directory;
  if (options.common.json)
    print(report::write_json(results));
  else
    print(printed_table(results) +
          (has_results ? fmt::format("\nwritten to {}\n", written.string()) : ""));
  tell_notes(options, outcome, seconds, session.n_threads);
  tell(closing_text(outcome, session.directory, written));
}

std::string shard_text(const shard::SessionOptions& session, const shard::SessionOutcome& outcome) {
  const std::string name = fmt::format("shard {}/{}", session.shard->i, session.shard->n);
  const std::string round =
      outcome.i_round > 0 ? fmt::format(" (round {})", outcome.i_round + 1) : std::string();
  const std::uint64_t n_done = outcome.n_trials + outcome.n_trials_resumed;
  if (outcome.interrupted)
    return n_done == 0
               ? fmt::format("{}{} interrupted: no trial was finished\n", name, round)
               : fmt::format(
                     "{}{} interrupted: {} of {} trials are in {}; the same command with --resume goes on\n",
                     name, round, n_done, outcome.n_trials_asked, outcome.shard_file.string());
  return fmt::format("{}{} done: {} trials of {} point{} in {}; when all are: trialwright merge {}\n",
                     name, round, n_done, outcome.n_points, outcome.n_points == 1 ? "" : "s",
                     outcome.shard_file.string(), session.directory.string());
}

std::string shard_json(const scenario::Study& study, const shard::SessionOptions& session,
                       const shard::SessionOutcome& outcome) {
  return nlohmann::ordered_json{{"format", "trialwright-shard/1"},
                                {"study", study.name()},
                                {"study_hash", fmt::format("{:016x}", study.hash())},
                                {"seed", study.spec().simulation.seed},
                                {"shard", session.shard->i},
                                {"shards", session.shard->n},
                                {"round", outcome.i_round + 1},
                                {"points", outcome.n_points},
                                {"trials_asked", outcome.n_trials_asked},
                                {"trials_found", outcome.n_trials_resumed},
                                {"trials_simulated", outcome.n_trials},
                                {"interrupted", outcome.interrupted},
                                {"file", outcome.shard_file.string()}}
             .dump(1) +
         "\n";
}

ExitStatus run(const Options& options) {
  TerminalMonitor monitor(bar_of(options.common));
  const Clocks clocks;
  const auto study = load_study(options.common);
  auto session = session_options(options, study);
  if (!options.common.quiet)
    session.tell_found = [&monitor](std::uint64_t n_found, std::uint64_t n_asked) {
      monitor.clear();
      tell(fmt::format("{} of {} trials were found done\n", n_found, n_asked));
    };
  const auto outcome = shard::run_session(study, session, &monitor);
  monitor.clear();
  if (session.shard) {
    print(options.common.json ? shard_json(study, session, outcome) : shard_text(session, outcome));
    tell_notes(options, outcome, clocks.seconds(), session.n_threads);
  } else {
    report_whole(options, study, session, outcome, clocks);
  }
  return outcome.interrupted ? ExitStatus::interrupted : ExitStatus::done;
}

}  // namespace

void add_run_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("run", "simulate every design x scenario x sweep point");
  describe(
      *command,
      "Simulates every design under every scenario at every point of the sweep, prints the table and writes\n"
      "the results directory: results.json, results.csv, resolved.yaml, manifest.json, and in its\n"
      "sub-directory `shards` the finished work, saved as it comes. After an interruption, a kill or a power\n"
      "failure the same command with --resume goes on from there; so does one with more --trials. Without it,\n"
      "unfinished work there is refused. Results there of the same study give way to at least as many trials\n"
      "only: a run of fewer is refused, what an interrupted one has finished goes to DIR/interrupted.\n"
      "With --shard I/N the I-th of N parts of the study is simulated alone, here or on any other machine, and\n"
      "saved in DIR/shards; `trialwright merge DIR` makes the results when all are there. In a job array of\n"
      "Slurm, SGE, LSF or PBS, --shard auto/N takes I from the array's index. N of `auto` alone is the\n"
      "environment's TRIALWRIGHT_SHARDS, or the array's size where the scheduler tells that it counts 1, 2 … N\n"
      "(to run some elements again, write auto/N).\n"
      "SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 and SIGXCPU stop it: what is finished is saved. Results depend\n"
      "on the study, the seed and the version alone, not on threads, machine, shards or interruptions.\n"
      "Example: trialwright run configs/phase3_power.yaml --set designs.fixed.patients=250");
  add_study_options(*command, options->common);
  add_trials_option(*command, options->common);
  add_machine_options(*command, options->common);
  command
      ->add_option("-o,--output", options->output,
                   "results directory (default results/NAME-HASH, made where it is absent)")
      ->type_name("DIR");
  command
      ->add_option("--shard", options->shard,
                   "simulate one of N parts of the study: I/N, auto/N or auto")
      ->type_name("I/N");
  command->add_flag("--resume", options->resume,
                    "go on from the finished work in the results directory, if there is any");
  command
      ->add_option("--save-every", options->save_every,
                   "seconds between two saves of finished work, or more where saving takes long")
      ->capture_default_str()
      ->type_name("SECONDS");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
