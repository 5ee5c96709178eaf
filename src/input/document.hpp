// A study file and what it extends, read and merged into one tree. The only place that knows yaml-cpp is
// this header's source file.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "input/diagnostics.hpp"
#include "input/node.hpp"

namespace trialwright::input {

struct Document {
  Sources sources;
  Node root;
};

// Reads `file`, follows `extends` (one path or a list of paths, each relative to the file that names it; a
// list merges from left to right) and merges: maps deeply, everything else is replaced. A key `extends` is
// taken out. Faults of syntax, duplicate keys, anchors' cycles, missing files and extends-cycles go to
// `faults`; an unreadable top file throws io_error.
Document read_document(const std::filesystem::path& file, Diagnostics& faults);

// The same for text that is already here (tests, resolved studies); extends is relative to `base`.
Document parse_document(std::string_view text, std::string name, const std::filesystem::path& base,
                        Diagnostics& faults);

// Applies one `--set path=value` (value is YAML: a scalar, [list] or {map}). The path's parent must exist.
void apply_set(Document& document, std::string_view assignment, Diagnostics& faults);

}  // namespace trialwright::input
