#include "input/document.hpp"

#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/named_table.hpp"
#include "input/parse_yaml.hpp"
#include "trialwright/error.hpp"

namespace trialwright::input {
namespace {

namespace fs = std::filesystem;

// The bytes of a file, or why they cannot be had.
struct FileBytes {
  std::optional<std::string> bytes;
  std::string reason;
};

FileBytes read_bytes(const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) return {std::nullopt, "no such file"};
  if (error) return {std::nullopt, error.message()};
  if (fs::is_directory(status)) return {std::nullopt, "a directory, not a file"};
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return {std::nullopt, std::error_code(errno, std::generic_category()).message()};
  std::string bytes{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (stream.bad()) return {std::nullopt, "reading failed"};
  return {std::move(bytes), {}};
}

fs::path identity(const fs::path& file) {
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(file, error);
  return error ? file.lexically_normal() : canonical;
}

// Is `name` a misspelt `known`? Not where one is made of the other, as lognormal of normal.
bool is_slip(std::string_view name, const std::string& known) {
  return !name.ends_with(known) && !known.ends_with(name) &&
         !base::closest(name, std::vector{known}).empty();
}

// Does `above` make another kind of thing of the map? Then what stands below has keys it does not know.
bool changes_kind(const Node& below, const Node& above) {
  for (const auto* key : {"kind", "distribution", "draw"}) {
    const Node* old_kind = below.find(key);
    const Node* new_kind = above.find(key);
    if (old_kind && new_kind && old_kind->kind == Node::Kind::scalar &&
        new_kind->kind == Node::Kind::scalar && old_kind->text != new_kind->text &&
        !is_slip(new_kind->text, old_kind->text))
      return true;
  }
  return false;
}

void merge_into(Node& below, Node above) {
  if (below.kind != Node::Kind::map || above.kind != Node::Kind::map || changes_kind(below, above)) {
    below = std::move(above);
    return;
  }
  below.at = above.at;
  for (Entry& entry : above.entries) {
    bool found = false;
    for (Entry& present : below.entries) {
      if (present.key != entry.key) continue;
      present.key_at = entry.key_at;
      merge_into(present.value, std::move(entry.value));
      found = true;
      break;
    }
    if (!found) below.entries.push_back(std::move(entry));
  }
}

std::string nearest_file(const fs::path& wanted) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(wanted.parent_path().empty() ? "." : wanted.parent_path(), error), end;
       !error && it != end && names.size() < 1000; it.increment(error))
    if (it->path().extension() == ".yaml" || it->path().extension() == ".yml")
      names.push_back(it->path().filename().string());
  return base::closest(wanted.filename().string(), names);
}

// Reads files with what they extend; each file once, however often it is named.
class Loader {
 public:
  Loader(Sources& sources, Diagnostics& faults) : sources_(sources), faults_(faults) {}

  Node load(std::string_view bytes, const std::string& name, const fs::path& id,
            const fs::path& folder) {
    chain_.push_back({name, id});
    const CleanText clean = add_clean_text(bytes, name, sources_, faults_);
    Node root = clean.fit ? parse_yaml(clean.text, clean.source, faults_) : Node{};
    if (clean.fit) check_root(root, clean);
    if (root.kind != Node::Kind::map) root = Node::map({clean.source, 1, 1});
    Node merged = inherit(std::move(root), folder);
    chain_.pop_back();
    return merged;
  }

 private:
  struct Link {
    std::string name;
    fs::path id;
  };

  void check_root(const Node& root, const CleanText& clean) {
    if (root.kind == Node::Kind::map) return;
    const Position at{clean.source, root.at.line > 0 ? root.at.line : 1,
                      root.at.column > 0 ? root.at.column : 1};
    // After a fault of syntax there is no tree, and that fault has told why.
    const bool told = root.kind == Node::Kind::null && has_fault_in(clean.source);
    if (root.kind == Node::Kind::null && !told)
      faults_.add(at, "the file holds nothing (a study is a map of sections)", "begin with schema: 1");
    if (root.kind == Node::Kind::sequence)
      faults_.add(at, "the file is a list (a study is a map of sections)", "begin with schema: 1");
    if (root.kind == Node::Kind::scalar)
      faults_.add(at, "the file is one text (a study is a map of sections)",
                  "write key: value, with a space after the colon");
  }

  bool has_fault_in(int source) const {
    for (const Diagnostic& fault : faults_.faults())
      if (fault.at.source == source) return true;
    return false;
  }

  Node inherit(Node root, const fs::path& folder) {
    std::optional<Node> extends;
    for (auto entry = root.entries.begin(); entry != root.entries.end(); ++entry) {
      if (entry->key != "extends") continue;
      extends = std::move(entry->value);
      root.entries.erase(entry);
      break;
    }
    if (!extends || extends->kind == Node::Kind::null) return root;
    if (extends->kind == Node::Kind::map) {
      faults_.add(extends->at, "\"extends\" is a map (a file or a list of files is needed)");
      return root;
    }
    if (extends->kind == Node::Kind::scalar) {
      Node list = Node::sequence(extends->at);
      list.items.push_back(std::move(*extends));
      extends = std::move(list);
    }
    Node merged = Node::map(root.at);
    for (const Node& item : extends->items) {
      if (item.kind != Node::Kind::scalar || item.text.empty())
        faults_.add(
            item.at,
            "\"extends\" holds what is not a file's name (a file or a list of files is needed)");
      else
        merge_into(merged, extended(item, folder));
    }
    merge_into(merged, std::move(root));
    return merged;
  }

  Node extended(const Node& item, const fs::path& folder) {
    const fs::path file = (folder / item.text).lexically_normal();
    const fs::path id = identity(file);
    for (std::size_t i = 0; i < chain_.size(); ++i) {
      if (chain_[i].id != id) continue;
      std::string circle;
      for (; i < chain_.size(); ++i) circle += chain_[i].name + " -> ";
      faults_.add(item.at, fmt::format("\"extends\" runs in a circle ({}{})", circle, file.string()),
                  "a file cannot inherit from itself");
      return Node::map();
    }
    if (const auto done = done_.find(id); done != done_.end()) return done->second;
    const FileBytes read = read_bytes(file);
    if (!read.bytes) {
      const std::string near = nearest_file(file);
      faults_.add(item.at,
                  fmt::format("\"extends\" is {} ({}: {})", item.text, file.string(), read.reason),
                  near.empty() ? "the path is relative to the file that names it"
                               : fmt::format("did you mean \"{}\"?",
                                             (fs::path(item.text).parent_path() / near).string()));
      return Node::map();
    }
    Node root = load(*read.bytes, file.string(), id, file.parent_path());
    done_[id] = root;
    return root;
  }

  Sources& sources_;
  Diagnostics& faults_;
  std::vector<Link> chain_;
  std::map<fs::path, Node> done_;
};

}  // namespace

Document read_document(const fs::path& file, Diagnostics& faults) {
  const FileBytes read = read_bytes(file);
  if (!read.bytes) throw io_error(fmt::format("{}: {}", file.string(), read.reason));
  Document document;
  document.root = Loader(document.sources, faults)
                      .load(*read.bytes, file.string(), identity(file), file.parent_path());
  return document;
}

Document parse_document(std::string_view text, std::string name, const fs::path& base,
                        Diagnostics& faults) {
  Document document;
  const fs::path id = identity(base / name);
  document.root = Loader(document.sources, faults).load(text, name, id, base);
  return document;
}

}  // namespace trialwright::input
