// Paths of the study file, as sweeps, overrides and the calibration name them.
#pragma once

#include <string>
#include <string_view>

#include "input/node.hpp"

namespace trialwright::scenario {

// Whether `path` stands in `root` or has a parent there (a default that is overridden,
// a section that is added).
bool can_be_set(const input::Node& root, std::string_view path);

// The nearest path to one that does not lead anywhere, or how paths are written.
std::string hint_of_path(const input::Node& root, std::string_view path);

}  // namespace trialwright::scenario
