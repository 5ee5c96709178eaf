#include "shard/coverage.hpp"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace trialwright::shard {

std::vector<std::size_t> cover(const std::vector<engine::TrialRange>& ranges) {
  std::vector<std::size_t> order(ranges.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::erase_if(order, [&](std::size_t i) { return ranges[i].empty(); });
  // By end, the longer before the shorter, the first before the later.
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (ranges[a].to != ranges[b].to) return ranges[a].to < ranges[b].to;
    if (ranges[a].from != ranges[b].from) return ranges[a].from < ranges[b].from;
    return a < b;
  });

  // Of the first k in that order: the most trials that some of them cover, and how many of them end
  // before the k-th begins.
  const std::size_t n = order.size();
  std::vector<std::uint64_t> most(n + 1, 0);
  std::vector<std::size_t> n_before(n + 1, 0);
  for (std::size_t k = 1; k <= n; ++k) {
    const auto& range = ranges[order[k - 1]];
    const auto after =
        std::upper_bound(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k - 1), range.from,
                         [&](std::uint64_t from, std::size_t i) { return from < ranges[i].to; });
    n_before[k] = static_cast<std::size_t>(after - order.begin());
    most[k] = std::max(most[k - 1], most[n_before[k]] + range.size());
  }

  std::vector<std::size_t> chosen;
  for (std::size_t k = n; k > 0;) {
    if (most[k] == most[k - 1]) {
      --k;
    } else {
      chosen.push_back(order[k - 1]);
      k = n_before[k];
    }
  }
  std::reverse(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace trialwright::shard
