#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "app/command.hpp"
#include "app/slurm_job.hpp"
#include "base/durable_file.hpp"
#include "shard/status.hpp"

namespace trialwright::app {
namespace {

namespace fs = std::filesystem;
using shard::ShardState;

struct Options {
  std::string directory;
  bool json = false;
};

// As `submit` was asked; nothing where it was not.
std::optional<std::uint32_t> submitted_shards(const fs::path& directory) {
  const fs::path file = submit_directory(directory) / k_shards_file;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  std::string text = base::read_file(file);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return static_cast<std::uint32_t>(parse_integer(file.string(), text, 1, 100'000));
}

// What Slurm says of the jobs that `submit` queued: a state by the array's index, 0 for the merge. They
// are known by the directory they work in. Empty where there is no Slurm, or it does not answer.
std::map<std::uint32_t, std::string> slurm_states(const fs::path& directory) {
  std::map<std::uint32_t, std::string> states;
  std::error_code error;
  const fs::path submit = fs::canonical(submit_directory(directory), error);
  if (error) return states;
  std::FILE* pipe = ::popen("timeout 10 squeue -h -r -o '%K %T %Z' 2>/dev/null", "r");
  if (!pipe) return states;
  std::string output;
  std::array<char, 4096> bytes{};
  for (std::size_t n; (n = std::fread(bytes.data(), 1, bytes.size(), pipe)) > 0;)
    output.append(bytes.data(), n);
  ::pclose(pipe);
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string index, state, work;
    words >> index >> state >> std::ws;
    std::getline(words, work);
    if (fs::path(work) != submit && !fs::equivalent(work, submit, error)) continue;
    std::transform(state.begin(), state.end(), state.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    states[index == "N/A" ? 0 : static_cast<std::uint32_t>(std::stoul(index))] = state;
  }
  return states;
}

std::string duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

double percent(std::uint64_t n_done, std::uint64_t n_to_do) {
  return n_to_do == 0 ? 0 : 100.0 * static_cast<double>(n_done) / static_cast<double>(n_to_do);
}

// As 3,5-7.
std::string ranges(const std::vector<std::uint32_t>& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ",";
    text += last == i ? fmt::format("{}", numbers[i]) : fmt::format("{}-{}", numbers[i], numbers[last]);
    i = last + 1;
  }
  return text;
}

std::string as_text(const shard::StudyStatus& status,
                    const std::map<std::uint32_t, std::string>& slurm) {
  std::string text;
  if (status.n_points > 0)
    text += fmt::format(
        "{}: {} points x {} trials{}\n", status.study, status.n_points, status.n_trials,
        status.i_round > 0 ? fmt::format(" at most, round {}", status.i_round + 1) : std::string{});
  text += fmt::format("{} shards: {} whole, {} running, {} stopped, {} missing\n", status.shards.size(),
                      status.count(ShardState::whole), status.count(ShardState::running),
                      status.count(ShardState::stopped), status.count(ShardState::missing));
  text += fmt::format("trials: {} done of {}{} ({:.0f}%), {:.0f}/s", status.n_done(), status.n_to_do(),
                      status.count(ShardState::missing) > 0 ? " in the shards begun" : "",
                      percent(status.n_done(), status.n_to_do()), status.trials_a_second());
  if (const auto left = status.seconds_left())
    text += fmt::format(", {} left for those running", duration(*left));
  text += "\n";

  std::vector<std::uint32_t> missing;
  for (const auto& shard : status.shards)
    if (shard.state == ShardState::missing) missing.push_back(shard.shard.i);
  if (!missing.empty()) text += fmt::format("missing: {}\n", ranges(missing));
  bool has_table = false;
  for (const auto& shard : status.shards) {
    const auto job = slurm.find(shard.shard.i);
    const bool is_begun = shard.state == ShardState::running || shard.state == ShardState::stopped;
    if (!is_begun && job == slurm.end()) continue;
    if (!has_table)
      text += fmt::format("{:>7} {:<8} {:>14} {:>14} {:>5} {:>10}  {}\n", "shard", "state", "done",
                          "of", "%", "trials/s", slurm.empty() ? "" : "Slurm");
    has_table = true;
    text += fmt::format("{:>7} {:<8} {:>14} {:>14} {:>5.0f} {:>10.0f}  {}\n", shard.shard.i,
                        shard::name_of(shard.state), shard.n_done, shard.n_to_do,
                        percent(shard.n_done, shard.n_to_do), shard.trials_a_second,
                        job == slurm.end() ? "" : job->second);
  }
  if (const auto merge = slurm.find(0); merge != slurm.end())
    text += fmt::format("merge: {}\n", merge->second);
  if (status.n_other_files > 0)
    text +=
        fmt::format("{} other shard files are there, which merge uses as well\n", status.n_other_files);
  for (const auto& note : status.notes) text += note + "\n";
  return text;
}

nlohmann::ordered_json as_json(const shard::StudyStatus& status,
                               const std::map<std::uint32_t, std::string>& slurm) {
  using Json = nlohmann::ordered_json;
  const auto left = status.seconds_left();
  Json json{{"study", status.study},
            {"study_hash", fmt::format("{:016x}", status.study_hash)},
            {"seed", status.seed},
            {"points", status.n_points},
            {"trials", status.n_trials},
            {"round", status.i_round + 1},
            {"is_whole", status.count(ShardState::whole) == status.shards.size()},
            {"trials_done", status.n_done()},
            {"trials_to_do", status.n_to_do()},
            {"trials_a_second", status.trials_a_second()},
            {"seconds_left", left ? Json(*left) : Json()},
            {"other_files", status.n_other_files}};
  const auto merge = slurm.find(0);
  json["slurm_merge"] = merge == slurm.end() ? Json() : Json(merge->second);
  json["shards"] = Json::array();
  for (const auto& shard : status.shards) {
    Json one{{"shard", shard.shard.i},
             {"state", std::string(shard::name_of(shard.state))},
             {"trials_done", shard.n_done},
             {"trials_to_do", shard.n_to_do},
             {"trials_a_second", shard.trials_a_second}};
    if (const auto job = slurm.find(shard.shard.i); job != slurm.end()) one["slurm"] = job->second;
    json["shards"].push_back(std::move(one));
  }
  json["notes"] = status.notes;
  return json;
}

ExitStatus run(const Options& options) {
  const auto status = shard::read_status(options.directory, submitted_shards(options.directory));
  const auto slurm = slurm_states(options.directory);
  print(options.json ? as_json(status, slurm).dump(1) + "\n" : as_text(status, slurm));
  return ExitStatus::done;
}

}  // namespace

void add_status_command(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("status", "how far a study's shards are");
  describe(
      *command,
      "Tells of every shard in a results directory whether it is whole, running, stopped (goes on with\n"
      "run --resume) or missing, and its trials done, a second, and time left, as of its last save; where\n"
      "Slurm is, the states of the jobs that `submit` queued too. Reads no results: merge judges whether\n"
      "nothing is missing. The exit status is 0 whatever is missing; --json tells `is_whole`.\n"
      "Example: trialwright status results/grid");
  command->add_option("DIR", options->directory, "the results directory")->required();
  command->add_flag("--json", options->json, "print machine-readable JSON on stdout");
  command->callback([&action, options] { action = [options] { return run(*options); }; });
}

}  // namespace trialwright::app
