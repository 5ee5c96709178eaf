// What the blocks of the text table share: the table at hand, and metrics as its cells.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "report/table_block.hpp"
#include "report/table_cells.hpp"
#include "report/table_content.hpp"

namespace trialwright::report {

struct Table {
  const Results& results;
  const Content& content;
  const Keys& keys;
  std::size_t width;
};

// Null where there is none.
inline const Metric* find(const MetricsByName& metrics, std::string_view name) {
  const auto found = metrics.find(name);
  return found == metrics.end() ? nullptr : found->second;
}

// What a column shows of a row: nothing where the row has no such metric.
template <class Item>
using Chosen = std::function<const Metric*(const Item&)>;

template <class Item>
std::vector<const Metric*> all_of(const std::vector<Item>& items, const Chosen<Item>& choose) {
  std::vector<const Metric*> metrics;
  for (const Item& item : items)
    if (const Metric* metric = choose(item)) metrics.push_back(metric);
  return metrics;
}

inline std::string cell(const Metric* metric, int decimals) {
  return metric == nullptr ? "" : fixed(metric->estimate, decimals);
}

inline std::string cell_with_error(const Metric* metric, int decimals) {
  return metric == nullptr ? "" : with_error(*metric, decimals);
}

// The largest error of a column, rounded up to two digits.
std::string largest_error(const std::vector<const Metric*>& metrics);

}  // namespace trialwright::report
