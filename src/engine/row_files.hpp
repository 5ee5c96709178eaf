// The files of rows in a results directory, put together from the parts that shards have written.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/piece.hpp"
#include "scenario/study.hpp"

namespace trialwright::engine {

// [RowKind]: where rows are, in order of point, then trial. A file is absolute, or relative to the
// directory that the process is in.
using RowSegments = std::array<std::vector<RowSegment>, k_row_kinds>;

// Adds the rows of a point's pieces, which come in order and share no trial; other tracks than that of
// the trials have none, and pieces from trial `n_trials` on are left out (the trials of the point's
// results are to be told: with a precision target there may be more). Files that are not absolute lie
// in `directory`.
void add_rows(std::span<const Piece> pieces, std::uint64_t n_trials,
              const std::filesystem::path& directory, RowSegments& rows);

// Why a piece cannot give the rows that are asked for: it was made by a run whose `outputs` asked for
// others. Nothing where it can. Completes "trials of DIR cannot be used: …".
std::optional<std::string> lacking_rows(const Piece& piece, const scenario::OutputsSpec& outputs);

// `partial`: there are fewer rows than the study asks for. The files' names say so
// (trials.partial.csv), and no longer stand where the whole ones come to be.
enum class Extent { whole, partial };

// Writes trials.csv and patients.csv, as far as the study's `outputs` asks for them, into a results
// directory: the first line, then the segments' bytes, beside and renamed; the same bytes whatever the
// shards and processes that the segments come from. Memory: a few MiB. The parts stay: more trials
// later are added to them. Returns the files' names. Throws io_error where a part is missing or too
// short or the disk is full; what stood there stands then.
std::vector<std::string> write_row_files(const scenario::Study& study, const RowSegments& rows,
                                         const std::filesystem::path& results_directory, Extent extent);

// Deletes the parts of a shard (by its stem, "3-of-40") that nothing refers to: rows of a process that
// died before it saved, or of blocks done again. What cannot be deleted stays, untold.
void remove_unreferenced_parts(const std::filesystem::path& shards_directory, std::string_view stem,
                               const RowSegments& referred);

}  // namespace trialwright::engine
