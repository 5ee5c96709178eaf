#include "stats/binomial_interval.hpp"

#include <boost/math/special_functions/beta.hpp>
#include <cmath>

#include "base/contract.hpp"
#include "math/cubic_table.hpp"

namespace trialwright::stats {

Interval clopper_pearson_interval(std::uint64_t n_events, std::uint64_t n, double level) {
  TRIALWRIGHT_EXPECT(n > 0 && n_events <= n && level > 0.0 && level < 1.0);
  const double tail = 0.5 * (1.0 - level);
  const auto events = static_cast<double>(n_events), others = static_cast<double>(n - n_events);
  const double lower = n_events == 0 ? 0.0 : boost::math::ibeta_inv(events, others + 1.0, tail);
  const double upper = n_events == n ? 1.0 : boost::math::ibetac_inv(events + 1.0, others, tail);
  return {math::round_to_bits(lower, math::k_knot_bits), math::round_to_bits(upper, math::k_knot_bits)};
}

Interval wilson_interval(std::uint64_t n_events, std::uint64_t n, double level) {
  TRIALWRIGHT_EXPECT(n > 0 && n_events <= n && level > 0.0 && level < 1.0);
  const double z = math::normal_quantile(0.5 + 0.5 * level), z2 = z * z;
  const auto size = static_cast<double>(n), events = static_cast<double>(n_events);
  const double centre = (events + 0.5 * z2) / (size + z2);
  const double half_width = z * std::sqrt(events * (size - events) / size + 0.25 * z2) / (size + z2);
  return {n_events == 0 ? 0.0 : centre - half_width, n_events == n ? 1.0 : centre + half_width};
}

double mcse_of_proportion(std::uint64_t n_events, std::uint64_t n) {
  TRIALWRIGHT_EXPECT(n > 0 && n_events <= n);
  const auto size = static_cast<double>(n), events = static_cast<double>(n_events);
  return std::sqrt(events * (size - events) / size) / size;
}

}  // namespace trialwright::stats
