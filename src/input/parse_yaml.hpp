// One YAML text to one Node tree; its source file is the only place that knows yaml-cpp.
#pragma once

#include <string>
#include <string_view>

#include "input/diagnostics.hpp"
#include "input/node.hpp"

namespace trialwright::input {

// Parses `text`, which stands in `sources` as number `source`. Refused with a diagnostic: faults of
// syntax, duplicate keys (with the place of both), keys that are no plain text, tags, merge keys (<<),
// aliases that contain themselves, more than one document, more than 100000 values (aliases expanded),
// nesting deeper than 64. After a fault of syntax the node is null.
Node parse_yaml(const std::string& text, int source, Diagnostics& faults);

// A file's bytes made fit for parsing: without byte order mark, lines ended by \n. Faults: not UTF-8
// (UTF-16 is named), control characters, a tab in an indentation, more than 8 MiB. The text is added to
// `sources` under `name` in any case; `source` tells its number. `fit` is false after a fault.
struct CleanText {
  std::string text;
  int source = -1;
  bool fit = true;
};
CleanText add_clean_text(std::string_view bytes, const std::string& name, Sources& sources,
                         Diagnostics& faults);

}  // namespace trialwright::input
