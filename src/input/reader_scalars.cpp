#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "input/number_text.hpp"
#include "input/reader.hpp"
#include "input/reader_state.hpp"

namespace trialwright::input {

double Reader::number(std::string_view key, const Bounds& bounds) {
  const Entry* entry = state_->ask(key);
  if (entry == nullptr) {
    state_->add_missing(key, need_of(bounds));
    return harmless(bounds);
  }
  const auto value = state_->number(key, entry->value, bounds);
  if (!value) return harmless(bounds);
  state_->write(key, echo_of(*value));
  return *value;
}

double Reader::number(std::string_view key, const Bounds& bounds, double fallback) {
  if (state_->ask(key) != nullptr) return number(key, bounds);
  // A default that no file may state is told by the key's absence.
  if (is_inside(bounds, fallback) && std::abs(fallback) <= std::numeric_limits<double>::max())
    state_->write(key, echo_of(fallback));
  return fallback;
}

std::optional<double> Reader::optional_number(std::string_view key, const Bounds& bounds) {
  if (state_->ask(key) == nullptr) return std::nullopt;
  return number(key, bounds);
}

std::int64_t Reader::integer(std::string_view key, std::int64_t minimum, std::int64_t maximum) {
  const Entry* entry = state_->ask(key);
  const std::int64_t inside = std::clamp<std::int64_t>(0, minimum, maximum);
  if (entry == nullptr) {
    state_->add_missing(key, need_of(minimum, maximum));
    return inside;
  }
  const auto value = state_->integer(key, entry->value, minimum, maximum);
  if (!value) return inside;
  state_->write(key, Node::scalar(fmt::format("{}", *value)));
  return *value;
}

std::int64_t Reader::integer(std::string_view key, std::int64_t minimum, std::int64_t maximum,
                             std::int64_t fallback) {
  if (state_->ask(key) != nullptr) return integer(key, minimum, maximum);
  if (fallback >= minimum && fallback <= maximum)
    state_->write(key, Node::scalar(fmt::format("{}", fallback)));
  return fallback;
}

std::optional<std::int64_t> Reader::optional_integer(std::string_view key, std::int64_t minimum,
                                                     std::int64_t maximum) {
  if (state_->ask(key) == nullptr) return std::nullopt;
  return integer(key, minimum, maximum);
}

bool Reader::boolean(std::string_view key, bool fallback) {
  const Entry* entry = state_->ask(key);
  bool value = fallback;
  if (entry != nullptr) {
    const Node& node = entry->value;
    const bool is_word = node.kind == Node::Kind::scalar && !node.quoted;
    if (!is_word || (node.text != "true" && node.text != "false")) {
      const std::string near = node.kind != Node::Kind::scalar ? "" : node.text;
      std::string hint;
      for (const std::string_view yes : {"yes", "Yes", "on", "On", "1", "True", "TRUE", "true"})
        if (near == yes) hint = "write true";
      for (const std::string_view no : {"no", "No", "off", "Off", "0", "False", "FALSE", "false"})
        if (near == no) hint = "write false";
      state_->add_wrong(key, node, "", "true or false", hint);
      return fallback;
    }
    value = node.text == "true";
  }
  state_->write(key, Node::scalar(value ? "true" : "false"));
  return value;
}

std::string Reader::text(std::string_view key) {
  const Entry* entry = state_->ask(key);
  if (entry == nullptr) {
    state_->add_missing(key, "a text");
    return {};
  }
  if (!state_->check_text(key, entry->value, "a text")) return {};
  state_->write(key, Node::scalar(entry->value.text, {}, entry->value.quoted));
  return entry->value.text;
}

std::string Reader::text(std::string_view key, std::string_view fallback) {
  if (state_->ask(key) != nullptr) return text(key);
  state_->write(key, echo_of(fallback));
  return std::string(fallback);
}

std::optional<std::string> Reader::optional_text(std::string_view key) {
  if (state_->ask(key) == nullptr) return std::nullopt;
  return text(key);
}

std::size_t Reader::choice_index(std::string_view key, const std::vector<std::string_view>& names,
                                 std::optional<std::size_t> fallback) {
  const std::vector<std::string> known(names.begin(), names.end());
  const Entry* entry = state_->ask(key);
  if (entry == nullptr && fallback) {
    state_->write(key, echo_of(names[*fallback]));
    return *fallback;
  }
  const std::size_t harmless_row = fallback.value_or(0);
  if (entry == nullptr) {
    state_->is_unsure = true;
    state_->add_missing(key, fmt::format("one of {}", fmt::join(names, ", ")));
    return harmless_row;
  }
  if (!state_->check_text(key, entry->value, fmt::format("one of {}", fmt::join(names, ", ")))) {
    state_->is_unsure = true;
    return harmless_row;
  }
  const auto found = std::find(names.begin(), names.end(), entry->value.text);
  if (found == names.end()) {
    state_->is_unsure = true;
    state_->add(entry->value.at,
                fmt::format("\"{}\" is {} (not one of the names known here)", key, entry->value.text),
                hint_of_names(entry->value.text, known));
    return harmless_row;
  }
  state_->write(key, echo_of(*found));
  return static_cast<std::size_t>(found - names.begin());
}

int Reader::reference(std::string_view key, const std::vector<std::string>& names,
                      std::string_view kind_of_thing) {
  const Entry* entry = state_->ask(key);
  if (entry == nullptr) {
    state_->add_missing(key, fmt::format("the name of one {}", kind_of_thing));
    return -1;
  }
  const int index = state_->index_of_name(key, entry->value, names, kind_of_thing);
  if (index >= 0) state_->write(key, echo_of(names[index]));
  return index;
}

std::optional<int> Reader::optional_reference(std::string_view key,
                                              const std::vector<std::string>& names,
                                              std::string_view kind_of_thing) {
  if (state_->ask(key) == nullptr) return std::nullopt;
  return reference(key, names, kind_of_thing);
}

}  // namespace trialwright::input
