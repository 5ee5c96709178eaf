#include "report/grid.hpp"

#include <algorithm>

namespace trialwright::report {
namespace {

constexpr std::size_t k_gap = 2;

bool is_empty(const Column& column) {
  return std::all_of(column.cells.begin(), column.cells.end(),
                     [](const std::string& c) { return c.empty(); });
}

std::size_t width_of(const Column& column) {
  std::size_t width = n_characters(column.header);
  for (const std::string& cell : column.cells) width = std::max(width, n_characters(cell));
  return width;
}

using Columns = std::vector<const Column*>;

std::size_t width_of(const Columns& columns) {
  std::size_t width = 0;
  for (const Column* column : columns) width += width_of(*column) + k_gap;
  return width;
}

// The value columns in blocks that fit beside the keys.
std::vector<Columns> fold(const Grid& grid, std::size_t width) {
  std::vector<Columns> atoms;
  for (const Column& column : grid.values) {
    if (is_empty(column)) continue;
    if (column.fold == Fold::anywhere || atoms.empty()) atoms.emplace_back();
    atoms.back().push_back(&column);
  }
  std::size_t keys = 0;
  for (const Column& key : grid.keys) keys += width_of(key) + k_gap;
  std::vector<Columns> blocks;
  for (const Columns& atom : atoms) {
    const bool fits =
        !blocks.empty() && keys + width_of(blocks.back()) + width_of(atom) <= width + k_gap;
    if (!fits) blocks.emplace_back();
    blocks.back().insert(blocks.back().end(), atom.begin(), atom.end());
  }
  return blocks;
}

void append_cell(const std::string& text, std::size_t width, Align align, std::string& line) {
  const std::size_t blanks = width - n_characters(text);
  if (align == Align::right) line.append(blanks, ' ');
  line += text;
  if (align == Align::left) line.append(blanks, ' ');
  line.append(k_gap, ' ');
}

void finish_line(std::string line, std::string& out) {
  line.erase(line.find_last_not_of(' ') + 1);
  out += line + '\n';
}

void render_block(const Grid& grid, const Columns& values, std::string& out) {
  Columns all;
  for (const Column& key : grid.keys) all.push_back(&key);
  all.insert(all.end(), values.begin(), values.end());
  std::vector<std::size_t> widths;
  for (const Column* column : all) widths.push_back(width_of(*column));

  std::string header, rule;
  for (std::size_t c = 0; c < all.size(); ++c) {
    append_cell(all[c]->header, widths[c], all[c]->align, header);
    append_cell(std::string(widths[c], '-'), widths[c], Align::left, rule);
  }
  finish_line(header, out);
  finish_line(rule, out);

  const std::size_t n_rows = values.front()->cells.size();
  const auto starts_group = [&](std::size_t row) {
    return std::find(grid.group_starts.begin(), grid.group_starts.end(), row) !=
           grid.group_starts.end();
  };
  bool is_first = true, is_new_group = false, was_long = false;
  std::size_t n_in_group = 0;
  for (std::size_t row = 0; row < n_rows; ++row) {
    if (starts_group(row)) {
      is_new_group = true;
      was_long = n_in_group > 1;
      n_in_group = 0;
    }
    ++n_in_group;
    if (std::all_of(values.begin(), values.end(),
                    [row](const Column* c) { return c->cells[row].empty(); }))
      continue;
    const bool is_long = row + 1 < n_rows && !starts_group(row + 1);
    if (is_new_group && (was_long || is_long) && !is_first) out += '\n';
    is_first = is_new_group = false;
    std::string line;
    for (std::size_t c = 0; c < all.size(); ++c)
      append_cell(all[c]->cells[row], widths[c], all[c]->align, line);
    finish_line(line, out);
  }
}

}  // namespace

std::size_t n_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string render(const Grid& grid, std::size_t width) {
  std::string out;
  for (const Columns& block : fold(grid, width)) {
    if (!out.empty()) out += '\n';
    render_block(grid, block, out);
  }
  return out;
}

}  // namespace trialwright::report
