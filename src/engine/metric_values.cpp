#include "engine/metric_values.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/metrics.hpp"
#include "stats/binomial_interval.hpp"

namespace trialwright::engine {
namespace {

Metric made(std::string metric, std::string hypothesis, double value, double mcse,
            stats::Interval interval, std::uint64_t n) {
  return {std::move(metric),
          std::move(hypothesis),
          std::nullopt,
          {},
          {},
          value,
          mcse,
          interval.lower,
          interval.upper,
          n};
}

}  // namespace

Metric exactly(std::string metric, std::string hypothesis, double value) {
  return made(std::move(metric), std::move(hypothesis), value, 0, {value, value}, 0);
}

Metric proportion(std::string metric, std::string hypothesis, std::uint64_t n_events, std::uint64_t n) {
  return made(std::move(metric), std::move(hypothesis),
              static_cast<double>(n_events) / static_cast<double>(n),
              stats::mcse_of_proportion(n_events, n), stats::wilson_interval(n_events, n, k_level), n);
}

Metric with_error(std::string metric, std::string hypothesis, double value, double mcse,
                  std::uint64_t n) {
  return made(std::move(metric), std::move(hypothesis), value, mcse,
              stats::normal_interval(value, mcse, k_level), n);
}

Metric mean_of(std::string metric, const stats::Moments& moments) {
  const double mcse = moments.count() > 1 ? moments.mcse_of_mean() : 0;
  return with_error(std::move(metric), {}, moments.mean(), mcse, moments.count());
}

Metric quantile_of(std::string metric, const stats::Histogram& histogram, double probability) {
  const auto interval = histogram.quantile_interval(probability, k_level);
  auto result = made(std::move(metric), {}, histogram.quantile(probability),
                     histogram.mcse_of_quantile(probability), {interval.lower, interval.upper},
                     histogram.count());
  result.reason = fmt::format("{}", probability);
  return result;
}

MeanAndVariance mean_and_variance(const stats::Histogram& whole_numbers) {
  const auto state = whole_numbers.state();
  // From the least value on, so that the squares lose no digits.
  const auto first = static_cast<double>(state.first);
  double n = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < state.counts.size(); ++i) {
    const auto count = static_cast<double>(state.counts[i]), x = static_cast<double>(i);
    n += count;
    sum += count * x;
    squares += count * x * x;
  }
  if (n == 0) return {};
  const double variance = n > 1 ? std::max(0.0, (squares - sum * sum / n) / (n - 1)) : 0;
  return {first + sum / n, variance};
}

}  // namespace trialwright::engine
