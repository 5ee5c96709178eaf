#include "input/reader_state.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "input/number_text.hpp"

namespace trialwright::input {
namespace {

constexpr std::size_t k_longest_shown = 40;
// Upper limits from here on only protect the arithmetic and are no news to a reader.
constexpr std::int64_t k_no_real_limit = 2147483647;

std::string shortened(const std::string& text) {
  if (text.size() <= k_longest_shown) return text;
  std::size_t end = k_longest_shown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

std::string shown(const Node& node) {
  if (node.kind == Node::Kind::scalar) {
    std::string text = shortened(node.text);
    std::replace(text.begin(), text.end(), '\n', ' ');
    return node.quoted ? fmt::format("\"{}\"", text) : text;
  }
  return kind_of(node);
}

std::string hint_for_percent(double value) {
  if (!(value > 1 && value <= 100)) return {};
  return fmt::format("{0}% is written {1:.12g}", format_number(value), value / 100);
}

}  // namespace

std::string kind_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "empty";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::scalar:
      break;
  }
  if (node.quoted) return "a text in quotes";
  return parse_number(node.text).value ? "a number" : "a text";
}

bool is_inside(const Bounds& bounds, double value) {
  const bool above = bounds.open_minimum ? value > bounds.minimum : value >= bounds.minimum;
  const bool below = bounds.open_maximum ? value < bounds.maximum : value <= bounds.maximum;
  return above && below;
}

double harmless(const Bounds& bounds) {
  const bool has_minimum = std::isfinite(bounds.minimum);
  const bool has_maximum = std::isfinite(bounds.maximum);
  if (has_minimum && has_maximum) return bounds.minimum + (bounds.maximum - bounds.minimum) / 2;
  if (has_minimum) return bounds.minimum + (bounds.open_minimum ? 1 : 0);
  if (has_maximum) return bounds.maximum - (bounds.open_maximum ? 1 : 0);
  return 0;
}

std::string need_of(const Bounds& bounds) {
  std::string need = "a number";
  const bool is_noun = bounds.meaning.starts_with("a ") || bounds.meaning.starts_with("an ") ||
                       bounds.meaning.starts_with("the ");
  if (is_noun) need = bounds.meaning;
  if (!is_noun && !bounds.meaning.empty()) need += fmt::format(" of {}", bounds.meaning);
  const bool has_minimum = std::isfinite(bounds.minimum);
  const bool has_maximum = std::isfinite(bounds.maximum);
  const std::string low = has_minimum ? format_number(bounds.minimum) : "";
  const std::string high = has_maximum ? format_number(bounds.maximum) : "";
  if (has_minimum && has_maximum && !bounds.open_minimum && !bounds.open_maximum)
    return fmt::format("{} from {} to {}", need, low, high);
  if (has_minimum) need += fmt::format(" {} {}", bounds.open_minimum ? "above" : "of at least", low);
  if (has_minimum && has_maximum) need += " and";
  if (has_maximum) need += fmt::format(" {} {}", bounds.open_maximum ? "below" : "of at most", high);
  return need;
}

std::string need_of(std::int64_t minimum, std::int64_t maximum) {
  const bool has_minimum = minimum > -k_no_real_limit;
  const bool has_maximum = maximum < k_no_real_limit;
  if (has_minimum && has_maximum && minimum == maximum) return fmt::format("the number {}", minimum);
  if (has_minimum && has_maximum) return fmt::format("a whole number from {} to {}", minimum, maximum);
  if (has_minimum) return fmt::format("a whole number of at least {}", minimum);
  if (has_maximum) return fmt::format("a whole number of at most {}", maximum);
  return "a whole number";
}

std::string hint_of_names(std::string_view name, const std::vector<std::string>& names) {
  const std::string near = base::closest(name, names);
  if (!near.empty()) return fmt::format("did you mean \"{}\"?", near);
  if (names.empty()) return {};
  return fmt::format("known: {}", fmt::join(names, ", "));
}

Node echo_of(double value) {
  return Node::scalar(format_number(value));
}

Node echo_of(std::string_view text) {
  // A default that would read as a number, a truth value or nothing stays text.
  const bool ambiguous = text.empty() || parse_number(text).value || text == "true" || text == "false";
  return Node::scalar(std::string(text), {}, ambiguous);
}

const Entry* Reader::State::entry(std::string_view key) const {
  for (const Entry& candidate : map->entries)
    if (candidate.key == key) return &candidate;
  return nullptr;
}

const Entry* Reader::State::ask(std::string_view key) {
  if (std::find(asked.begin(), asked.end(), key) == asked.end()) asked.emplace_back(key);
  const Entry* found = entry(key);
  return found != nullptr && found->value.kind != Node::Kind::null ? found : nullptr;
}

void Reader::State::write(std::string_view key, Node value) {
  Node* at = echo_root;
  for (const std::string& step : echo_keys) {
    if (at->kind == Node::Kind::sequence) {
      at = &at->items[static_cast<std::size_t>(std::stoul(step))];
      continue;
    }
    Node* next = at->find(step);
    if (next == nullptr) {
      at->kind = Node::Kind::map;
      at->entries.push_back({step, {}, Node::map()});
      next = &at->entries.back().value;
    }
    at = next;
  }
  at->kind = Node::Kind::map;
  if (Node* present = at->find(key))
    *present = std::move(value);
  else
    at->entries.push_back({std::string(key), {}, std::move(value)});
}

void Reader::State::add(const Position& at, std::string problem, std::string hint) {
  faults->add(at, std::move(problem), std::move(hint));
}

void Reader::State::add_missing(std::string_view key, std::string_view need) {
  const Entry* empty = entry(key);
  if (empty != nullptr) {
    add(empty->value.at, fmt::format("\"{}\" is empty ({} is needed)", key, need));
    return;
  }
  add(where, path.empty() ? fmt::format("\"{}\" is missing ({} is needed)", key, need)
                          : fmt::format("\"{}\" is missing in \"{}\" ({} is needed)", key, path, need));
}

void Reader::State::add_wrong(std::string_view key, const Node& value, std::string_view why,
                              std::string_view need, std::string hint) {
  add(value.at,
      fmt::format("\"{}\" is {} ({}{}{} is needed)", key, shown(value), why, why.empty() ? "" : "; ",
                  need),
      std::move(hint));
}

bool Reader::State::check_text(std::string_view key, const Node& value, std::string_view need) {
  if (value.kind == Node::Kind::scalar) return true;
  add_wrong(key, value, "", need);
  return false;
}

std::optional<double> Reader::State::number(std::string_view key, const Node& value,
                                            const Bounds& bounds) {
  if (value.kind != Node::Kind::scalar) {
    add_wrong(key, value, "", need_of(bounds));
    return std::nullopt;
  }
  const NumberText parsed = parse_number(value.text);
  if (value.quoted) {
    const bool would_do = parsed.value && is_inside(bounds, *parsed.value);
    add_wrong(key, value, "a text in quotes", need_of(bounds),
              would_do ? fmt::format("write {} without quotes", value.text) : "");
    return std::nullopt;
  }
  if (!parsed.value) {
    add_wrong(key, value, parsed.why, need_of(bounds), parsed.hint);
    return std::nullopt;
  }
  if (is_inside(bounds, *parsed.value)) return parsed.value;
  const bool is_probability =
      bounds.minimum == 0 && bounds.maximum <= 1 && is_inside(bounds, *parsed.value / 100);
  add_wrong(key, value, "", need_of(bounds), is_probability ? hint_for_percent(*parsed.value) : "");
  return std::nullopt;
}

std::optional<std::int64_t> Reader::State::integer(std::string_view key, const Node& value,
                                                   std::int64_t minimum, std::int64_t maximum) {
  const std::string need = need_of(minimum, maximum);
  const auto stated = number(key, value, {.meaning = need});
  if (!stated) return std::nullopt;
  std::int64_t whole = 0;
  const char* end = value.text.data() + value.text.size();
  const char* begin = value.text.data() + (value.text.front() == '+' ? 1 : 0);
  const auto exact = std::from_chars(begin, end, whole);
  if (exact.ec != std::errc() || exact.ptr != end) {
    // 1e5 and 300.0 are whole too, as far as a double tells whole numbers apart.
    constexpr double k_most_exact = 9007199254740992.0;
    if (*stated != std::floor(*stated) || std::abs(*stated) > k_most_exact) {
      add_wrong(key, value, *stated != std::floor(*stated) ? "not a whole number" : "too large", need);
      return std::nullopt;
    }
    whole = static_cast<std::int64_t>(*stated);
  }
  if (whole >= minimum && whole <= maximum) return whole;
  add_wrong(key, value, whole > maximum && maximum >= k_no_real_limit ? "too large" : "", need);
  return std::nullopt;
}

int Reader::State::index_of_name(std::string_view key, const Node& value,
                                 const std::vector<std::string>& names,
                                 std::string_view kind_of_thing) {
  const std::string need = fmt::format("the name of one {}", kind_of_thing);
  if (!check_text(key, value, need)) return -1;
  const auto found = std::find(names.begin(), names.end(), value.text);
  if (found != names.end()) return static_cast<int>(found - names.begin());
  add(value.at, fmt::format("\"{}\" is {} (no {} has this name)", key, shown(value), kind_of_thing),
      names.empty() ? fmt::format("this study has no {}", kind_of_thing)
                    : hint_of_names(value.text, names));
  return -1;
}

}  // namespace trialwright::input
