// What manifest.json tells of a run: build, host, threads, times, command line.
#pragma once

#include <chrono>

#include "report/directory.hpp"
#include "trialwright/results.hpp"

namespace trialwright::app {

// Begins when it is made.
struct Clocks {
  std::chrono::system_clock::time_point started = std::chrono::system_clock::now();
  std::chrono::steady_clock::time_point start = std::chrono::steady_clock::now();
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
};

report::Manifest manifest_of(const Results& results, int n_threads, const Clocks& clocks);

}  // namespace trialwright::app
