#include <algorithm>

#include <fmt/format.h>

#include "input/node.hpp"

namespace trialwright::input {
namespace {

constexpr std::size_t k_widest_line = 100;
constexpr std::size_t k_most_flow_entries = 4;

bool is_null_word(std::string_view text) {
  return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
}

bool is_letter_or_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Whether `text` may stand without quotes in block style.
bool plain_in_block(std::string_view text) {
  if (is_null_word(text) || text == "<<" || text.starts_with("...")) return false;
  if (std::string_view("?:,[]{}#&*!|>'\"%@`= ").find(text.front()) != std::string_view::npos)
    return false;
  if (text.front() == '-' && (text.size() < 2 || (!is_letter_or_digit(text[1]) && text[1] != '.')))
    return false;
  if (text.back() == ' ' || text.back() == ':') return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    // Beyond ASCII, quotes spare us the question which characters YAML takes for blanks and breaks.
    if (c < 0x20 || c >= 0x7f) return false;
    if (c == ':' && !is_letter_or_digit(text[i + 1]) && text[i + 1] != '/') return false;
    if (c == '#' && text[i - 1] == ' ') return false;
  }
  return true;
}

bool plain_in_flow(std::string_view text) {
  return plain_in_block(text) && text.find_first_of(",[]{}:?") == std::string_view::npos;
}

std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const unsigned char byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string scalar_text(const Node& node) {
  if (node.kind == Node::Kind::null) return "null";
  return !node.quoted && plain_in_block(node.text) ? node.text : in_quotes(node.text);
}

std::string key_text(std::string_view key) {
  return plain_in_flow(key) ? std::string(key) : in_quotes(key);
}

bool is_scalar(const Node& node) {
  return node.kind == Node::Kind::scalar || node.kind == Node::Kind::null;
}

bool fits_flow(const Node& node) {
  return node.kind == Node::Kind::null ||
         (node.kind == Node::Kind::scalar && (node.quoted || plain_in_flow(node.text)));
}

// The one-line form of `node`, or nothing where it has none that is short and safe.
std::string one_line(const Node& node, std::size_t room) {
  if (is_scalar(node)) return scalar_text(node);
  std::string out;
  if (node.kind == Node::Kind::sequence) {
    if (!std::all_of(node.items.begin(), node.items.end(), fits_flow)) return {};
    for (const Node& item : node.items) {
      if (!out.empty()) out += ", ";
      out += scalar_text(item);
      if (out.size() + 2 > room) return {};
    }
    return fmt::format("[{}]", out);
  }
  if (node.entries.size() > k_most_flow_entries) return {};
  for (const Entry& entry : node.entries) {
    if (!fits_flow(entry.value)) return {};
    if (!out.empty()) out += ", ";
    out += key_text(entry.key) + ": " + scalar_text(entry.value);
    if (out.size() + 2 > room) return {};
  }
  return fmt::format("{{{}}}", out);
}

void write(const Node& node, std::size_t indent, std::string& out);

// What follows `lead` ("key:" or "-"), on the same line where it fits, below it where not.
void write_after(const std::string& lead, const Node& node, std::size_t indent, std::string& out) {
  out.append(indent, ' ');
  out += lead;
  const std::size_t used = indent + lead.size() + 1;
  const std::string line = one_line(node, used < k_widest_line ? k_widest_line - used : 0);
  if (!line.empty()) {
    out += fmt::format(" {}\n", line);
  } else {
    out += '\n';
    write(node, indent + 2, out);
  }
}

void write(const Node& node, std::size_t indent, std::string& out) {
  if (node.kind == Node::Kind::sequence)
    for (const Node& item : node.items) write_after("-", item, indent, out);
  for (const Entry& entry : node.entries)
    write_after(key_text(entry.key) + ':', entry.value, indent, out);
}

}  // namespace

std::string to_yaml(const Node& root) {
  std::string out;
  if (is_scalar(root)) return scalar_text(root) + '\n';
  if (root.items.empty() && root.entries.empty()) return one_line(root, k_widest_line) + '\n';
  write(root, 0, out);
  return out;
}

}  // namespace trialwright::input
