#include "engine/available_threads.hpp"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>
#include <string_view>
#include <vector>

#include "engine/simulate.hpp"

namespace trialwright::engine {
namespace {

constexpr int k_unlimited = std::numeric_limits<int>::max();

// The kernel wants a mask as long as its own, which may have more than a cpu_set_t's 1024 CPUs.
int affinity_cpus() {
  constexpr std::size_t k_most_cpus = std::size_t{1} << 20;
  for (std::size_t n = CPU_SETSIZE; n <= k_most_cpus; n *= 2) {
    std::vector<cpu_set_t> mask(n / CPU_SETSIZE);
    const std::size_t size = mask.size() * sizeof(cpu_set_t);
    if (sched_getaffinity(0, size, mask.data()) == 0) return CPU_COUNT_S(size, mask.data());
    if (errno != EINVAL) break;
  }
  return 1;
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end == text.data()) return std::nullopt;
  return value;
}

// mountinfo writes blanks and backslashes as \040 and the like.
std::string unescaped(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_digit = [&](std::size_t k) {
      return i + k < text.size() && text[i + k] >= '0' && text[i + k] <= '7';
    };
    if (text[i] == '\\' && is_digit(1) && is_digit(2) && is_digit(3)) {
      result.push_back(static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8)));
      i += 3;
    } else {
      result.push_back(text[i]);
    }
  }
  return result;
}

bool holds(const std::vector<std::string>& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

enum class Version { one, two };

// A mounted hierarchy of cgroups that has CPU quotas: `top` (a cgroup of it) stands at `at`.
struct Mount {
  Version version;
  std::string top;
  std::string at;
};

// proc(5): "36 35 98:0 /top /at options [tags] - type source options-of-the-hierarchy".
std::vector<Mount> cgroup_mounts(const std::filesystem::path& root) {
  std::vector<Mount> mounts;
  std::ifstream file(root / "proc/self/mountinfo");
  for (std::string line; std::getline(file, line);) {
    const auto words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (dash - words.begin() < 6 || words.end() - dash < 4) continue;
    const bool is_1 = dash[1] == "cgroup" && holds(split(dash[3], ','), "cpu");
    if (is_1 || dash[1] == "cgroup2")
      mounts.push_back({is_1 ? Version::one : Version::two, unescaped(words[3]), unescaped(words[4])});
  }
  return mounts;
}

// The process's cgroup in the hierarchy of that version; nothing where it is in none.
// cgroups(7): "4:cpu,cpuacct:/path", "0::/path".
std::optional<std::string> cgroup_of(const std::filesystem::path& root, Version version) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const auto first = line.find(':');
    const auto second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (version == Version::two ? controllers.empty() : holds(split(controllers, ','), "cpu"))
      return line.substr(second + 1);
  }
  return std::nullopt;
}

// CPUs that one directory of a hierarchy allows; none where it says nothing or has no bound.
std::optional<double> quota_in(const std::filesystem::path& directory, Version version) {
  double quota = 0, period = 0;
  if (version == Version::two) {
    std::ifstream file(directory / "cpu.max");  // "150000 100000", "max 100000"
    if (!(file >> quota >> period)) return std::nullopt;
  } else {
    std::ifstream quota_file(directory / "cpu.cfs_quota_us");  // -1: no bound
    std::ifstream period_file(directory / "cpu.cfs_period_us");
    if (!(quota_file >> quota) || !(period_file >> period)) return std::nullopt;
  }
  if (!(quota > 0) || !(period > 0)) return std::nullopt;
  return quota / period;
}

// `cgroup` below the one that is mounted. What is mounted may be a part of the hierarchy (in
// containers), and the process in another part of it: then what is mounted is all that can be seen.
std::string below(const std::string& top, const std::string& cgroup) {
  const std::string above = top == "/" ? "" : top;
  const bool is_inside = cgroup.starts_with(above + "/") || cgroup == above;
  const bool is_outside = !is_inside || (cgroup + "/").find("/../") != std::string::npos;
  return is_outside ? "" : cgroup.substr(above.size());
}

int quota_threads(const std::filesystem::path& root) {
  double fewest = k_unlimited;
  for (const Mount& mount : cgroup_mounts(root)) {
    const auto cgroup = cgroup_of(root, mount.version);
    if (!cgroup) continue;
    std::string path = below(mount.top, *cgroup);
    while (true) {
      const auto quota = quota_in(root / (mount.at + path).substr(1), mount.version);
      fewest = std::min(fewest, std::ceil(quota.value_or(k_unlimited)));
      const auto slash = path.rfind('/');
      if (slash == std::string::npos) break;
      path.resize(slash);
    }
  }
  return static_cast<int>(std::max(1.0, fewest));
}

// What the batch system granted this process; k_unlimited outside of any.
int job_threads(const Place& place) {
  const auto granted = [&](const char* name) -> std::optional<int> {
    const auto text = place.environment ? place.environment(name) : std::nullopt;
    const auto number = text ? whole_number(*text) : std::nullopt;
    if (!number || *number < 1 || *number >= k_unlimited) return std::nullopt;
    return static_cast<int>(*number);
  };
  const auto is_set = [&](const char* name) {
    return place.environment && place.environment(name).has_value();
  };
  int fewest = k_unlimited;
  if (const auto of_task = granted("SLURM_CPUS_PER_TASK"))
    fewest = *of_task;
  else if (const auto on_node = granted("SLURM_CPUS_ON_NODE"))
    fewest = std::max(1, *on_node / granted("SLURM_STEP_TASKS_PER_NODE").value_or(1));
  if (is_set("PBS_JOBID"))
    fewest = std::min(fewest, granted("PBS_NUM_PPN").value_or(granted("NCPUS").value_or(k_unlimited)));
  if (is_set("JOB_ID")) fewest = std::min(fewest, granted("NSLOTS").value_or(k_unlimited));
  if (is_set("LSB_JOBID")) fewest = std::min(fewest, granted("LSB_DJOB_NUMPROC").value_or(k_unlimited));
  return fewest;
}

}  // namespace

int available_threads(const Place& place) {
  return std::max(1, std::min({place.affinity_cpus, quota_threads(place.root), job_threads(place)}));
}

int available_threads() {
  return available_threads(
      {affinity_cpus(), "/", [](const std::string& name) -> std::optional<std::string> {
         const char* value = std::getenv(name.c_str());
         return value ? std::optional<std::string>(value) : std::nullopt;
       }});
}

}  // namespace trialwright::engine
