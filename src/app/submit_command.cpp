#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "app/command.hpp"
#include "app/slurm_job.hpp"
#include "base/durable_file.hpp"
#include "engine/run_study.hpp"
#include "report/directory.hpp"
#include "shard/cut.hpp"
#include "shard/shard_file.hpp"
#include "shard/store.hpp"
#include "trialwright/version.hpp"

namespace trialwright::app {
namespace {

namespace fs = std::filesystem;

struct Options {
  CommonOptions common;
  std::string output;
  std::string shards;
  std::string cpus_per_task = "1";
  std::string time;
  std::string memory;
  std::string partition;
  std::string max_running;
  std::string attempts = "1";
  std::string site_template;
  bool requeue = true;
  bool go = false;
};

// Trials a point that one round, which is one job array, is asked for.
std::uint64_t round_trials(const scenario::SimulationSpec& simulation) {
  return simulation.precision ? std::min(simulation.trials, simulation.precision->round_trials)
                              : simulation.trials;
}

// A task's time on this program's usual core; each task has a core or more for itself.
double seconds_a_shard(const scenario::Study& study, const std::vector<scenario::PointSpec>& points,
                       std::uint32_t n_shards, int n_cpus) {
  const auto costs = shard::estimated_costs(study, points, round_trials(study.spec().simulation));
  return 1e-9 * std::accumulate(costs.begin(), costs.end(), 0.0) / n_shards / n_cpus;
}

// Thrice the estimate, for slower cores and neighbours, and ten minutes to start; whoever needs more
// goes on after a requeue.
std::int64_t default_time_limit(double seconds) {
  constexpr std::int64_t k_step = 300;
  const auto wanted = static_cast<std::int64_t>(3 * seconds) + 600;
  return (wanted + k_step - 1) / k_step * k_step;
}

// Throws io_error where the directory, or a shard in it, is of another study, and where its results
// hold more trials.
void claim(const fs::path& directory, const scenario::Study& study, std::size_t n_points) {
  const auto& simulation = study.spec().simulation;
  report::claim_directory(directory, fmt::format("{:016x}", study.hash()));
  if (!simulation.precision) report::refuse_fewer_trials(directory, simulation.trials);
  const shard::Header expected{study.name(), study.hash(), simulation.seed,   std::string(k_version),
                               {},           {1, 1},       simulation.trials, n_points};
  for (const auto& file : shard::shard_files_in(shard::shards_directory(directory))) {
    const auto found = shard::read_shard_progress(file).header;
    if (found.n_points > 0) shard::check_header(file, found, expected);
  }
}

void make_directory(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) base::fail_io(directory, "cannot be made", error.value());
}

// Of letters and digits that any job's name may have.
std::string job_name(const std::string& stem) {
  std::string name = "tw-";
  for (const char c : stem)
    name += std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' ? c : '-';
  return name;
}

// Files that jobs find again wherever they start.
fs::path absolute(const fs::path& path) {
  fs::path whole = fs::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  if (whole.string().find_first_of("\n\r\"'\\%") != std::string::npos)
    throw bad_input(fmt::format(
        "error: -o is \"{}\" (a directory without quotes, backslashes, percent signs and line breaks in its path is "
        "needed, since Slurm reads them its own way)",
        whole.string()));
  return whole;
}

SlurmJob job_of(const Options& options, const scenario::Study& study) {
  const auto& simulation = study.spec().simulation;
  const std::string stem = fs::path(options.common.config).stem().string();
  SlurmJob job;
  job.directory = absolute(options.output);
  // Under its own name, which is the study's in the results where it has no title.
  job.study = submit_directory(job.directory) / (stem + ".yaml");
  job.program = fs::read_symlink("/proc/self/exe");
  job.name = job_name(stem);
  job.n_shards = static_cast<std::uint32_t>(parse_integer("--shards", options.shards, 1, 100'000));
  job.cpus_per_task =
      static_cast<int>(parse_integer("--cpus-per-task", options.cpus_per_task, 1, 4096));
  if (!options.time.empty()) job.time_limit_seconds = parse_time_limit("--time", options.time);
  if (!options.memory.empty()) job.memory = parse_memory("--memory", options.memory);
  if (options.partition.find_first_of(" \t\r\n\"'\\") != std::string::npos)
    throw bad_input(fmt::format("error: --partition is \"{}\" (a name without blanks is needed)",
                                options.partition));
  job.partition = options.partition;
  if (!options.max_running.empty())
    job.max_running =
        static_cast<std::uint32_t>(parse_integer("--max-running", options.max_running, 1, 100'000));
  job.requeue = options.requeue ? Requeue::yes : Requeue::no;
  job.attempts = static_cast<int>(parse_integer("--attempts", options.attempts, 1, 100));
  const std::uint64_t n_a_round = round_trials(simulation);
  job.n_rounds = (simulation.trials + n_a_round - 1) / n_a_round;
  if (!options.site_template.empty()) job.site = read_template(options.site_template);
  return job;
}

void write_executable(const fs::path& file, const std::string& text) {
  base::write_file(file, text);
  std::error_code error;
  fs::permissions(file, fs::perms::owner_exec | fs::perms::group_exec, fs::perm_options::add, error);
}

void write_files(const SlurmJob& job, const scenario::Study& study) {
  const fs::path submit = submit_directory(job.directory);
  make_directory(submit / "logs");
  base::write_file(job.study, study.resolved_yaml());
  write_executable(submit / "array.sh", array_script(job));
  write_executable(submit / "merge.sh", merge_script(job));
  write_executable(submit / "submit.sh", submit_script(job));
  base::write_file(submit / k_shards_file, fmt::format("{}\n", job.n_shards));
}

bool is_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string left = path ? path : "";
  while (!left.empty()) {
    const std::size_t colon = std::min(left.find(':'), left.size());
    if (::access((fs::path(left.substr(0, colon)) / program).c_str(), X_OK) == 0) return true;
    left.erase(0, colon + 1);
  }
  return false;
}

// The jobs' numbers, as Slurm names them.
struct Queued {
  std::string array;
  std::string merge;
};

// The word after `key` in lines of two words.
std::string told(const std::string& output, const std::string& key) {
  const std::size_t at = output.find(key + " ");
  if (at == std::string::npos) return {};
  const std::size_t from = at + key.size() + 1;
  return output.substr(from, output.find('\n', from) - from);
}

Queued queue(const fs::path& script) {
  if (!is_in_path("sbatch"))
    throw io_error(fmt::format(
        "error: sbatch is not in the PATH, so nothing is queued (all is written: start {} where Slurm is)",
        shell_word(script.string())));
  std::FILE* pipe = ::popen(fmt::format("bash {} 2>&1", shell_word(script.string())).c_str(), "r");
  if (!pipe) base::fail_io(script, "cannot be started", errno);
  std::string output;
  std::array<char, 4096> bytes{};
  for (std::size_t n; (n = std::fread(bytes.data(), 1, bytes.size(), pipe)) > 0;)
    output.append(bytes.data(), n);
  const int status = ::pclose(pipe);
  Queued queued{told(output, "array"), told(output, "merge")};
  if (status != 0 || queued.array.empty() || queued.merge.empty()) {
    while (!output.empty() && output.back() == '\n') output.pop_back();
    throw io_error(fmt::format("{}: failed: {}", script.string(), output));
  }
  return queued;
}

std::string duration(double seconds) {
  if (seconds < 60) return fmt::format("{:.0f} s", std::max(1.0, seconds));
  if (seconds < 3600) return fmt::format("{:.0f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string as_text(const SlurmJob& job, const scenario::Study& study, std::size_t n_points,
                    double seconds, const std::optional<Queued>& queued) {
  const auto& simulation = study.spec().simulation;
  std::string text = fmt::format(
      "{}: {} points x {} trials{} in {} shards, about {} each on {} core{} (time limit {})\n",
      study.name(), n_points, round_trials(simulation),
      job.n_rounds > 1 ? fmt::format(" a round, {} rounds at most,", job.n_rounds) : std::string{},
      job.n_shards, duration(seconds), job.cpus_per_task, job.cpus_per_task == 1 ? "" : "s",
      time_limit_text(job.time_limit_seconds));
  const std::string script = shell_word((submit_directory(job.directory) / "submit.sh").string());
  if (queued)
    text += fmt::format("queued: array {}, merge {}; `trialwright status {}` tells how far they are\n",
                        queued->array, queued->merge, shell_word(job.directory.string()));
  else
    text += fmt::format("written; nothing is queued yet: start {}, or give --go\n", script);
  return text;
}

nlohmann::ordered_json as_json(const SlurmJob& job, const scenario::Study& study, std::size_t n_points,
                               double seconds, const std::optional<Queued>& queued) {
  nlohmann::ordered_json json{
      {"study", study.name()},      {"directory", job.directory.string()},
      {"points", n_points},         {"trials", study.spec().simulation.trials},
      {"shards", job.n_shards},     {"rounds", job.n_rounds},
      {"seconds_a_shard", seconds}, {"time_limit_seconds", job.time_limit_seconds}};
  json["array_job"] = queued ? nlohmann::ordered_json(queued->array) : nlohmann::ordered_json();
  json["merge_job"] = queued ? nlohmann::ordered_json(queued->merge) : nlohmann::ordered_json();
  return json;
}

ExitStatus run(const Options& options) {
  const auto study = load_study(options.common);
  SlurmJob job = job_of(options, study);
  // Faults of any point are told here rather than by a task that has waited for hours.
  const auto plan = engine::plan_study(study, engine::available_threads());
  const double seconds = seconds_a_shard(study, plan.points, job.n_shards, job.cpus_per_task);
  if (options.time.empty()) job.time_limit_seconds = default_time_limit(seconds);
  claim(job.directory, study, plan.points.size());
  write_files(job, study);
  std::optional<Queued> queued;
  if (options.go) queued = queue(submit_directory(job.directory) / "submit.sh");
  print(options.common.json ? as_json(job, study, plan.points.size(), seconds, queued).dump(1) + "\n"
                            : as_text(job, study, plan.points.size(), seconds, queued));
  return ExitStatus::done;
}

void add_job_options(CLI::App& command, Options& options) {
  command
      .add_option("--shards", options.shards,
                  "shards: tasks of the job array (1001 or more need a "
                  "site whose MaxArraySize allows them)")
      ->required()
      ->type_name("N");
  command
      .add_option(
          "--cpus-per-task", options.cpus_per_task,
          "cores of a task (default 1: single cores are found soonest, and shards share nothing)")
      ->type_name("C");
  command
      .add_option("--time", options.time,
                  "time limit of a task, HH:MM:SS (default: three times the estimate and ten minutes)")
      ->type_name("TIME");
  command.add_option("--memory", options.memory, "memory of a task, such as 2G (default: the site's)")
      ->type_name("SIZE");
  command.add_option("--partition", options.partition, "partition (default: the site's)")
      ->type_name("NAME");
  command.add_option("--max-running", options.max_running, "tasks that run at one time, at most")
      ->type_name("K");
  auto* requeue = command.add_flag("--requeue{true},--no-requeue{false}", options.requeue,
                                   "tasks go back into the queue at their time limit, after "
                                   "pre-emption and a node's death (the default), or do not");
  requeue->disable_flag_override();
  command
      .add_option("--attempts", options.attempts,
                  "times that missing shards of a round are queued, the first included (default 1)")
      ->type_name("K");
  command
      .add_option(
          "--template", options.site_template,
          "the site's lines for both jobs: #SBATCH lines, and commands such as `module load` or\n"
          "TRIALWRIGHT=\"apptainer exec tw.sif trialwright\"")
      ->type_name("FILE");
  command.add_flag("--go", options.go, "queue both jobs");
}

}  // namespace

void add_submit_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command =
      app.add_subcommand("submit", "write, and queue, a Slurm job array of a study's shards");
  describe(
      *command,
      "Checks the study, and writes DIR/submit: the resolved study, array.sh (one shard a task, which goes on from\n"
      "what is saved), merge.sh (queued behind it: results in DIR, or the command that makes what is missing;\n"
      "with a precision target it queues the next round) and submit.sh, which queues both. Logs go to\n"
      "DIR/submit/logs. DIR must be on a file system that all nodes share.\n"
      "Other schedulers and plain shells: `trialwright run CONFIG -o DIR --shard auto/N --resume` in every\n"
      "task of an array that counts from 1 to N, then `trialwright merge DIR`.\n"
      "Example: trialwright submit configs/phase3_sweep.yaml -o results/grid --shards 40 --go");
  add_study_options(*command, options->common);
  add_trials_option(*command, options->common);
  command->add_option("-o,--output", options->output, "results directory, which every node must see")
      ->required()
      ->type_name("DIR");
  add_job_options(*command, *options);
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
