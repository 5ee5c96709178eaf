#include "input/node.hpp"

#include <charconv>
#include <functional>
#include <optional>
#include <utility>

namespace trialwright::input {

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

Node* Node::find(std::string_view key) {
  return const_cast<Node*>(std::as_const(*this).find(key));
}

Node Node::scalar(std::string text, Position at, bool quoted) {
  Node node;
  node.kind = Kind::scalar;
  node.at = at;
  node.text = std::move(text);
  node.quoted = quoted;
  return node;
}

Node Node::map(Position at) {
  Node node;
  node.kind = Kind::map;
  node.at = at;
  return node;
}

Node Node::sequence(Position at) {
  Node node;
  node.kind = Kind::sequence;
  node.at = at;
  return node;
}

std::string join_path(std::string_view parent, std::string_view key) {
  std::string path(parent);
  if (!path.empty()) path += '.';
  return path += key;
}

namespace {

std::optional<std::size_t> item_index(std::string_view part) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  if (error != std::errc() || end != part.data() + part.size()) return std::nullopt;
  return index;
}

struct Split {
  std::string_view first;
  std::string_view rest;
};

Split split_first(std::string_view path) {
  const std::size_t dot = path.find('.');
  if (dot == std::string_view::npos) return {path, {}};
  return {path.substr(0, dot), path.substr(dot + 1)};
}

}  // namespace

const Node* find_path(const Node& root, std::string_view path) {
  if (path.empty()) return &root;
  if (path.ends_with('.')) return nullptr;
  if (root.kind == Node::Kind::sequence) {
    const Split split = split_first(path);
    const auto index = item_index(split.first);
    if (!index || *index >= root.items.size()) return nullptr;
    return find_path(root.items[*index], split.rest);
  }
  for (const Entry& entry : root.entries) {
    if (!path.starts_with(entry.key)) continue;
    if (path.size() == entry.key.size()) return &entry.value;
    if (path[entry.key.size()] != '.') continue;
    if (const Node* found = find_path(entry.value, path.substr(entry.key.size() + 1))) return found;
  }
  return nullptr;
}

bool set_path(Node& root, std::string_view path, Node value, Position key_at) {
  if (path.empty()) {
    root = std::move(value);
    return true;
  }
  if (const Node* present = find_path(root, path)) {
    *const_cast<Node*>(present) = std::move(value);
    return true;
  }
  if (root.kind == Node::Kind::null) root = Node::map(root.at);
  const Split split = split_first(path);
  if (root.kind == Node::Kind::sequence) {
    const auto index = item_index(split.first);
    if (!index || *index >= root.items.size()) return false;
    return set_path(root.items[*index], split.rest, std::move(value), key_at);
  }
  if (root.kind != Node::Kind::map || split.first.empty()) return false;
  Node* next = root.find(split.first);
  if (next != nullptr) return set_path(*next, split.rest, std::move(value), key_at);
  Node made;
  made.at = value.at;
  const Position at = key_at.line > 0 ? key_at : value.at;
  if (!set_path(made, split.rest, std::move(value), key_at)) return false;
  root.entries.push_back({std::string(split.first), at, std::move(made)});
  return true;
}

std::uint64_t fingerprint(const Node& root) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : to_yaml(root)) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

std::uint64_t quick_hash(const Node& root) {
  // Each step is invertible in `value`, so that no difference is lost before the last.
  std::uint64_t hash = static_cast<std::uint64_t>(root.kind) * 2 + (root.quoted ? 1 : 0);
  const auto add = [&](std::uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    hash ^= hash >> 29;
  };
  const std::hash<std::string> hash_of_text;
  add(hash_of_text(root.text));
  add(root.items.size());
  for (const Node& item : root.items) add(quick_hash(item));
  for (const Entry& entry : root.entries) {
    add(hash_of_text(entry.key));
    add(quick_hash(entry.value));
  }
  return hash;
}

}  // namespace trialwright::input
