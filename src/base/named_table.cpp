#include "base/named_table.hpp"

#include <algorithm>
#include <cstddef>

namespace trialwright::base {

namespace {

char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '-' ? '_' : c;
}

// Damerau 1964, Levenshtein 1966: the fewest insertions, deletions, substitutions and swaps of
// neighbours (each letter edited at most once, "optimal string alignment").
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = folded(a[i - 1]) == folded(b[j - 1]);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                           folded(a[i - 2]) == folded(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

template <class Candidates>
std::string_view closest_of(std::string_view name, const Candidates& candidates) {
  std::string_view best;
  std::size_t best_distance = 0;
  for (const std::string_view candidate : candidates) {
    const std::size_t edits = distance(name, candidate);
    const std::size_t allowed = std::max<std::size_t>(1, std::max(name.size(), candidate.size()) / 3);
    if (edits <= allowed && (best.empty() || edits < best_distance)) {
      best = candidate;
      best_distance = edits;
    }
  }
  return best;
}

}  // namespace

std::string_view closest(std::string_view name, std::span<const std::string_view> candidates) {
  return closest_of(name, candidates);
}

std::string closest(std::string_view name, const std::vector<std::string>& candidates) {
  return std::string(closest_of(name, candidates));
}

}  // namespace trialwright::base
