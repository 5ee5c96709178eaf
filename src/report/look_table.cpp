#include "report/look_table.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace trialwright::report {
namespace {

using Cells = std::map<std::string, const Metric*>;

const Metric* find_in(const Cells& cells, const std::string& name) {
  const auto found = cells.find(name);
  return found == cells.end() ? nullptr : found->second;
}

std::string spaced(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

}  // namespace

std::string look_table(const Table& table) {
  const Content& content = table.content;
  std::vector<const Metric*> stops, tested;
  for (const LookRow& row : content.looks) {
    for (const auto& [reason, metric] : row.stops) stops.push_back(metric);
    for (const auto& [name, metric] : row.tested) tested.push_back(metric);
  }
  const int decimals = decimals_for(stops, 3, 2), decimals_tested = decimals_for(tested, 3, 2);
  Block block;
  block.add_column("look");
  for (const std::string& reason : content.reasons) {
    block.add_column(spaced(reason));
    block.add_column("exact", Align::right, Fold::with_previous);
  }
  for (const std::string& name : content.tested) block.add_column("selected: " + name);
  for (const LookRow& row : content.looks) {
    std::vector<std::string> cells{fmt::format("{}", row.look)};
    for (const std::string& reason : content.reasons) {
      cells.push_back(cell(find_in(row.stops, reason), decimals));
      cells.push_back(cell(find_in(row.exact, reason), 4));
    }
    for (const std::string& name : content.tested)
      cells.push_back(cell(find_in(row.tested, name), decimals_tested));
    block.add_row(table.keys.of(*row.point, ""), std::move(cells));
  }
  if (block.is_empty()) return {};
  std::string text =
      block.render(tested.empty() ? "How trials end, look by look (probabilities)"
                                  : "How trials end and what they select, look by look (probabilities)",
                   table.keys, table.width);
  stops.insert(stops.end(), tested.begin(), tested.end());
  if (const std::string error = largest_error(stops); !error.empty())
    text += fmt::format("MCSE at most {}.\n", error);
  return text;
}

}  // namespace trialwright::report
