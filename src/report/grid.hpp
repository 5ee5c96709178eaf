// Aligned columns for a terminal: folded into blocks where a line has no room for all.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace trialwright::report {

enum class Align { left, right };
// Where columns are folded into blocks, `with_previous` is never apart from the column before it.
enum class Fold { anywhere, with_previous };

struct Column {
  std::string header;
  Align align = Align::right;
  Fold fold = Fold::anywhere;
  std::vector<std::string> cells;
};

// Rows told apart by `keys`, with what is known of each in `values`; all columns have as many cells.
struct Grid {
  std::vector<Column> keys;
  std::vector<Column> values;
  std::vector<std::size_t>
      group_starts;  // rows before which a blank line stands, but between single rows
};

// The text, lines of at most `width` characters where names allow it. Value columns that do not fit go
// to further blocks below, each with the keys again. Columns and rows that are empty in a block are
// left out.
std::string render(const Grid& grid, std::size_t width);

// The number of characters (Unicode code points) of UTF-8 text.
std::size_t n_characters(std::string_view text);

}  // namespace trialwright::report
