#include "input/parse_yaml.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_map>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace trialwright::input {
namespace {

constexpr std::size_t k_most_nodes = 100000;
constexpr std::size_t k_deepest = 64;

// Ends the parse where going on makes no sense.
struct Stop {
  Position at;
  std::string problem;
  std::string hint;
};

struct Extent {
  std::size_t n_nodes = 1;
  std::size_t depth = 1;
};

Extent extent_of(const Node& node) {
  Extent all;
  const auto include = [&all](const Node& child) {
    const Extent extent = extent_of(child);
    all.n_nodes += extent.n_nodes;
    all.depth = std::max(all.depth, extent.depth + 1);
  };
  for (const Node& item : node.items) include(item);
  for (const Entry& entry : node.entries) include(entry.value);
  return all;
}

bool is_null_word(const std::string& text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

// Builds the tree from yaml-cpp's events: its own nodes would keep duplicate keys in silence.
class Builder final : public YAML::EventHandler {
 public:
  Builder(const std::string& text, int source, Diagnostics& faults)
      : text_(text), source_(source), faults_(faults) {
    line_starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] == '\n') line_starts_.push_back(i + 1);
  }

  Node take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++n_documents_ > 1)
      throw Stop{place(mark), "a second document begins here (a study file is one document)",
                 "remove the line ---"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // A scenario may be called null.
    if (awaits_key()) {
      const std::string word = text_.substr(std::min(offset_of(mark), text_.size()), 4);
      if (is_null_word(word) && word.size() == 4)
        return finish(Node::scalar(word, place(mark)), anchor);
    }
    Node node;
    node.at = place(mark);
    // An empty value has no place of its own: yaml-cpp tells where the next thing begins.
    if (awaits_value() && node.at.line != frames_.back().key_at.line) node.at = frames_.back().key_at;
    finish(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      throw Stop{place(mark), "an alias inside of what it names (a value cannot contain itself)", ""};
    const Extent extent = extent_of(found->second);
    count(extent.n_nodes, place(mark));
    if (frames_.size() + extent.depth > k_deepest) throw too_deep(place(mark));
    Node node = found->second;
    node.at = place(mark);
    attach(std::move(node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_tag(mark, tag);
    const bool quoted = tag == "!";
    if (quoted) check_closed(mark);
    if (!quoted && is_null_word(value)) return OnNull(mark, anchor);
    finish(Node::scalar(value, place(mark), quoted), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Node::sequence(place(mark)), anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    refuse_tag(mark, tag);
    open(Node::map(place(mark)), anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  // A sequence or map that is still open.
  struct Frame {
    Node node;
    YAML::anchor_t anchor;
    bool has_key = false;            // map: the next node is a value
    std::optional<std::string> key;  // none where the key is at fault: its value is dropped
    Position key_at;
    std::unordered_map<std::string, Position> keys;
  };

  Position place(const YAML::Mark& mark) const {
    return {source_, std::max(mark.line, 0) + 1, std::max(mark.column, 0) + 1};
  }

  static Stop too_deep(const Position& at) {
    return {at, fmt::format("nested deeper than {} levels (no study needs that)", k_deepest), ""};
  }

  void count(std::size_t n, const Position& at) {
    n_nodes_ += n;
    if (n_nodes_ > k_most_nodes)
      throw Stop{at, fmt::format("more than {} values (aliases counted each time)", k_most_nodes), ""};
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    constexpr std::string_view k_core = "tag:yaml.org,2002:";
    const std::string shown = tag.starts_with(k_core) ? "!!" + tag.substr(k_core.size()) : tag;
    faults_.add(place(mark), fmt::format("the tag {} (a study file has no tags)", shown), "remove it");
  }

  // Bytes from the text's start; marks count characters.
  std::size_t offset_of(const YAML::Mark& mark) const {
    std::size_t at = line_starts_[static_cast<std::size_t>(mark.line)];
    for (int column = 0; column < mark.column; ++column) do
        ++at;
      while (at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xc0) == 0x80);
    return at;
  }

  // yaml-cpp takes the end of the text for a closing quote.
  void check_closed(const YAML::Mark& mark) const {
    std::size_t at = offset_of(mark);
    while (at < text_.size() && text_[at] == '&')
      at = text_.find_first_not_of(" \n", std::min(text_.find_first_of(" \n", at), text_.size()));
    if (at >= text_.size() || (text_[at] != '"' && text_[at] != '\'')) return;
    const char quote = text_[at];
    while (++at < text_.size()) {
      const bool is_doubled = quote == '\'' && text_.compare(at, 2, "''") == 0;
      if (is_doubled || (quote == '"' && text_[at] == '\\'))
        ++at;
      else if (text_[at] == quote)
        return;
    }
    throw Stop{place(mark), "a quote that is not closed (the text runs to the end of the file)",
               "end the text with the same quote"};
  }

  bool awaits_key() const {
    return !frames_.empty() && frames_.back().node.kind == Node::Kind::map && !frames_.back().has_key;
  }

  bool awaits_value() const {
    return !frames_.empty() && frames_.back().node.kind == Node::Kind::map && frames_.back().has_key;
  }

  void open(Node node, YAML::anchor_t anchor) {
    count(1, node.at);
    if (frames_.size() + 1 > k_deepest) throw too_deep(node.at);
    frames_.push_back({std::move(node), anchor, false, std::nullopt, {}, {}});
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    if (frame.anchor != YAML::NullAnchor) anchors_[frame.anchor] = frame.node;
    attach(std::move(frame.node));
  }

  void finish(Node node, YAML::anchor_t anchor) {
    count(1, node.at);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    attach(std::move(node));
  }

  void attach(Node node) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.kind == Node::Kind::sequence) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.has_key) {
      take_key(frame, node);
    } else {
      if (frame.key)
        frame.node.entries.push_back({std::move(*frame.key), frame.key_at, std::move(node)});
      frame.has_key = false;
    }
  }

  // As a key the word null is a name like any other (a scenario may well be called so).
  std::string null_word_at(const Position& at) const {
    std::size_t begin = line_starts_[static_cast<std::size_t>(at.line - 1)];
    for (int column = 1; column < at.column; ++column) do
        ++begin;
      while (begin < text_.size() && (static_cast<unsigned char>(text_[begin]) & 0xc0) == 0x80);
    const std::string word = text_.substr(std::min(begin, text_.size()), 4);
    return word == "null" || word == "Null" || word == "NULL" ? word : std::string();
  }

  void take_key(Frame& frame, Node node) {
    frame.has_key = true;
    frame.key_at = node.at;
    frame.key.reset();
    if (node.kind == Node::Kind::null) node = Node::scalar(null_word_at(node.at), node.at);
    if (node.kind != Node::Kind::scalar || node.text.empty()) {
      faults_.add(node.at, "a key that is not a name (keys are plain text)");
      return;
    }
    if (node.text == "<<" && !node.quoted) {
      faults_.add(node.at, "\"<<\" is a merge key (not used in a study file)",
                  "inherit from a file with extends, or write the keys out");
      return;
    }
    const auto [earlier, is_new] = frame.keys.emplace(node.text, node.at);
    if (!is_new) {
      faults_.add(
          node.at,
          fmt::format(
              "\"{}\" is written twice (first at line {}, column {}; a key stands once in a map)",
              node.text, earlier->second.line, earlier->second.column),
          "remove one of the two");
      return;
    }
    frame.key = node.text;
  }

  const std::string& text_;
  std::vector<std::size_t> line_starts_;
  int source_;
  Diagnostics& faults_;
  Node root_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::size_t n_nodes_ = 0;
  int n_documents_ = 0;
};

// yaml-cpp's messages in words that tell a reader what to do.
struct Wording {
  std::string_view theirs;
  std::string_view problem;
  std::string_view hint;
};
constexpr Wording k_wordings[] = {
    {"end of map flow not found", "a { without its } (or a comma is missing)",
     "close it: {key: value, key: value}"},
    {"end of sequence flow not found", "a [ without its ] (or a comma is missing)",
     "close it: [1, 2, 3]"},
    {"end of map not found", "this line does not fit the lines above (indentation, or a missing colon)",
     "the keys of one map begin in the same column, and each has a colon and a space after it"},
    {"end of sequence not found",
     "this line does not fit the list above (indentation, or a missing dash)",
     "the items of one list begin with a dash in the same column"},
    {"illegal map value",
     "a colon where no value can stand (indentation, or a text that holds a colon)",
     "put quotes around a text that holds \": \""},
    {"illegal EOF in scalar", "a quote that is not closed (the text runs to the end of the file)",
     "end the text with the same quote"},
    {"the referenced anchor is not defined",
     "an alias without its anchor (nothing above has this &name)", ""},
};

void add_syntax_fault(const YAML::Exception& exception, int source, Diagnostics& faults) {
  const Position at{source, std::max(exception.mark.line, 0) + 1,
                    std::max(exception.mark.column, 0) + 1};
  for (const Wording& wording : k_wordings) {
    if (!std::string_view(exception.msg).starts_with(wording.theirs)) continue;
    faults.add(at, std::string(wording.problem), std::string(wording.hint));
    return;
  }
  faults.add(at, "not YAML (" + exception.msg + ")");
}

}  // namespace

Node parse_yaml(const std::string& text, int source, Diagnostics& faults) {
  Builder builder(text, source, faults);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
    return builder.take();
  } catch (const Stop& stop) {
    faults.add(stop.at, stop.problem, stop.hint);
  } catch (const YAML::Exception& exception) {
    add_syntax_fault(exception, source, faults);
  }
  return {};
}

}  // namespace trialwright::input
