#include "scenario/sweep.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <set>

#include "input/number_text.hpp"
#include "scenario/study_path.hpp"

namespace trialwright::scenario {
namespace {

constexpr double k_max_values = 10000;

// These are the same for every point.
bool is_beyond_sweeps(const std::string& path) {
  for (const auto* name : {"schema", "title", "simulation.trials", "simulation.engine",
                           "simulation.truth_patients", "simulation.precision", "outputs"})
    if (path == name) return true;
  for (const auto* section : {"sweep.", "simulation.precision.", "outputs."})
    if (path.starts_with(section)) return true;
  return false;
}

// Numbers that are written otherwise are the same value.
std::string value_of(const input::Node& item) {
  const auto number = item.quoted ? std::nullopt : input::parse_number(item.text).value;
  return number ? fmt::format("{}", *number) : item.text;
}

// Numbers of a {from, to, step} range, as the file would have them written.
std::vector<input::Node> read_range(input::Reader& sweep, const std::string& path) {
  const input::Position at = sweep.at(path);
  input::Reader range = sweep.map(path);
  const std::size_t n_faults = range.faults().size();
  const double from = range.number("from", input::k_any_number);
  const double to = range.number("to", input::k_any_number);
  const double step = range.number("step", input::k_positive);
  std::vector<input::Node> values;
  if (range.faults().size() > n_faults) return values;
  const double n_steps = std::floor((to - from) / step + 1e-9);
  if (!(n_steps >= 0)) {
    range.fault("to", fmt::format("\"to\" is {} (below \"from\", {})", to, from));
    return values;
  }
  if (n_steps >= k_max_values) {
    range.fault("step",
                fmt::format("\"step\" is {} (it makes more than {} values)", step, k_max_values));
    return values;
  }
  for (int i = 0; i <= static_cast<int>(n_steps); ++i)
    values.push_back(input::Node::scalar(fmt::format("{:.15g}", from + i * step), at));
  return values;
}

std::vector<input::Node> read_values(input::Reader& sweep, const std::string& path) {
  const input::Node* written = sweep.raw(path);
  if (written->kind == input::Node::Kind::map) return read_range(sweep, path);
  if (written->kind != input::Node::Kind::sequence || written->items.empty()) {
    sweep.fault(path, fmt::format("the sweep of \"{}\" is not a list of values", path),
                "write [100, 200, 300] or {from: 100, to: 300, step: 100}");
    return {};
  }
  std::set<std::string> seen;
  for (const auto& item : written->items) {
    if (item.kind != input::Node::Kind::scalar) {
      sweep.faults().add(item.at, fmt::format("a value of the sweep of \"{}\" is not a scalar", path),
                         "only single numbers and names can be swept");
      return {};
    }
    if (!seen.insert(value_of(item)).second)
      sweep.faults().add(item.at,
                         fmt::format("{} stands twice in the sweep of \"{}\"", item.text, path));
  }
  return written->items;
}

// The name behind `section` in `path`, or empty:
// name_below("designs", "designs.fixed.patients") = "fixed".
std::string name_below(const std::string& section, const std::string& path) {
  if (path.rfind(section + ".", 0) != 0) return {};
  const auto start = section.size() + 1;
  return path.substr(start, path.find('.', start) - start);
}

}  // namespace

std::vector<SweepAxis> read_sweep(input::Reader& study, const input::Node& root) {
  std::vector<SweepAxis> axes;
  auto sweep = study.optional_map("sweep");
  if (!sweep) return axes;
  for (const auto& path : sweep->keys()) {
    SweepAxis axis{path, read_values(*sweep, path)};
    const input::Node* swept = input::find_path(root, path);
    if (swept &&
        (swept->kind == input::Node::Kind::map || swept->kind == input::Node::Kind::sequence)) {
      sweep->fault(path, fmt::format("\"{}\" is not a single value (only scalars can be swept)", path));
    } else if (is_beyond_sweeps(path)) {
      sweep->fault(path, fmt::format("\"{}\" cannot be swept (it is the same for all points)", path));
    } else if (!swept && (path.find('.') == std::string::npos || !can_be_set(root, path))) {
      sweep->fault(path, fmt::format("there is no \"{}\" in this study to sweep", path),
                   hint_of_path(root, path));
    } else if (!axis.values.empty()) {
      axes.push_back(std::move(axis));
    }
  }
  return axes;
}

std::vector<SweepAxis> axes_for(const std::vector<SweepAxis>& axes, const std::string& design,
                                const std::string& scenario) {
  std::vector<SweepAxis> bearing;
  for (const auto& axis : axes) {
    const std::string of_design = name_below("designs", axis.path);
    const std::string of_scenario = name_below("scenarios", axis.path);
    if (!of_design.empty() && of_design != design) continue;
    if (!of_scenario.empty() && of_scenario != scenario) continue;
    bearing.push_back(axis);
  }
  return bearing;
}

std::vector<SweepSettings> cross(const std::vector<SweepAxis>& axes) {
  std::vector<SweepSettings> grid{{}};
  for (const auto& axis : axes) {
    std::vector<SweepSettings> wider;
    wider.reserve(grid.size() * axis.values.size());
    for (const auto& settings : grid) {
      for (const auto& value : axis.values) {
        wider.push_back(settings);
        wider.back().emplace_back(axis.path, value);
      }
    }
    grid = std::move(wider);
  }
  return grid;
}

}  // namespace trialwright::scenario
