// A study file and what it extends, read and merged into one tree.
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

// Reads `file`, follows `extends` (one path or a list of paths, each relative to the file that
// names it; a list merges from left to right) and merges: maps deeply, everything else is replaced,
// and so is a map whose `kind`, `distribution` or `draw` becomes another. A key `extends` is taken out.
// Faults of syntax, duplicate keys, anchors' cycles, missing files and extends-cycles go to `faults`;
// an unreadable top file throws io_error. The top file is source 0. After any fault the root is a map,
// but not worth reading further: what stood in the faulty part is not in it.
Document read_document(const std::filesystem::path& file, Diagnostics& faults);

// The same for text that is already here (tests, resolved studies); extends is relative to `base`.
Document parse_document(std::string_view text, std::string name, const std::filesystem::path& base,
                        Diagnostics& faults);

// Applies one `--set path=value` (value is YAML: a scalar, [list] or {map}). The path's parent must
// exist; its last part may be new (a default that is overridden). The assignment becomes a source of
// its own, so that later faults of the value point into it.
void apply_set(Document& document, std::string_view assignment, Diagnostics& faults);

}  // namespace trialwright::input
