#include <sched.h>

#include <cmath>
#include <fstream>
#include <string>

#include "engine/simulate.hpp"

namespace trialwright::engine {
namespace {

int affinity_threads() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) != 0) return 1;
  return CPU_COUNT(&mask);
}

// CPUs that a cgroup v2 quota allows this process, following its path up to the root; 0 where
// unlimited.
int quota_threads() {
  std::ifstream membership("/proc/self/cgroup");
  std::string line;
  std::string path;
  while (std::getline(membership, line))
    if (line.rfind("0::", 0) == 0) path = line.substr(3);
  int fewest = 0;
  while (true) {
    std::ifstream file("/sys/fs/cgroup" + path + "/cpu.max");
    std::string quota;
    double period = 0;
    if (file >> quota >> period && quota != "max" && period > 0) {
      const int threads = std::max(1, static_cast<int>(std::ceil(std::stod(quota) / period)));
      fewest = fewest == 0 ? threads : std::min(fewest, threads);
    }
    if (path.empty() || path == "/") return fewest;
    path = path.substr(0, path.rfind('/'));
  }
}

}  // namespace

int available_threads() {
  const int allowed = affinity_threads();
  const int quota = quota_threads();
  return quota > 0 ? std::min(allowed, quota) : allowed;
}

}  // namespace trialwright::engine
