// A located YAML tree: the program's own copy of a study file, with the place of every key and value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trialwright::input {

// A place in a source: 1-based line and column of source number `source` (a file,
// or one --set argument).
struct Position {
  int source = -1;
  int line = 0;
  int column = 0;
};

struct Entry;

// One value. Scalars keep their text as written; numbers are read from it where a Reader asks for one.
struct Node {
  enum class Kind { null, scalar, sequence, map };

  Kind kind = Kind::null;
  Position at;
  std::string text;            // scalar
  bool quoted = false;         // scalar written in quotes: text, never a number
  std::vector<Node> items;     // sequence
  std::vector<Entry> entries;  // map, in the order written, keys unique

  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);

  static Node scalar(std::string text, Position at = {}, bool quoted = false);
  static Node map(Position at = {});
  static Node sequence(Position at = {});
};

struct Entry {
  std::string key;
  Position key_at;
  Node value;
};

// The path of `key` inside `parent`: "designs" + "fixed" = "designs.fixed";
// at the top ("") the key itself.
std::string join_path(std::string_view parent, std::string_view key);

// The node at a dotted path (`designs.fixed.patients`, `arms.hcmsc.infusion_weeks.1`), or null. Items
// of a sequence count from 0. A key that itself holds dots (an axis of `sweep`) is found too.
const Node* find_path(const Node& root, std::string_view path);

// Puts `value` at a dotted path, making maps on the way where none stand;
// keys so made stand at `key_at`, or at the value's place where it is not given.
// False where the path runs through a scalar or beyond a sequence's end.
bool set_path(Node& root, std::string_view path, Node value, Position key_at = {});

// Block-style YAML text of a tree, two spaces an indent, short scalar sequences and maps of at most
// four scalars in flow style; reading it again gives the same tree.
std::string to_yaml(const Node& root);

// FNV-1a, 64 bits (Fowler, Noll & Vo), over the bytes of to_yaml(root): tells one study from another.
std::uint64_t fingerprint(const Node& root);

// A 64-bit hash of a tree's kinds, texts and keys in their order, wherever it stands: equal for equal
// trees, and quick. It may change from version to version: for use within a run.
std::uint64_t quick_hash(const Node& root);

}  // namespace trialwright::input
