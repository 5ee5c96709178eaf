#include "input/reader.hpp"

#include <algorithm>
#include <exception>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "input/reader_state.hpp"

namespace trialwright::input {
namespace {

bool is_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && is_letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
  });
}

}  // namespace

Reader::Reader(const Node& map, std::string path, Diagnostics& faults, Node& resolved)
    : state_(std::make_unique<State>()) {
  state_->map = &map;
  state_->path = std::move(path);
  state_->where = map.at;
  state_->faults = &faults;
  state_->echo_root = &resolved;
  if (resolved.kind != Node::Kind::map) resolved = Node::map();
}

Reader::Reader(Reader&&) noexcept = default;

Reader::~Reader() {
  if (!state_ || state_->is_dead || std::uncaught_exceptions() > 0) return;
  std::vector<std::string> open;
  for (const std::string& key : state_->asked)
    if (state_->entry(key) == nullptr) open.push_back(key);
  for (const Entry& entry : state_->map->entries) {
    if (std::find(state_->asked.begin(), state_->asked.end(), entry.key) != state_->asked.end())
      continue;
    std::string near = base::closest(entry.key, open);
    if (state_->is_unsure && near.empty()) continue;
    // A key that is meant may stand there already, inherited from the file extended.
    if (near.empty()) near = base::closest(entry.key, state_->asked);
    const std::string problem =
        state_->path.empty()
            ? fmt::format("\"{}\" is not a known key", entry.key)
            : fmt::format("\"{}\" is not a known key of \"{}\"", entry.key, state_->path);
    std::string hint;
    if (!near.empty())
      hint = fmt::format("did you mean \"{}\"?", near);
    else if (!state_->asked.empty())
      hint = fmt::format("known: {}", fmt::join(state_->asked, ", "));
    state_->add(entry.key_at, problem, hint);
  }
}

const std::string& Reader::path() const {
  return state_->path;
}

bool Reader::has(std::string_view key) const {
  const Entry* found = state_->entry(key);
  return found != nullptr && found->value.kind != Node::Kind::null;
}

Position Reader::at(std::string_view key) const {
  const Entry* found = state_->entry(key);
  return found != nullptr ? found->value.at : state_->where;
}

Diagnostics& Reader::faults() {
  return *state_->faults;
}

Reader Reader::State::child(const Entry& entry) const {
  Reader reader(entry.value, join_path(path, entry.key), *faults, *echo_root);
  reader.state_->where = entry.key_at.line > 0 ? entry.key_at : entry.value.at;
  reader.state_->echo_keys = echo_keys;
  reader.state_->echo_keys.push_back(entry.key);
  return reader;
}

Reader Reader::State::dead_child(std::string_view key) const {
  static const Node empty = Node::map();
  Diagnostics unseen;
  Node unseen_echo;
  Reader reader(empty, join_path(path, key), unseen, unseen_echo);
  State& state = *reader.state_;
  state.is_dead = true;
  state.where = where;
  state.faults = &state.own_faults;
  state.echo_root = &state.own_echo;
  return reader;
}

Reader Reader::map(std::string_view key) {
  const Entry* entry = state_->ask(key);
  if (entry != nullptr && entry->value.kind == Node::Kind::map) {
    state_->write(key, Node::map());
    return state_->child(*entry);
  }
  if (entry != nullptr)
    state_->add_wrong(key, entry->value, "", "a map");
  else
    state_->add_missing(key, "a map");
  return state_->dead_child(key);
}

std::optional<Reader> Reader::optional_map(std::string_view key) {
  if (state_->ask(key) == nullptr) return std::nullopt;
  return map(key);
}

Reader Reader::map_or_defaults(std::string_view key) {
  if (state_->ask(key) != nullptr) return map(key);
  if (state_->is_dead) return state_->dead_child(key);
  state_->write(key, Node::map());
  static const Node empty = Node::map();
  Reader reader(empty, join_path(state_->path, key), *state_->faults, *state_->echo_root);
  reader.state_->where = at(key);
  reader.state_->echo_keys = state_->echo_keys;
  reader.state_->echo_keys.emplace_back(key);
  return reader;
}

std::vector<std::pair<std::string, Reader>> Reader::named(std::string_view key) {
  std::vector<std::pair<std::string, Reader>> readers;
  const Entry* entry = state_->ask(key);
  if (entry == nullptr) return readers;
  if (entry->value.kind != Node::Kind::map) {
    state_->add_wrong(key, entry->value, "", "a map of named things");
    return readers;
  }
  state_->write(key, Node::map());
  State group;
  group.map = &entry->value;
  group.path = join_path(state_->path, key);
  group.where = entry->key_at;
  group.faults = state_->faults;
  group.echo_root = state_->echo_root;
  group.echo_keys = state_->echo_keys;
  group.echo_keys.emplace_back(key);
  for (const Entry& thing : entry->value.entries) {
    if (!is_name(thing.key))
      state_->add(
          thing.key_at,
          fmt::format("\"{}\" is not a name (letters, digits and _, not a digit first)", thing.key));
    if (thing.value.kind == Node::Kind::map) {
      group.write(thing.key, Node::map());
      readers.emplace_back(thing.key, group.child(thing));
      continue;
    }
    group.add_wrong(
        thing.key, thing.value, "", "a map",
        thing.value.kind == Node::Kind::null ? "write {} where every key keeps its default" : "");
    readers.emplace_back(thing.key, group.dead_child(thing.key));
  }
  return readers;
}

std::vector<std::string> Reader::keys() const {
  std::vector<std::string> keys;
  for (const Entry& entry : state_->map->entries) keys.push_back(entry.key);
  return keys;
}

const Node* Reader::raw(std::string_view key) {
  const Entry* entry = state_->ask(key);
  if (entry == nullptr) return nullptr;
  state_->write(key, entry->value);
  return &entry->value;
}

void Reader::fault(std::string_view key, std::string problem, std::string hint) {
  state_->add(at(key), std::move(problem), std::move(hint));
}

}  // namespace trialwright::input
