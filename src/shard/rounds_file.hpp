// Which points go on after each round of a study with a precision target: judged once, by `merge`, and
// read by the shards of the next round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "scenario/simulation_spec.hpp"
#include "shard/shard_file.hpp"

namespace trialwright::shard {

struct RoundsFile {
  std::uint64_t study_hash = 0;
  std::uint64_t seed = 0;
  std::string version;
  // The precision asked for, as text: a file judged by another target is refused. The most trials are
  // no part of it: a whole round is judged alike whatever follows, so that more trials go on from it.
  std::string target;
  // [i_round]: the points (into Study::points()) that are not precise enough after it, ascending. Only
  // whole rounds, with trials left after them, are judged. Rounds that are not here are not judged yet:
  // the next shards do the first of them.
  std::vector<std::vector<std::size_t>> open;

  friend bool operator==(const RoundsFile&, const RoundsFile&) = default;
};

// "rounds" in the directory of shards. Absent: no round is judged. Throws io_error where it is damaged
// or of another study, seed, version or target than the header's.
std::filesystem::path rounds_file(const std::filesystem::path& shards_directory);
RoundsFile read_rounds(const std::filesystem::path& shards_directory, const Header& header,
                       const std::string& target);
// Takes the place of what is there, whole at every moment. Throws io_error.
void write_rounds(const std::filesystem::path& shards_directory, const RoundsFile& rounds);

// The target as RoundsFile::target: "" without one.
std::string target_text(const scenario::SimulationSpec& simulation);

}  // namespace trialwright::shard
