#include <fmt/format.h>

#include "base/named_table.hpp"
#include "input/document.hpp"
#include "input/parse_yaml.hpp"

namespace trialwright::input {
namespace {

std::string kind_with_article(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "empty";
    case Node::Kind::scalar:
      return "one value";
    case Node::Kind::sequence:
      return fmt::format("a list of {}", node.items.size());
    case Node::Kind::map:
      return "a map";
  }
  return {};
}

// Reports the first part of `path` that the tree does not have; `path` begins at column 1 of `source`.
void add_missing_part(const Node& root, std::string_view path, int source, Diagnostics& faults) {
  const Node* node = &root;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    const std::string part(path.substr(begin, end - begin));
    const std::string_view parent = path.substr(0, begin == 0 ? 0 : begin - 1);
    const Position at{source, 1, static_cast<int>(begin) + 1};
    if (node->kind == Node::Kind::scalar || node->kind == Node::Kind::sequence) {
      const Node* item = node->kind == Node::Kind::sequence ? find_path(*node, part) : nullptr;
      if (item == nullptr) {
        faults.add(
            at,
            fmt::format("\"{}\" has no part \"{}\" (it is {})", parent, part, kind_with_article(*node)),
            node->kind == Node::Kind::sequence ? "items of a list count from 0" : "");
        return;
      }
      node = item;
    } else if (const Node* next = node->find(part)) {
      node = next;
    } else {
      std::vector<std::string> keys;
      for (const Entry& entry : node->entries) keys.push_back(entry.key);
      const std::string near = base::closest(part, keys);
      faults.add(at,
                 parent.empty() ? fmt::format("\"{}\" is no part of the study", part)
                                : fmt::format("\"{}\" is no part of \"{}\"", part, parent),
                 near.empty() ? "" : fmt::format("did you mean \"{}\"?", near));
      return;
    }
    if (end == path.size()) return;
    begin = end + 1;
  }
}

bool is_well_formed(std::string_view path) {
  return !path.empty() && path.front() != '.' && path.back() != '.' &&
         path.find("..") == std::string_view::npos;
}

// Lets the key that an assignment added point at its last part: there a reader who
// does not know it looks.
void place_new_key(Node& root, std::string_view path, int source) {
  const std::size_t dot = path.rfind('.');
  const bool at_top = dot == std::string_view::npos;
  const Node* parent = find_path(root, at_top ? "" : path.substr(0, dot));
  if (parent == nullptr || parent->entries.empty()) return;
  Entry& last = const_cast<Node*>(parent)->entries.back();
  if (last.key_at.source == source) last.key_at = {source, 1, at_top ? 1 : static_cast<int>(dot) + 2};
}

int n_characters(std::string_view text) {
  int n = 0;
  for (const char c : text) n += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return n;
}

}  // namespace

void apply_set(Document& document, std::string_view assignment, Diagnostics& faults) {
  const CleanText clean =
      add_clean_text(assignment, "--set " + std::string(assignment), document.sources, faults);
  if (!clean.fit) return;
  const std::size_t equals = clean.text.find('=');
  const std::string_view path = std::string_view(clean.text).substr(0, equals);
  if (equals == std::string::npos || !is_well_formed(path)) {
    faults.add({clean.source, 1, 1}, "not of the form path=value",
               "for example designs.fixed.patients=300");
    return;
  }
  // Blanks in place of the path give the value its own columns.
  const int begin = n_characters(path) + 1;
  const std::size_t n_before = faults.size();
  Node value =
      parse_yaml(std::string(begin, ' ') + clean.text.substr(equals + 1), clean.source, faults);
  if (faults.size() > n_before) return;
  if (value.kind == Node::Kind::null &&
      clean.text.find_first_not_of(' ', equals + 1) == std::string::npos) {
    faults.add({clean.source, 1, begin + 1}, fmt::format("\"{}\" is given no value", path),
               "write null to take a value out");
    return;
  }
  if (value.at.line == 0) value.at = {clean.source, 1, begin + 1};
  if (find_path(document.root, path) == nullptr) {
    const std::size_t dot = path.rfind('.');
    const Node* parent =
        find_path(document.root, dot == std::string_view::npos ? "" : path.substr(0, dot));
    if (parent == nullptr || parent->kind == Node::Kind::scalar ||
        parent->kind == Node::Kind::sequence) {
      add_missing_part(document.root, path, clean.source, faults);
      return;
    }
  }
  set_path(document.root, path, std::move(value));
  place_new_key(document.root, path, clean.source);
}

}  // namespace trialwright::input
