#include "report/table_notes.hpp"

#include <algorithm>
#include <set>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/table_cells.hpp"

namespace trialwright::report {
namespace {

bool add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return false;
  names.push_back(name);
  return true;
}

struct Note {
  std::string text;
  std::vector<std::string> hypotheses;
  std::vector<const Point*> points;
};

bool has_hypothesis(const Point& point, const std::string& name) {
  return std::any_of(point.metrics.begin(), point.metrics.end(),
                     [&](const Metric& metric) { return metric.hypothesis == name; });
}

std::vector<Note> gather(const Results& results) {
  std::vector<Note> notes;
  for (const Point& point : results.points)
    for (const std::string& whole : point.notes) {
      const std::size_t colon = whole.find(": ");
      const bool is_of_one =
          colon != std::string::npos && has_hypothesis(point, whole.substr(0, colon));
      const std::string text = is_of_one ? whole.substr(colon + 2) : whole;
      auto note =
          std::find_if(notes.begin(), notes.end(), [&](const Note& n) { return n.text == text; });
      if (note == notes.end()) note = notes.insert(notes.end(), {text, {}, {}});
      if (is_of_one) add_once(note->hypotheses, whole.substr(0, colon));
      if (note->points.empty() || note->points.back() != &point) note->points.push_back(&point);
    }
  return notes;
}

// Names (of designs, say) if the note's points are all of the points that have one of these.
std::vector<std::string> that_cover(const Results& results, const Note& note,
                                    std::string Point::*name) {
  std::vector<std::string> names;
  for (const Point* point : note.points) add_once(names, point->*name);
  const auto n = std::count_if(results.points.begin(), results.points.end(), [&](const Point& point) {
    return std::find(names.begin(), names.end(), point.*name) != names.end();
  });
  return static_cast<std::size_t>(n) == note.points.size() ? names : std::vector<std::string>{};
}

std::string where(const Results& results, const Note& note) {
  if (note.points.size() == results.points.size()) return {};
  for (const auto& [word, member] :
       {std::pair{"design", &Point::design}, std::pair{"scenario", &Point::scenario}}) {
    const auto names = that_cover(results, note, member);
    if (!names.empty() && names.size() <= 3)
      return fmt::format("{}{} {}", word, names.size() > 1 ? "s" : "", fmt::join(names, ", "));
  }
  return fmt::format("{} of {} points", note.points.size(), results.points.size());
}

std::size_t n_hypotheses(const Note& note) {
  std::set<std::string> names;
  for (const Point* point : note.points)
    for (const Metric& metric : point->metrics)
      if (!metric.hypothesis.empty()) names.insert(metric.hypothesis);
  return names.size();
}

}  // namespace

std::string told_notes(const Results& results, std::size_t width) {
  std::string out;
  for (const Note& note : gather(results)) {
    std::vector<std::string> parts;
    if (!note.hypotheses.empty() && note.hypotheses.size() < n_hypotheses(note))
      parts.push_back(fmt::format("{}", fmt::join(note.hypotheses, ", ")));
    if (const std::string place = where(results, note); !place.empty()) parts.push_back(place);
    out += wrapped(parts.empty() ? "Note: " + note.text
                                 : fmt::format("Note ({}): {}", fmt::join(parts, "; "), note.text),
                   width);
  }
  return out;
}

}  // namespace trialwright::report
