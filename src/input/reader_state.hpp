// What a Reader holds, and the words in which its faults are told;
// private to the Reader's source files.
#pragma once

#include "input/reader.hpp"

namespace trialwright::input {

struct Reader::State {
  const Node* map = nullptr;  // the map that is read; may be `own_map`
  Node own_map;
  std::string path;
  Position where;  // of faults that have no key: the key under which the map stands
  Diagnostics* faults = nullptr;
  Diagnostics own_faults;  // of a reader on a missing map: nobody sees them
  bool is_dead = false;
  bool is_unsure = false;  // a faulty choice: which further keys are right cannot be told
  // The echo: the keys that lead from its root to this reader's map. Walked at each writing, since maps
  // of the echo move while it grows.
  Node* echo_root = nullptr;
  std::vector<std::string> echo_keys;
  Node own_echo;
  std::vector<std::string> asked;

  // The entry of `key`, marked known; null where it is absent or its value is null.
  const Entry* ask(std::string_view key);
  const Entry* entry(std::string_view key) const;
  void write(std::string_view key, Node value);
  void add(const Position& at, std::string problem, std::string hint = {});
  void add_missing(std::string_view key, std::string_view need);
  // "key" is X (why; need is needed)
  void add_wrong(std::string_view key, const Node& value, std::string_view why, std::string_view need,
                 std::string hint = {});
  // Whether `value` is a scalar that is text; a fault where not.
  bool check_text(std::string_view key, const Node& value, std::string_view need);
  // The finite number in bounds that `value` states, or a fault and nothing.
  std::optional<double> number(std::string_view key, const Node& value, const Bounds& bounds);
  std::optional<std::int64_t> integer(std::string_view key, const Node& value, std::int64_t minimum,
                                      std::int64_t maximum);
  // Position of a name among `names`, or a fault and -1.
  int index_of_name(std::string_view key, const Node& value, const std::vector<std::string>& names,
                    std::string_view kind_of_thing);
  Reader child(const Entry& entry) const;
  Reader dead_child(std::string_view key) const;
};

// "a number above 0", "a probability from 0 to 1".
std::string need_of(const Bounds& bounds);
// "a whole number from 2 to 10".
std::string need_of(std::int64_t minimum, std::int64_t maximum);
bool is_inside(const Bounds& bounds, double value);
// Some number inside the bounds.
double harmless(const Bounds& bounds);
std::string kind_of(const Node& node);  // "a map", "a list", "a number", "a text", "empty"
// "did you mean …?" or all names.
std::string hint_of_names(std::string_view name, const std::vector<std::string>& names);
Node echo_of(double value);
Node echo_of(std::string_view text);

}  // namespace trialwright::input
