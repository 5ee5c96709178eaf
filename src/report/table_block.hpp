// A block of the text table: rows under keys, with rows that say the same made one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/grid.hpp"
#include "trialwright/results.hpp"

namespace trialwright::report {

// What tells rows apart, in this order: design, scenario, the sweep's axes, hypothesis.
struct Keys {
  explicit Keys(const Results& results, const std::vector<std::string>& hypotheses);

  std::vector<std::string> names;       // as headers; axes by the shortest clear end of their path
  std::vector<std::string> common;      // "design fixed": what all rows of the table agree in
  std::vector<std::string> axis_paths;  // of names[2], names[3] ...
  std::vector<bool> told;               // of names: stands in `common` and needs no column

  std::size_t hypothesis() const { return names.size() - 1; }
  // One cell a name.
  std::vector<std::string> of(const Point& point, const std::string& hypothesis) const;
};

inline constexpr std::size_t k_design_key = 0;
inline constexpr std::size_t k_scenario_key = 1;
inline constexpr std::size_t k_first_axis_key = 2;

struct BlockRow {
  std::vector<std::string> keys;
  std::vector<std::string> cells;
  bool is_joined = false;  // speaks of several scenarios
};

// Merging counts rows as equal where their cells are.
class Block {
 public:
  // Columns come before rows.
  void add_column(std::string header, Align align = Align::right, Fold fold = Fold::anywhere);
  // Left out where every cell is empty.
  void add_row(std::vector<std::string> keys, std::vector<std::string> cells);

  // Rows that differ in nothing but this key become one, which names them all: "(all)", or "a, b".
  void join(std::size_t key);
  // The same where the key then says "(all)" in every row, and no longer has a column; else nothing.
  void join_if_all(std::size_t key);

  bool is_empty() const { return rows_.empty(); }
  // The keys without a column because nothing in the block depends on them.
  const std::vector<std::size_t>& ignored() const { return ignored_; }
  // Title and columns, at most `width` characters a line where names allow it.
  std::string render(const std::string& title, const Keys& keys, std::size_t width) const;

 private:
  std::vector<BlockRow> joined(std::size_t key) const;

  std::vector<Column> columns_;
  std::vector<BlockRow> rows_;
  std::vector<std::size_t> ignored_;
};

}  // namespace trialwright::report
