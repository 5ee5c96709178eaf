#include "base/csv_field.hpp"

namespace trialwright::base {

std::string csv_field(std::string_view field) {
  const bool blank_ends = !field.empty() && (field.front() == ' ' || field.back() == ' ');
  if (!blank_ends && field.find_first_of(",\"\n\r") == std::string_view::npos)
    return std::string(field);
  std::string quoted = "\"";
  for (const char c : field) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted += '"';
}

}  // namespace trialwright::base
