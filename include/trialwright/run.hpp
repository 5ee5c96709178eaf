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

// Simulates every design x scenario x sweep point of a study file.
// Throws Error: bad_input with every fault of the study in its text,
// io_error where a file cannot be read.
Results run(const std::filesystem::path& study_file, const RunOptions& options = {});

}  // namespace trialwright
