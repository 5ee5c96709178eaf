// The sweep: study-file paths and the values each is run at; their cross product is the grid of points.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "input/reader.hpp"

namespace trialwright::scenario {

struct SweepAxis {
  std::string path;
  std::vector<input::Node> values;  // scalars, with their places in the file
};

// One point of the grid: the axes that bear on it, in the order written, and their values.
using SweepSettings = std::vector<std::pair<std::string, input::Node>>;

// Reads `sweep`: path -> list of scalars, or {from, to, step} with both ends included. Every path must
// stand in `root` or have a parent that does. Absent: no axes.
std::vector<SweepAxis> read_sweep(input::Reader& study, const input::Node& root);

// The axes that bear on one design under one scenario: an axis below designs.<other> or
// scenarios.<other> changes nothing there and is left out, so that no point is run twice.
std::vector<SweepAxis> axes_for(const std::vector<SweepAxis>& axes, const std::string& design,
                                const std::string& scenario);

// The cross product, the last axis varying fastest; one empty setting where there are no axes.
std::vector<SweepSettings> cross(const std::vector<SweepAxis>& axes);

}  // namespace trialwright::scenario
