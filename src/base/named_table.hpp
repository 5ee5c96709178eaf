// Named tables: how a folder lists what can be chosen by name, greppable and printable by `list`.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trialwright::base {

// One row of a folder's table: the name in a study file, a one-line help, where the method is published
// (empty for what needs no source), and the value it stands for (an enumerator or a factory function).
template <class T>
struct Named {
  std::string_view name;
  std::string_view help;
  std::string_view source;
  T value;
};

// The row called `name`, or null.
template <class T>
constexpr const Named<T>* find(std::span<const Named<T>> table, std::string_view name) {
  for (const auto& row : table)
    if (row.name == name) return &row;
  return nullptr;
}

// The name under which `value` stands in the table, or "?".
template <class T>
constexpr std::string_view name_of(std::span<const Named<T>> table, const T& value) {
  for (const auto& row : table)
    if (row.value == value) return row.name;
  return "?";
}

// The candidate nearest to `name` in Damerau-Levenshtein distance, ignoring case and -/_;
// empty where none is near enough to be a likely misspelling (distance at most 1/3 of the
// longer length, at least 1).
std::string_view closest(std::string_view name, std::span<const std::string_view> candidates);
std::string closest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace trialwright::base
