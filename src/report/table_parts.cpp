#include "report/table_parts.hpp"

#include <algorithm>
#include <cmath>

namespace trialwright::report {

std::string largest_error(const std::vector<const Metric*>& metrics) {
  double largest = 0;
  for (const Metric* metric : metrics)
    if (std::isfinite(metric->mcse)) largest = std::max(largest, metric->mcse);
  if (largest == 0) return {};
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(largest))) + 1);
  const double unit = std::pow(10.0, -decimals);
  return fixed(std::ceil(largest / unit - 1e-9) * unit, decimals);
}

}  // namespace trialwright::report
