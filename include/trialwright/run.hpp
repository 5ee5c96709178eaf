// Running a study from another program: a file in, results out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "trialwright/error.hpp"
#include "trialwright/results.hpp"

namespace trialwright {

struct RunOptions {
  // `path=value` overrides, as --set takes them, applied in order.
  std::vector<std::string> assignments;
  // Threads; 0: all that this process may use. Results do not depend on it.
  int threads = 0;
  // Called now and then with what is done and what there is in all: first the trials for true values,
  // then exact powers, then the study's own trials. False asks for a stop, and the results then hold
  // what is finished. From one thread at a time. May be empty.
  std::function<bool(std::uint64_t done, std::uint64_t total)> progress;
};

// Simulates every design x scenario x sweep point of a study file, in memory: nothing is written, and
// what `outputs` asks for is left to the program. Each point has simulation.trials trials, or, with
// simulation.precision, whole rounds of them until its metric is as precise as asked for,
// simulation.trials at most: Point::n_trials tells where it stopped. Throws Error: bad_input with every
// fault of the study in its text, io_error where a file cannot be read.
Results run(const std::filesystem::path& study_file, const RunOptions& options = {});

}  // namespace trialwright
