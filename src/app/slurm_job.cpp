#include "app/slurm_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <vector>

#include "app/command.hpp"
#include "base/durable_file.hpp"
#include "trialwright/error.hpp"

namespace trialwright::app {
namespace {

// clang-format would take the shell for C++.
// clang-format off
// A task of the array: what follows the names that `variables` sets.
constexpr const char* k_array_body = R"sh(
set +e
eval "program=($TRIALWRIGHT)"
task=$SLURM_ARRAY_TASK_ID
# What the shard's files hold, as far as their lengths tell it.
saved() { stat -c '%n %s' -- "$directory/shards/$task-of-$n_shards."*{journal,shard} 2>/dev/null; }
before=$(saved)

# Slurm tells the coming end of the time limit to this shell alone; scancel, pre-emption and the end of the time
# itself reach the program as well.
stopped=
trap 'stopped=time_limit; kill -TERM "$running" 2>/dev/null' USR1
trap 'stopped=${stopped:-killed}' TERM INT
running=
"${program[@]}" run "$study" -o "$directory" --shard "auto/$n_shards" --resume \
  --threads "${SLURM_CPUS_PER_TASK:-1}" --quiet &
running=$!
[[ $stopped != time_limit ]] || kill -TERM "$running"
# A trapped signal ends `wait` before the program ends.
while
  wait "$running"
  status=$?
  kill -0 "$running" 2>/dev/null
do :; done
if ((status > 128)) && [[ -n $stopped ]]; then
  wait "$running"
  status=$?
fi
)sh";

constexpr const char* k_requeue_body = R"sh(
# The time was too short: back into the queue, to go on from what is saved. Not after scancel, which means it; not
# where this time has brought nothing, since the next one would bring as much.
if [[ $stopped == time_limit && $status == 4 ]]; then
  if [[ $(saved) == "$before" ]]; then
    echo "nothing was finished within the time limit: a longer --time is needed" >&2
  else
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$task"
  fi
fi
)sh";

constexpr const char* k_merge_body = R"sh(
set +e
eval "program=($TRIALWRIGHT)"
round=${1:-1} attempt=${2:-1}

exec 3>&1
told=$("${program[@]}" merge "$directory" --threads "${SLURM_CPUS_PER_TASK:-1}" --quiet 2>&1 >&3)
status=$?
printf '%s\n' "$told" >&2
((status == 5)) || exit "$status"

array=$(sed -n 's/.*--array=\([0-9,-]*\).*/\1/p' <<<"$told" | head -n 1)
[[ -n $array ]] || exit 5
if [[ $told == *"next round"* ]]; then
  ((round < n_rounds)) || exit 5
  round=$((round + 1)) attempt=1
else
  ((attempt < attempts)) || exit 5
  attempt=$((attempt + 1))
fi
bash "$directory/submit/submit.sh" "$array" "$round" "$attempt"
)sh";

constexpr const char* k_submit_body = R"sh(
command -v sbatch >/dev/null || {
  echo "sbatch is not in the PATH: start this where Slurm is" >&2
  exit 3
}
array=$(sbatch --parsable --array="${1:-1-$n_shards}$max_running" array.sh)
array=${array%%;*}
echo "array $array"
merge=$(sbatch --parsable --dependency="afterany:$array" merge.sh "${2:-1}" "${3:-1}") || {
  echo "the merge is not queued; once the array has ended: trialwright merge $(printf %q "$directory")" >&2
  exit 3
}
echo "merge ${merge%%;*}"
)sh";
// clang-format on

// Seconds before the time limit at which the array's tasks are told; Slurm may tell up to a minute
// sooner.
std::int64_t seconds_of_warning(std::int64_t time_limit_seconds) {
  return std::clamp<std::int64_t>(time_limit_seconds / 4, 15, 90);
}

std::string options_of(const SlurmJob& job, const std::string& name, const std::string& log) {
  std::string text;
  const auto add = [&text](const std::string& option) { text += "#SBATCH --" + option + "\n"; };
  add("job-name=" + name);
  add("chdir=\"" + submit_directory(job.directory).string() + "\"");
  add("output=logs/" + log);
  add("open-mode=append");
  add("ntasks=1");
  add(fmt::format("cpus-per-task={}", job.cpus_per_task));
  add("time=" + time_limit_text(job.time_limit_seconds));
  if (!job.memory.empty()) add("mem=" + job.memory);
  if (!job.partition.empty()) add("partition=" + job.partition);
  add(job.requeue == Requeue::yes ? "requeue" : "no-requeue");
  return text;
}

std::string variables(const SlurmJob& job) {
  return fmt::format("directory={}\nTRIALWRIGHT={}\n", shell_word(job.directory.string()),
                     shell_word(shell_word(job.program.string())));
}

std::string site_commands(const SlurmJob& job) {
  return job.site.commands.empty() ? std::string{}
                                   : "\n# From the site's template.\n" + job.site.commands;
}

// -1 where it is no number.
std::int64_t number(const std::string& text) {
  if (text.empty() || text.size() > 6 ||
      !std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return -1;
  return std::stoll(text);
}

std::vector<std::int64_t> numbers(const std::string& text) {
  std::vector<std::int64_t> values;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ':');) values.push_back(number(part));
  if (text.empty() || text.back() == ':') values.push_back(-1);
  return values;
}

}  // namespace

std::int64_t parse_time_limit(const std::string& option, const std::string& text) {
  const std::size_t dash = text.find('-');
  const bool has_days = dash != std::string::npos;
  auto parts = numbers(has_days ? text.substr(dash + 1) : text);
  const std::int64_t days = has_days ? number(text.substr(0, dash)) : 0;
  const bool is_good =
      days >= 0 && parts.size() <= 3 && *std::min_element(parts.begin(), parts.end()) >= 0;
  if (is_good) {
    // With days the first number is hours; without, one or two numbers begin with minutes.
    if (!has_days && parts.size() < 3) parts.insert(parts.begin(), 0);
    parts.resize(3, 0);
    const std::int64_t seconds = ((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2];
    if (seconds >= 60) return seconds;
  }
  throw bad_input(
      fmt::format("error: {} is \"{}\" (minutes, HH:MM:SS or D-HH:MM:SS is needed, a minute at least)",
                  option, text));
}

std::string time_limit_text(std::int64_t seconds) {
  const std::int64_t minutes = (seconds + 59) / 60, hours = minutes / 60, days = hours / 24;
  return days > 0 ? fmt::format("{}-{:02}:{:02}:00", days, hours % 24, minutes % 60)
                  : fmt::format("{:02}:{:02}:00", hours, minutes % 60);
}

std::string parse_memory(const std::string& option, const std::string& text) {
  const bool has_unit = !text.empty() && std::string("KMGT").find(text.back()) != std::string::npos;
  if (number(text.substr(0, text.size() - (has_unit ? 1 : 0))) > 0) return text;
  throw bad_input(
      fmt::format("error: {} is \"{}\" (megabytes, or such as 500M or 2G, are needed)", option, text));
}

std::string shell_word(const std::string& text) {
  constexpr const char* k_plain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,+@%-";
  if (!text.empty() && text.find_first_not_of(k_plain) == std::string::npos) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

SiteTemplate read_template(const std::filesystem::path& file) {
  SiteTemplate site;
  std::istringstream lines(base::read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.starts_with("#SBATCH"))
      site.options += line + "\n";
    else if (!line.starts_with("#!"))
      site.commands += line + "\n";
  }
  return site;
}

std::filesystem::path submit_directory(const std::filesystem::path& results_directory) {
  return results_directory / "submit";
}

std::string array_script(const SlurmJob& job) {
  std::string text = "#!/bin/bash\n" + options_of(job, job.name, "%A_%a.log");
  text += fmt::format("#SBATCH --array=1-{}{}\n", job.n_shards,
                      job.max_running ? fmt::format("%{}", *job.max_running) : std::string{});
  text += fmt::format("#SBATCH --signal=B:USR1@{}\n", seconds_of_warning(job.time_limit_seconds));
  text += job.site.options;
  text += "# One shard a task of the study below, by `trialwright submit`.\n";
  text += variables(job);
  text += fmt::format("study={}\nn_shards={}\n", shell_word(job.study.string()), job.n_shards);
  text += site_commands(job) + k_array_body;
  if (job.requeue == Requeue::yes) text += k_requeue_body;
  return text + "exit \"$status\"\n";
}

std::string merge_script(const SlurmJob& job) {
  std::string text = "#!/bin/bash\n" + options_of(job, job.name + "-merge", "merge-%j.log");
  text += job.site.options;
  text +=
      "# Puts the shards together, by `trialwright submit`. It is queued with afterany: with afterok it would never\n"
      "# start after a task that was cancelled or failed, whereas merge judges by itself what is there.\n"
      "# Usage: merge.sh [ROUND] [ATTEMPT]\n";
  text += variables(job);
  text += fmt::format("n_rounds={}\nattempts={}\n", job.n_rounds, job.attempts);
  return text + site_commands(job) + k_merge_body;
}

std::string submit_script(const SlurmJob& job) {
  std::string text =
      "#!/bin/bash\n"
      "# Queues the array and the merge that waits for it, by `trialwright submit`.\n"
      "# Usage: submit.sh [SHARDS] [ROUND] [ATTEMPT], SHARDS as 3,17 or 1-40\n"
      "set -euo pipefail\n";
  text +=
      fmt::format("directory={}\nn_shards={}\nmax_running={}\n", shell_word(job.directory.string()),
                  job.n_shards, job.max_running ? fmt::format("%{}", *job.max_running) : std::string{});
  return text + "cd -- \"$directory/submit\"\n" + k_submit_body;
}

}  // namespace trialwright::app
