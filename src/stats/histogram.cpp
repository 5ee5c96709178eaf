#include "stats/histogram.hpp"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "base/contract.hpp"
#include "math/normal.hpp"

namespace trialwright::stats {

namespace {

// Bins held beside one that a value falls into, so that they are made seldom.
constexpr std::size_t k_margin = 64;

// The smallest k with P(Binomial(n, p) <= k) >= target.
std::uint64_t binomial_rank(std::uint64_t n, double p, double target) {
  using boost::math::policies::discrete_quantile;
  using boost::math::policies::integer_round_up;
  using boost::math::policies::policy;
  const boost::math::binomial_distribution<double, policy<discrete_quantile<integer_round_up>>> ranks(
      static_cast<double>(n), p);
  return static_cast<std::uint64_t>(boost::math::quantile(ranks, target));
}

}  // namespace

Histogram::Histogram(double width, std::size_t n_bins) : width_(width), n_bins_(n_bins) {
  TRIALWRIGHT_EXPECT(width > 0.0 && n_bins > 0);
}

Histogram::Histogram(State state)
    : width_(state.width),
      n_bins_(state.n_bins),
      n_(std::accumulate(state.counts.begin(), state.counts.end(), std::uint64_t{0})),
      n_beyond_(state.n_beyond),
      first_(state.first),
      counts_(std::move(state.counts)) {
  TRIALWRIGHT_EXPECT(width_ > 0.0 && first_ + counts_.size() <= n_bins_ && n_beyond_ <= n_);
}

Histogram::State Histogram::state() const {
  const auto is_counted = [](std::uint64_t n) { return n > 0; };
  const auto begin = std::find_if(counts_.begin(), counts_.end(), is_counted);
  const auto end = std::find_if(counts_.rbegin(), std::make_reverse_iterator(begin), is_counted).base();
  const auto first = begin == end ? 0 : first_ + static_cast<std::size_t>(begin - counts_.begin());
  return {.width = width_,
          .n_bins = n_bins_,
          .n_beyond = n_beyond_,
          .first = first,
          .counts = {begin, end}};
}

void Histogram::hold(std::size_t first, std::size_t last) {
  if (counts_.empty()) first_ = first;
  if (first < first_) {
    counts_.insert(counts_.begin(), first_ - first, 0);
    first_ = first;
  }
  if (last >= first_ + counts_.size()) counts_.resize(last + 1 - first_);
}

void Histogram::add(double x, std::uint64_t n) {
  TRIALWRIGHT_EXPECT(x >= 0.0);
  const double position = std::round(x / width_);
  const bool beyond = !(position <= static_cast<double>(n_bins_ - 1));
  const std::size_t bin = beyond ? n_bins_ - 1 : static_cast<std::size_t>(position);
  if (bin < first_ || bin >= first_ + counts_.size())
    hold(bin - std::min(bin, k_margin), std::min(bin + k_margin, n_bins_ - 1));
  counts_[bin - first_] += n;
  n_beyond_ += beyond ? n : 0;
  n_ += n;
}

void Histogram::merge(const Histogram& other) {
  TRIALWRIGHT_EXPECT(width_ == other.width_ && n_bins_ == other.n_bins_);
  if (other.counts_.empty()) return;
  hold(other.first_, other.first_ + other.counts_.size() - 1);
  for (std::size_t i = 0; i < other.counts_.size(); ++i)
    counts_[other.first_ - first_ + i] += other.counts_[i];
  n_ += other.n_;
  n_beyond_ += other.n_beyond_;
}

double Histogram::order_statistic(std::uint64_t rank) const {
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    cumulative += counts_[i];
    if (cumulative >= rank) return static_cast<double>(first_ + i) * width_;
  }
  return static_cast<double>(n_bins_ - 1) * width_;
}

double Histogram::quantile(double probability) const {
  TRIALWRIGHT_EXPECT(probability >= 0.0 && probability <= 1.0);
  if (n_ == 0) return std::numeric_limits<double>::quiet_NaN();
  const double rank = std::ceil(static_cast<double>(n_) * probability);
  return order_statistic(std::clamp<std::uint64_t>(static_cast<std::uint64_t>(rank), 1, n_));
}

Interval Histogram::quantile_interval(double probability, double level) const {
  if (n_ == 0)
    return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
  if (probability <= 0.0 || probability >= 1.0) return {quantile(probability), quantile(probability)};
  const double tail = 0.5 * (1.0 - level);
  const std::uint64_t lower = binomial_rank(n_, probability, tail);
  const std::uint64_t upper = binomial_rank(n_, probability, 1.0 - tail) + 1;
  return {order_statistic(std::max<std::uint64_t>(lower, 1)), order_statistic(std::min(upper, n_))};
}

double Histogram::mcse_of_quantile(double probability) const {
  const Interval interval = quantile_interval(probability, 0.95);
  return (interval.upper - interval.lower) / (2.0 * math::normal_quantile(0.975));
}

}  // namespace trialwright::stats
