// The section `outputs`: what is written beside the results.
#pragma once

#include <cstdint>
#include <span>

#include "base/named_table.hpp"
#include "input/reader.hpp"

namespace trialwright::scenario {

enum class Compression { none, gzip };
std::span<const base::Named<Compression>> compression_table();

// It never moves a result.
struct OutputsSpec {
  bool trials = false;                   // trials.csv: one row a trial and hypothesis
  std::uint64_t patients_of_trials = 0;  // patients.csv: of each point's so many first trials
  Compression compression = Compression::none;
  input::Position patients_at;  // where the study says so

  bool any() const { return trials || patients_of_trials > 0; }
};

// Reads `outputs: {trials, patients, compression}`; absent: nothing is written.
OutputsSpec read_outputs(input::Reader& study);

}  // namespace trialwright::scenario
