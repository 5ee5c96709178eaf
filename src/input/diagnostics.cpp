#include "input/diagnostics.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace trialwright::input {
namespace {

constexpr std::size_t k_widest_excerpt = 120;

// The bytes at which the characters of a UTF-8 line begin, and its end.
std::vector<std::size_t> character_starts(std::string_view line) {
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < line.size(); ++i)
    if ((static_cast<unsigned char>(line[i]) & 0xc0) != 0x80) starts.push_back(i);
  starts.push_back(line.size());
  return starts;
}

// The line without its indentation, cut to what lies around the caret where it is long,
// and the caret below.
std::string excerpt(const std::string& line, int column) {
  const auto starts = character_starts(line);
  const std::size_t length = starts.size() - 1;
  const std::size_t caret = std::min<std::size_t>(column > 0 ? column - 1 : 0, length);
  std::size_t first = 0;
  while (first < caret && (line[starts[first]] == ' ' || line[starts[first]] == '\t')) ++first;
  std::size_t last = length;
  std::string_view before, after;
  if (last - first > k_widest_excerpt) {
    if (caret - first > k_widest_excerpt / 2) {
      first = caret - k_widest_excerpt / 2;
      before = "...";
    }
    if (last - first > k_widest_excerpt) {
      last = first + k_widest_excerpt;
      after = "...";
    }
  }
  std::string below(before.size(), ' ');
  for (std::size_t i = first; i < caret; ++i) below += line[starts[i]] == '\t' ? '\t' : ' ';
  return fmt::format("    {}{}{}\n    {}^\n", before,
                     line.substr(starts[first], starts[last] - starts[first]), after, below);
}

auto order(const Position& at) {
  return std::tuple(at.source, at.line, at.column);
}

}  // namespace

int Sources::add(std::string name, std::string text) {
  Source source{std::move(name), {}};
  std::string_view rest = text;
  while (true) {
    const std::size_t end = rest.find('\n');
    source.lines.emplace_back(rest.substr(0, end));
    if (!source.lines.back().empty() && source.lines.back().back() == '\r')
      source.lines.back().pop_back();
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  sources_.push_back(std::move(source));
  return static_cast<int>(sources_.size()) - 1;
}

const std::string& Sources::name(int source) const {
  static const std::string none;
  return source >= 0 && source < static_cast<int>(sources_.size()) ? sources_[source].name : none;
}

std::string Sources::line(const Position& at) const {
  if (at.source < 0 || at.source >= static_cast<int>(sources_.size())) return {};
  const auto& lines = sources_[at.source].lines;
  return at.line >= 1 && at.line <= static_cast<int>(lines.size()) ? lines[at.line - 1] : std::string();
}

void Diagnostics::add(const Position& at, std::string problem, std::string hint) {
  for (const Diagnostic& fault : faults_)
    if (order(fault.at) == order(at) && fault.problem == problem) return;
  faults_.push_back({at, std::move(problem), std::move(hint)});
}

std::string Diagnostics::text(const Sources& sources) const {
  std::vector<Diagnostic> sorted = faults_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const Diagnostic& a, const Diagnostic& b) { return order(a.at) < order(b.at); });
  std::string out;
  for (const Diagnostic& fault : sorted) {
    const std::string& name = sources.name(fault.at.source);
    const bool on_command_line = name.starts_with("--");
    if (!name.empty()) out += name;
    if (!name.empty() && fault.at.line > 0 && !on_command_line)
      out += fmt::format(":{}:{}", fault.at.line, fault.at.column);
    if (!name.empty()) out += ": ";
    out += "error: " + fault.problem + '\n';
    if (!name.empty() && fault.at.line > 0) out += excerpt(sources.line(fault.at), fault.at.column);
    if (!fault.hint.empty()) out += "  hint: " + fault.hint + '\n';
  }
  out +=
      fmt::format("{} {}; nothing was run\n", sorted.size(), sorted.size() == 1 ? "fault" : "faults");
  return out;
}

}  // namespace trialwright::input
