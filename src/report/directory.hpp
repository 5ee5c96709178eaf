// The results directory: whose it is, and what is written to it without ever losing what was there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "trialwright/results.hpp"

namespace trialwright::report {

// manifest.json: all that may differ from run to run (build, host, threads, times, command line), in
// the order given. `study`, `study_hash` and `version` are put before it from the results.
using ManifestValue = std::variant<std::string, std::int64_t, double, bool>;
using Manifest = std::vector<std::pair<std::string, ManifestValue>>;

// Makes the directory where it is absent. Throws io_error where it cannot be made or written to, or
// where it belongs to another study: its manifest.json (or, without one, its results.json) names
// another study_hash or none. Files of other names do not matter. To be called before hours of
// simulation, not after.
void claim_directory(const std::filesystem::path& directory, std::string_view study_hash);

// Of any point in the directory's results.json; 0 where there is none. Throws io_error where it cannot
// be read.
std::uint64_t most_trials_in(const std::filesystem::path& directory);

// Throws io_error where the directory's results.json holds a point of more than n_trials trials, or
// cannot be read: a run of n_trials trials a point would replace more by less. To be called where such
// a run is to be written, before it.
void refuse_fewer_trials(const std::filesystem::path& directory, std::uint64_t n_trials);

// Claims the directory and returns the one that these results may be written to without loss: itself
// or, where results stand there that are complete while these are interrupted, or that hold more trials
// of any point, its sub-directory `interrupted` (interrupted-2 … by the same rule). Partial results go
// to its sub-directory `partial` (partial-2 …) in any case.
std::filesystem::path claim_place(const std::filesystem::path& directory, const Results& results);

// Writes manifest.json, resolved.yaml, results.csv and, last, results.json, all where claim_place says.
// Returns the directory that the files are in.
std::filesystem::path write_directory(const std::filesystem::path& directory, const Results& results,
                                      std::string_view resolved_yaml, const Manifest& manifest);

}  // namespace trialwright::report
