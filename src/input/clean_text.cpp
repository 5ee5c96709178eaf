#include <algorithm>

#include <fmt/format.h>

#include "input/parse_yaml.hpp"

namespace trialwright::input {
namespace {

constexpr std::size_t k_largest_file = 8u << 20;

// The bytes of the UTF-8 character that begins at `at`; 0 where none does (Unicode 15, table 3-7).
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
  };
  const auto continues = [&](std::size_t i) { return (byte(i) & 0xc0u) == 0x80u; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!continues(1) || !continues(2)) return 0;
    if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) >= 0xa0)) return 0;
    return 3;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if ((first == 0xf0 && byte(1) < 0x90) || (first == 0xf4 && byte(1) >= 0x90)) return 0;
    return 4;
  }
  return 0;
}

std::string normal_line_ends(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != '\r') {
      text += bytes[i];
    } else if (i + 1 == bytes.size() || bytes[i + 1] != '\n') {
      text += '\n';
    }
  }
  return text;
}

// Empties the lines that hold only blanks and tabs: YAML means nothing by them, yet yaml-cpp stumbles.
std::string without_blank_tabs(const std::string& text) {
  if (text.find('\t') == std::string::npos) return text;
  std::string out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    if (line.find_first_not_of(" \t") != std::string_view::npos) out += line;
    if (end < text.size()) out += '\n';
    begin = end + 1;
  }
  return out;
}

// Replaces what cannot be printed, so that the excerpt of a faulty line is safe to show.
std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = character_length(text, i);
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (length == 0 || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
      out += '?';
    else
      out.append(text.substr(i, length));
    i += length == 0 ? 1 : length;
  }
  return out;
}

// The first fault among the characters of `text`.
bool check_characters(std::string_view text, int source, Diagnostics& faults) {
  Position at{source, 1, 1};
  bool indentation = true;
  for (std::size_t i = 0; i < text.size(); ++at.column) {
    const std::size_t length = character_length(text, i);
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (length == 0) {
      faults.add(at, fmt::format("byte 0x{:02x} (not UTF-8 text)", c), "save the file as UTF-8");
      return false;
    }
    if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f) {
      faults.add(at, fmt::format("control character 0x{:02x} (a study file is plain text)", c));
      return false;
    }
    if (c == '\t' && indentation) {
      const std::size_t next = text.find_first_not_of(" \t", i);
      if (next != std::string_view::npos && text[next] != '\n') {
        faults.add(at, "a tab in the indentation (YAML indents with spaces)",
                   "replace each tab by two spaces");
        return false;
      }
    }
    indentation = c == '\n' || (indentation && (c == ' ' || c == '\t'));
    i += length;
    if (c == '\n') at = {source, at.line + 1, 0};
  }
  return true;
}

}  // namespace

CleanText add_clean_text(std::string_view bytes, const std::string& name, Sources& sources,
                         Diagnostics& faults) {
  CleanText clean;
  if (bytes.size() > k_largest_file) {
    clean.source = sources.add(name, "");
    faults.add({clean.source, 0, 0},
               fmt::format("{} bytes (a study file has at most 8 MiB)", bytes.size()));
    clean.fit = false;
    return clean;
  }
  if (bytes.starts_with("\xff\xfe") || bytes.starts_with("\xfe\xff")) {
    clean.source = sources.add(name, "");
    faults.add({clean.source, 0, 0}, "UTF-16 text (a study file is UTF-8)", "save the file as UTF-8");
    clean.fit = false;
    return clean;
  }
  if (bytes.starts_with("\xef\xbb\xbf")) bytes.remove_prefix(3);
  clean.text = without_blank_tabs(normal_line_ends(bytes));
  clean.source = sources.add(name, printable(clean.text));
  clean.fit = check_characters(clean.text, clean.source, faults);
  return clean;
}

}  // namespace trialwright::input
