#include <algorithm>

#include <fmt/format.h>

#include "input/number_text.hpp"
#include "input/reader.hpp"
#include "input/reader_state.hpp"

namespace trialwright::input {
namespace {

// "weeks.2": the path by which the item is also set and swept.
std::string item_key(std::string_view key, std::size_t item) {
  return fmt::format("{}.{}", key, item);
}

std::string hint_of_list(const Node& node) {
  return node.kind == Node::Kind::scalar ? fmt::format("write [{}]", node.text) : "";
}

Node echo_of_list(const std::vector<double>& values) {
  Node list = Node::sequence();
  for (const double value : values) list.items.push_back(echo_of(value));
  return list;
}

}  // namespace

std::vector<double> Reader::numbers(std::string_view key, const Bounds& bounds,
                                    std::optional<std::size_t> length) {
  const Entry* entry = state_->ask(key);
  const std::string of =
      bounds.meaning.empty() ? "numbers" : fmt::format("numbers, each {}", need_of(bounds));
  const std::string need =
      length ? fmt::format("a list of {} {}", *length, of) : fmt::format("a list of {}", of);
  const std::vector<double> instead(length.value_or(0), harmless(bounds));
  if (entry == nullptr) {
    state_->add_missing(key, need);
    return instead;
  }
  const Node& list = entry->value;
  if (list.kind != Node::Kind::sequence) {
    state_->add_wrong(key, list, list.kind == Node::Kind::scalar ? kind_of(list) : "", need,
                      hint_of_list(list));
    return instead;
  }
  if (list.items.empty() && length != 0) {
    state_->add(list.at, fmt::format("\"{}\" is an empty list ({} is needed)", key, need));
    return instead;
  }
  if (length && list.items.size() != *length) {
    state_->add(list.at,
                fmt::format("\"{}\" is a list of {} ({} is needed)", key, list.items.size(), need));
    return instead;
  }
  std::vector<double> values;
  bool fit = true;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const auto value = state_->number(item_key(key, i), list.items[i], bounds);
    fit = fit && value.has_value();
    values.push_back(value.value_or(harmless(bounds)));
  }
  if (fit) state_->write(key, echo_of_list(values));
  return values;
}

std::vector<double> Reader::numbers(std::string_view key, const Bounds& bounds,
                                    std::vector<double> fallback) {
  const Entry* entry = state_->ask(key);
  if (entry == nullptr || (entry->value.kind == Node::Kind::sequence && entry->value.items.empty())) {
    if (entry != nullptr) fallback.clear();
    state_->write(key, echo_of_list(fallback));
    return fallback;
  }
  return numbers(key, bounds, std::optional<std::size_t>());
}

std::vector<Reader> Reader::maps(std::string_view key) {
  constexpr std::string_view k_need = "a list of maps";
  std::vector<Reader> readers;
  const Entry* entry = state_->ask(key);
  if (entry == nullptr) {
    state_->add_missing(key, k_need);
    return readers;
  }
  const Node& list = entry->value;
  if (list.kind != Node::Kind::sequence) {
    state_->add_wrong(key, list, "", k_need,
                      list.kind == Node::Kind::map ? "write - before the map's first key" : "");
    return readers;
  }
  if (list.items.empty()) {
    state_->add(list.at, fmt::format("\"{}\" is an empty list ({} is needed)", key, k_need));
    return readers;
  }
  Node echo = Node::sequence();
  echo.items.assign(list.items.size(), Node::map());
  state_->write(key, std::move(echo));
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Node& item = list.items[i];
    const std::string name = item_key(key, i);
    if (item.kind != Node::Kind::map) {
      state_->add_wrong(name, item, "", "a map");
      readers.push_back(state_->dead_child(name));
      continue;
    }
    Reader reader(item, join_path(state_->path, name), *state_->faults, *state_->echo_root);
    reader.state_->echo_keys = state_->echo_keys;
    reader.state_->echo_keys.emplace_back(key);
    reader.state_->echo_keys.push_back(fmt::format("{}", i));
    readers.push_back(std::move(reader));
  }
  return readers;
}

std::vector<std::string> Reader::texts(std::string_view key, std::vector<std::string> fallback) {
  const Entry* entry = state_->ask(key);
  Node echo = Node::sequence();
  if (entry == nullptr) {
    for (const std::string& text : fallback) echo.items.push_back(echo_of(text));
    state_->write(key, std::move(echo));
    return fallback;
  }
  const Node& list = entry->value;
  if (list.kind != Node::Kind::sequence) {
    state_->add_wrong(key, list, list.kind == Node::Kind::scalar ? kind_of(list) : "",
                      "a list of texts", hint_of_list(list));
    return fallback;
  }
  std::vector<std::string> values;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Node& item = list.items[i];
    if (!state_->check_text(item_key(key, i), item, "a text")) continue;
    values.push_back(item.text);
    echo.items.push_back(Node::scalar(item.text, {}, item.quoted));
  }
  state_->write(key, std::move(echo));
  return values;
}

std::vector<int> Reader::references(std::string_view key, const std::vector<std::string>& names,
                                    std::string_view kind_of_thing) {
  std::vector<int> indices;
  const Entry* entry = state_->ask(key);
  if (entry == nullptr) return indices;
  const Node& list = entry->value;
  if (list.kind != Node::Kind::sequence) {
    state_->add_wrong(key, list, list.kind == Node::Kind::scalar ? kind_of(list) : "",
                      fmt::format("a list, each item the name of one {},", kind_of_thing),
                      hint_of_list(list));
    return indices;
  }
  Node echo = Node::sequence();
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const int index = state_->index_of_name(item_key(key, i), list.items[i], names, kind_of_thing);
    if (index < 0) continue;
    if (std::find(indices.begin(), indices.end(), index) != indices.end()) {
      state_->add(list.items[i].at,
                  fmt::format("\"{}\" names {} \"{}\" twice (each stands once in the list)", key,
                              kind_of_thing, names[index]));
      continue;
    }
    indices.push_back(index);
    echo.items.push_back(echo_of(names[index]));
  }
  state_->write(key, std::move(echo));
  return indices;
}

std::vector<std::optional<double>> Reader::number_by_name(std::string_view key,
                                                          const std::vector<std::string>& names,
                                                          std::string_view kind_of_thing,
                                                          const Bounds& bounds, bool required) {
  std::vector<std::optional<double>> values(names.size());
  const std::string need = fmt::format("a map that gives each {} {}", kind_of_thing, need_of(bounds));
  const Entry* entry = state_->ask(key);
  if (entry == nullptr) {
    if (required) state_->add_missing(key, need);
    return values;
  }
  if (entry->value.kind != Node::Kind::map) {
    state_->add_wrong(key, entry->value, "", need);
    return values;
  }
  Node echo = Node::map();
  for (const Entry& named : entry->value.entries) {
    const auto found = std::find(names.begin(), names.end(), named.key);
    if (found == names.end()) {
      state_->add(named.key_at,
                  fmt::format("\"{}\" holds {} (no {} has this name)", key, named.key, kind_of_thing),
                  names.empty() ? fmt::format("this study has no {}", kind_of_thing)
                                : hint_of_names(named.key, names));
      continue;
    }
    const auto value = state_->number(join_path(key, named.key), named.value, bounds);
    if (!value) continue;
    values[found - names.begin()] = value;
    echo.entries.push_back({named.key, {}, echo_of(*value)});
  }
  state_->write(key, std::move(echo));
  return values;
}

}  // namespace trialwright::input
