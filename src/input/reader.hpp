// Reading a map of the study file: ask for each key by name and rule;
// what nobody asked for is an error.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/named_table.hpp"
#include "input/diagnostics.hpp"
#include "input/node.hpp"

namespace trialwright::input {

// The values a number may take. `meaning` is told in messages: "weeks" (a number of weeks above 0 is
// needed) or, with its article, "a probability" (a probability from 0 to 1 is needed).
struct Bounds {
  double minimum = -std::numeric_limits<double>::infinity();
  double maximum = std::numeric_limits<double>::infinity();
  bool open_minimum = false;
  bool open_maximum = false;
  std::string_view meaning = "";
};

inline constexpr Bounds k_any_number{};
inline constexpr Bounds k_positive{0.0, std::numeric_limits<double>::infinity(), true, false, ""};
inline constexpr Bounds k_non_negative{0.0, std::numeric_limits<double>::infinity(), false, false, ""};
// A value in (1, 100] earns the hint that a probability is not given in percent.
inline constexpr Bounds k_probability{0.0, 1.0, false, false, "a probability"};
inline constexpr Bounds k_open_probability{0.0, 1.0, true, true, "a probability"};

// Reads one map. Every call that reads a key marks it as known and writes its value, or its default, to
// the resolved echo. A required key that is missing, of the wrong type or out of bounds is a
// diagnostic, and a harmless value inside the bounds is returned, so that all faults of a file come in
// one go. When the reader goes out of scope it reports every key that was not asked for, with the
// nearest known spelling. Numbers: decimal only; nan, inf, overflow (1e400), 010, 1_000, 0x10, quoted
// text, 58% are faults.
class Reader {
 public:
  // `resolved` is the map of the echo this reader fills, at the same path; it must outlive the reader.
  Reader(const Node& map, std::string path, Diagnostics& faults, Node& resolved);
  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) = delete;
  ~Reader();

  const std::string& path() const;          // dotted, "" at the top
  bool has(std::string_view key) const;     // written and not null
  Position at(std::string_view key) const;  // of the key's value; of the map where the key is absent
  Diagnostics& faults();

  double number(std::string_view key, const Bounds& bounds);
  double number(std::string_view key, const Bounds& bounds, double fallback);
  std::optional<double> optional_number(std::string_view key, const Bounds& bounds);
  std::int64_t integer(std::string_view key, std::int64_t minimum, std::int64_t maximum);
  std::int64_t integer(std::string_view key, std::int64_t minimum, std::int64_t maximum,
                       std::int64_t fallback);
  std::optional<std::int64_t> optional_integer(std::string_view key, std::int64_t minimum,
                                               std::int64_t maximum);
  bool boolean(std::string_view key, bool fallback);
  std::string text(std::string_view key);
  std::string text(std::string_view key, std::string_view fallback);
  std::optional<std::string> optional_text(std::string_view key);

  // One of a table's names. An unknown name is a fault that lists the near one or all of them.
  template <class T>
  T choice(std::string_view key, std::span<const base::Named<T>> table) {
    return table[choice_index(key, names_of(table), std::nullopt)].value;
  }
  template <class T>
  T choice(std::string_view key, std::span<const base::Named<T>> table, T fallback) {
    std::size_t row = 0;
    while (row + 1 < table.size() && !(table[row].value == fallback)) ++row;
    return table[choice_index(key, names_of(table), row)].value;
  }
  // One of `names` (arms, measures, endpoints … defined elsewhere in the file);
  // its index, -1 where faulty.
  int reference(std::string_view key, const std::vector<std::string>& names,
                std::string_view kind_of_thing);
  std::optional<int> optional_reference(std::string_view key, const std::vector<std::string>& names,
                                        std::string_view kind_of_thing);

  // Sequences. `length` (where given) is the number of items needed.
  std::vector<double> numbers(std::string_view key, const Bounds& bounds,
                              std::optional<std::size_t> length = std::nullopt);
  std::vector<double> numbers(std::string_view key, const Bounds& bounds, std::vector<double> fallback);
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> fallback);
  // Items name things defined elsewhere; indices, faulty items left out; absent: empty.
  std::vector<int> references(std::string_view key, const std::vector<std::string>& names,
                              std::string_view kind_of_thing);

  // A map under `key`. Required: absent is a fault, and the reader returned answers every question with
  // harmless values and reports nothing more.
  Reader map(std::string_view key);
  // Absent or null: nullopt, and nothing in the echo.
  std::optional<Reader> optional_map(std::string_view key);
  // Absent: a reader on an empty map, so that all its keys take their defaults and are echoed.
  Reader map_or_defaults(std::string_view key);

  // A list of maps, e.g. [{outcomes: 0.5}, {outcomes: 0.75}]: a reader on each item, whose path is that
  // of its key and its number from 0 (looks.1). Absent, empty or no list: a fault, and no reader; an
  // item that is no map: a fault, and a reader that answers with harmless values.
  std::vector<Reader> maps(std::string_view key);

  // A map of named things: (name, reader) in the order written. Names must be [A-Za-z_][A-Za-z0-9_]*.
  std::vector<std::pair<std::string, Reader>> named(std::string_view key);
  // A map from names that must be among `names` to numbers, e.g. {placebo: 1, hcmsc: 1}: one value for
  // each of `names`, nullopt where the map does not mention it. Absent: a fault if `required`.
  std::vector<std::optional<double>> number_by_name(std::string_view key,
                                                    const std::vector<std::string>& names,
                                                    std::string_view kind_of_thing,
                                                    const Bounds& bounds, bool required = true);
  // Keys of this map in the order written, without marking them known.
  std::vector<std::string> keys() const;

  // The raw value (sweep lists, overrides): marked known, echoed as it stands. Null where absent.
  const Node* raw(std::string_view key);

  // A fault of the user's at a key's value (or at the map, where the key is absent).
  void fault(std::string_view key, std::string problem, std::string hint = {});

 private:
  struct State;
  std::unique_ptr<State> state_;

  template <class T>
  static std::vector<std::string_view> names_of(std::span<const base::Named<T>> table) {
    std::vector<std::string_view> names;
    for (const auto& row : table) names.push_back(row.name);
    return names;
  }
  std::size_t choice_index(std::string_view key, const std::vector<std::string_view>& names,
                           std::optional<std::size_t> fallback);
};

}  // namespace trialwright::input
