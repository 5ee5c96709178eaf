#include "app/manifest.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>

namespace trialwright::app {
namespace {

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

}  // namespace

report::Manifest manifest_of(const Results& results, int n_threads, const Clocks& clocks) {
  std::uint64_t n_trials = 0;
  for (const auto& point : results.points) n_trials += point.n_trials;
  return {{"compiler", std::string("g++ " __VERSION__)},
          {"host", host_name()},
          {"threads", std::int64_t{n_threads}},
          {"started", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(clocks.started))},
          {"seconds", clocks.seconds()},
          {"trials", static_cast<std::int64_t>(n_trials)},
          {"interrupted", results.interrupted},
          {"partial", results.partial},
          {"command_line", command_line()}};
}

}  // namespace trialwright::app
