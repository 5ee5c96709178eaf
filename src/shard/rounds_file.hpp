// Which points go on after each round of a study with a precision target: judged once, by `merge`, and
// read by the shards of the next round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "shard/shard_file.hpp"

namespace trialwright::shard {

struct RoundsFile {
  std::uint64_t study_hash = 0;
  std::uint64_t seed = 0;
  std::string version;
  // The precision asked for and the most trials, as text: a file judged by another target is refused.
  std::string target;
  // [i_round]: the points (into Study::points()) that are not precise enough after it, ascending.
  // Rounds that are not here are not judged yet: the next shards do the first of them.
  std::vector<std::vector<std::size_t>> open;
};

// "rounds" in the directory of shards. Absent: no round is judged. Throws io_error where it is damaged
// or of another study, seed, version or target than the header's.
std::filesystem::path rounds_file(const std::filesystem::path& shards_directory);
RoundsFile read_rounds(const std::filesystem::path& shards_directory, const Header& header,
                       const std::string& target);
void write_rounds(const std::filesystem::path& shards_directory, const RoundsFile& rounds);

// The target as RoundsFile::target: "" without one.
std::string target_text(const scenario::SimulationSpec& simulation);

}  // namespace trialwright::shard
