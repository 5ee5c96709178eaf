// What rows of trials and patients look like in a study: which are asked for, the columns that name
// their point, the first line, and the names of files.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/piece.hpp"
#include "scenario/study.hpp"
#include "trial/trial_rows.hpp"

namespace trialwright::engine {

// Does a study ask for rows of this kind?
bool asks_for(const scenario::OutputsSpec& outputs, RowKind kind);

// Paths of the sweep's axes, in the order that the points meet them.
std::vector<std::string> axis_paths(std::span<const scenario::PointSpec> points);
// "fixed,reported,150,": design, scenario and each axis (empty where the point has none), as CSV
// fields.
std::string point_fields(const scenario::PointSpec& point, const std::vector<std::string>& paths);

// The estimands that some design's analyses read, in the order of the study: columns of patients.csv.
std::vector<std::string> estimand_columns(const scenario::StudySpec& spec);
// Has any design looks, or passes patients over? Then rows tell of it.
trial::RowColumns row_columns(const scenario::StudySpec& spec);
// The first line, with its end.
std::string first_line(const scenario::Study& study, RowKind kind);

// "trials.csv", "patients.csv.gz" …: the name in a results directory, `mark` (".partial" or empty)
// before the ending.
std::string row_file_name(RowKind kind, const scenario::OutputsSpec& outputs, std::string_view mark);

// A part: the rows that one process of a shard has made. Its name tells what rows it holds, so that
// rows made as another `outputs` asked are not taken for those asked for now:
// "3-of-40.trials.1.csv.gz", "1-of-1.patients10.2.csv".
struct PartName {
  std::string stem;          // of the shard, "3-of-40"
  std::string content;       // "trials", "patients10"
  std::uint64_t number = 1;  // of the process, from 1
  std::string ending;        // "csv", "csv.gz"

  std::string text() const;
};
PartName part_name(std::string stem, RowKind kind, const scenario::OutputsSpec& outputs,
                   std::uint64_t number);
// Nothing where the name is no part's.
std::optional<PartName> read_part_name(std::string_view name);

}  // namespace trialwright::engine
