#include "report/table_block.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace trialwright::report {
namespace {

const std::string k_all = "(all)";

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// An axis' name as short as it stays clear: `patients` for designs.fixed.patients.
std::string short_name(const std::string& path, const std::vector<std::string>& paths) {
  for (std::size_t dot = path.rfind('.'); dot != std::string::npos && dot > 0;
       dot = path.rfind('.', dot - 1)) {
    const std::string suffix = path.substr(dot);
    const auto ends_so = [&](const std::string& other) { return ("." + other).ends_with(suffix); };
    if (std::count_if(paths.begin(), paths.end(), ends_so) == 1) return suffix.substr(1);
  }
  return path;
}

bool agree_but_for(const std::vector<std::string>& a, const std::vector<std::string>& b,
                   std::size_t key) {
  for (std::size_t k = 0; k < a.size(); ++k)
    if (k != key && a[k] != b[k]) return false;
  return true;
}

}  // namespace

Keys::Keys(const Results& results, const std::vector<std::string>& hypotheses) {
  for (const Point& point : results.points)
    for (const AxisValue& axis : point.sweep) add_once(axis_paths, axis.path);
  names = {"design", "scenario"};
  for (const std::string& path : axis_paths) names.push_back(short_name(path, axis_paths));
  names.emplace_back("hypothesis");

  std::vector<std::vector<std::string>> values(names.size());
  for (const Point& point : results.points) {
    const auto cells = of(point, {});
    for (std::size_t k = 0; k + 1 < names.size(); ++k) add_once(values[k], cells[k]);
  }
  for (const std::string& hypothesis : hypotheses)
    if (!hypothesis.empty()) add_once(values.back(), hypothesis);
  for (std::size_t k = 0; k < names.size(); ++k) {
    told.push_back(values[k].size() <= 1);
    if (values[k].size() == 1 && !values[k].front().empty())
      common.push_back(fmt::format("{} {}", names[k], values[k].front()));
  }
}

std::vector<std::string> Keys::of(const Point& point, const std::string& hypothesis_name) const {
  std::vector<std::string> cells{point.design, point.scenario};
  for (const std::string& path : axis_paths) {
    const auto axis = std::find_if(point.sweep.begin(), point.sweep.end(),
                                   [&](const AxisValue& value) { return value.path == path; });
    cells.push_back(axis == point.sweep.end() ? "" : axis->value);
  }
  cells.push_back(hypothesis_name);
  return cells;
}

void Block::add_column(std::string header, Align align, Fold fold) {
  columns_.push_back({std::move(header), align, fold, {}});
}

void Block::add_row(std::vector<std::string> keys, std::vector<std::string> cells) {
  if (std::all_of(cells.begin(), cells.end(), [](const std::string& cell) { return cell.empty(); }))
    return;
  rows_.push_back({std::move(keys), std::move(cells)});
}

std::vector<BlockRow> Block::joined(std::size_t key) const {
  std::vector<BlockRow> result;
  std::vector<bool> is_done(rows_.size(), false);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (is_done[i]) continue;
    std::vector<std::string> here, everywhere;
    for (std::size_t j = 0; j < rows_.size(); ++j) {
      if (!agree_but_for(rows_[i].keys, rows_[j].keys, key)) continue;
      add_once(everywhere, rows_[j].keys[key]);
      if (rows_[i].cells != rows_[j].cells) continue;
      add_once(here, rows_[j].keys[key]);
      is_done[j] = true;
    }
    BlockRow row = rows_[i];
    if (here.size() > 1) {
      row.keys[key] =
          here.size() == everywhere.size() ? k_all : fmt::format("{}", fmt::join(here, ", "));
      row.is_joined = row.is_joined || key == k_scenario_key;
    }
    result.push_back(std::move(row));
  }
  // What holds for several scenarios of a design comes after what holds for one.
  std::vector<std::string> designs;
  for (const BlockRow& row : result) add_once(designs, row.keys[k_design_key]);
  const auto rank = [&](const BlockRow& row) {
    const auto design =
        std::find(designs.begin(), designs.end(), row.keys[k_design_key]) - designs.begin();
    return std::pair(design, row.is_joined);
  };
  std::stable_sort(result.begin(), result.end(),
                   [&](const BlockRow& a, const BlockRow& b) { return rank(a) < rank(b); });
  return result;
}

void Block::join(std::size_t key) {
  join_if_all(key);
  rows_ = joined(key);
}

void Block::join_if_all(std::size_t key) {
  std::vector<BlockRow> rows = joined(key);
  const auto says_all = [&](const BlockRow& row) { return row.keys[key] == k_all; };
  if (rows.empty() || !std::all_of(rows.begin(), rows.end(), says_all)) return;
  rows_ = std::move(rows);
  ignored_.push_back(key);
}

std::string Block::render(const std::string& title, const Keys& keys, std::size_t width) const {
  Grid grid;
  for (std::size_t k = 0; k < keys.names.size(); ++k) {
    if (keys.told[k] || std::find(ignored_.begin(), ignored_.end(), k) != ignored_.end()) continue;
    const bool is_axis = k >= k_first_axis_key && k != keys.hypothesis();
    Column column{keys.names[k], is_axis ? Align::right : Align::left, Fold::anywhere, {}};
    for (const BlockRow& row : rows_) column.cells.push_back(row.keys[k]);
    const bool is_empty = std::all_of(column.cells.begin(), column.cells.end(),
                                      [](const std::string& cell) { return cell.empty(); });
    if (!is_empty) grid.keys.push_back(std::move(column));
  }
  grid.values = columns_;
  for (std::size_t c = 0; c < columns_.size(); ++c)
    for (const BlockRow& row : rows_) grid.values[c].cells.push_back(row.cells[c]);
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (i == 0 || rows_[i].keys[k_design_key] != rows_[i - 1].keys[k_design_key] ||
        rows_[i].keys[k_scenario_key] != rows_[i - 1].keys[k_scenario_key])
      grid.group_starts.push_back(i);
  std::string heading = title;
  std::vector<std::string> names;
  for (const std::size_t key : ignored_) names.push_back(keys.names[key]);
  if (!names.empty()) heading += fmt::format(", the same for every {}", fmt::join(names, ", "));
  return heading + '\n' + trialwright::report::render(grid, width);
}

}  // namespace trialwright::report
