// Reading the reference tables that tests carry: RFC 4180 fields in double quotes, one header line.
#pragma once

#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace trialwright::support {

using CsvRow = std::map<std::string, std::string>;

inline std::vector<std::string> csv_fields(const std::string& line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

// Rows by column name. `file` is relative to the source tree; throws where it cannot be read.
inline std::vector<CsvRow> csv_rows(const std::string& file) {
  std::ifstream in(std::string(TRIALWRIGHT_SOURCE_DIR) + "/" + file);
  std::string line;
  if (!std::getline(in, line)) throw std::runtime_error("cannot read " + file);
  const auto names = csv_fields(line);
  std::vector<CsvRow> rows;
  while (std::getline(in, line)) {
    if (line.empty()) continue;
    const auto fields = csv_fields(line);
    CsvRow row;
    for (std::size_t i = 0; i < names.size() && i < fields.size(); ++i) row[names[i]] = fields[i];
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace trialwright::support
