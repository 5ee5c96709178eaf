#include "rng/count_table.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/contract.hpp"

namespace trialwright::rng {

namespace {

constexpr int k_least_guide_bits = 6;
constexpr int k_most_guide_bits = 16;
constexpr double k_cut = 1e-17;

// The weights without the tails that hold less than k_cut, as probabilities; `first` moves along.
std::vector<double> without_tails(const std::vector<double>& weights, int& first) {
  // Summed from the ends to the largest, so that small weights are not lost.
  const auto mode = std::max_element(weights.begin(), weights.end());
  double below = 0, above = 0;
  for (auto at = weights.begin(); at != mode; ++at) below += *at;
  for (auto at = weights.end() - 1; at != mode; --at) above += *at;
  const double total = below + above + *mode;
  TRIALWRIGHT_EXPECT(total > 0 && std::isfinite(total));
  auto from = weights.begin();
  for (double tail = *from; from != mode && tail < k_cut * total;) tail += *++from;
  auto to = weights.end() - 1;
  for (double tail = *to; to != mode && tail < k_cut * total;) tail += *--to;
  first += static_cast<int>(from - weights.begin());
  std::vector<double> probabilities(from, to + 1);
  for (double& probability : probabilities) probability /= total;
  return probabilities;
}

}  // namespace

CountTable::CountTable(int first, const std::vector<double>& weights, int guide_bits) : first_(first) {
  TRIALWRIGHT_EXPECT(!weights.empty());
  set_thresholds(without_tails(weights, first_));
  set_entries(guide_bits);
}

CountTable CountTable::binomial(int n, double p, int guide_bits) {
  TRIALWRIGHT_EXPECT(n >= 0 && p >= 0 && p <= 1);
  if (p == 0 || p == 1 || n == 0) return {p == 1 ? n : 0, {1.0}, guide_bits};
  constexpr double k_negligible = 1e-24;
  const double odds = p / (1 - p);
  const int mode = std::min(n, static_cast<int>((n + 1.0) * p));
  std::vector<double> weights;
  double weight = 1;
  for (int x = mode; x > 0 && weight >= k_negligible; --x) {
    weight *= x / ((n - x + 1.0) * odds);
    weights.push_back(weight);
  }
  const int first = mode - static_cast<int>(weights.size());
  std::reverse(weights.begin(), weights.end());
  weight = 1;
  for (int x = mode; x <= n && weight >= k_negligible; ++x) {
    weights.push_back(weight);
    weight *= (static_cast<double>(n) - x) * odds / (x + 1.0);
  }
  return {first, weights, guide_bits};
}

// Below the mode summed from the lower end, from the mode on from the upper: the mode takes
// what rounding leaves, and small tails keep their digits.
void CountTable::set_thresholds(const std::vector<double>& probabilities) {
  const auto fixed = [](double probability) {
    return static_cast<std::uint64_t>(probability * 0x1p64);
  };
  const auto mode = static_cast<std::size_t>(
      std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  thresholds_.resize(probabilities.size() - 1);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < mode; ++i) thresholds_[i] = sum += fixed(probabilities[i]);
  sum = 0;
  for (std::size_t i = thresholds_.size(); i > mode; --i)
    thresholds_[i - 1] = 0 - std::max(std::uint64_t{1}, sum += fixed(probabilities[i]));
}

void CountTable::set_entries(int guide_bits) {
  const int needed = static_cast<int>(std::bit_width(thresholds_.size())) + 1;
  TRIALWRIGHT_EXPECT(guide_bits >= k_least_guide_bits && guide_bits <= k_most_guide_bits);
  const int bits = std::max(guide_bits, needed);
  TRIALWRIGHT_EXPECT(bits <= 31);
  shift_ = 32 - bits;
  mask_ = (std::uint32_t{1} << shift_) - 1;
  entries_.resize(std::size_t{1} << bits);
  std::size_t reached = 0;  // thresholds at or below the place at hand
  const auto reach = [&](std::uint64_t u) {
    while (reached < thresholds_.size() && thresholds_[reached] <= u) ++reached;
    return reached;
  };
  for (std::size_t bucket = 0; bucket < entries_.size(); ++bucket) {
    const std::uint64_t start = static_cast<std::uint64_t>(bucket) << (64 - bits);
    const std::uint64_t end = start | ((std::uint64_t{1} << (64 - bits)) - 1);
    const std::size_t before = reach(start), inside = reach(end) - before;
    const std::uint32_t threshold =
        inside == 0 ? mask_ : static_cast<std::uint32_t>(thresholds_[before] >> 32) & mask_;
    const std::uint32_t marked = inside > 1 ? k_marked : 0;
    entries_[bucket] = marked | static_cast<std::uint32_t>(before) << shift_ | threshold;
  }
}

std::size_t CountTable::n_reached(std::uint64_t u) const {
  return static_cast<std::size_t>(std::upper_bound(thresholds_.begin(), thresholds_.end(), u) -
                                  thresholds_.begin());
}

double CountTable::probability(int x) const {
  if (x < first() || x > last()) return 0;
  if (thresholds_.empty()) return 1;
  const auto i = static_cast<std::size_t>(x - first_);
  const std::uint64_t from = i == 0 ? 0 : thresholds_[i - 1];
  const std::uint64_t to = i == thresholds_.size() ? 0 : thresholds_[i];
  return static_cast<double>(to - from) * 0x1p-64;
}

}  // namespace trialwright::rng
