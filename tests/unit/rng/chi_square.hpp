// Pearson's chi-square test of counts against probabilities, for the tests of the generators.
#pragma once

#include <boost/math/distributions/chi_squared.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace trialwright::test {

// Every test here fails a right generator with this probability; the seeds are fixed,
// so it did so once or never.
inline constexpr double k_false_alarm_rate = 1e-4;

// The probability of a larger statistic than the observed, of cells with the given probabilities.
inline double chi_square_p_value(const std::vector<std::uint64_t>& counts,
                                 const std::vector<double>& probabilities) {
  double n = 0, statistic = 0;
  for (const std::uint64_t count : counts) n += static_cast<double>(count);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = n * probabilities[i];
    const double excess = static_cast<double>(counts[i]) - expected;
    statistic += excess * excess / expected;
  }
  const boost::math::chi_squared_distribution<double> reference(static_cast<double>(counts.size() - 1));
  return boost::math::cdf(boost::math::complement(reference, statistic));
}

inline double chi_square_p_value(const std::vector<std::uint64_t>& counts) {
  return chi_square_p_value(
      counts, std::vector<double>(counts.size(), 1.0 / static_cast<double>(counts.size())));
}

}  // namespace trialwright::test
