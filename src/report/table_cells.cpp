#include "report/table_cells.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "report/grid.hpp"

namespace trialwright::report {
namespace {

constexpr int k_most_decimals = 6;

}  // namespace

int decimals_for(const std::vector<const Metric*>& metrics, int fewest, int n_digits_of_error) {
  double largest = 0;
  for (const Metric* metric : metrics)
    if (metric != nullptr && std::isfinite(metric->mcse)) largest = std::max(largest, metric->mcse);
  if (largest == 0) return fewest;
  const int needed = static_cast<int>(std::ceil(-std::log10(largest))) + n_digits_of_error - 1;
  return std::clamp(needed, fewest, std::max(k_most_decimals, fewest));
}

std::string fixed(double value, int decimals) {
  if (std::isnan(value)) return "n/a";
  const std::string text = fmt::format("{:.{}f}", value, decimals);
  const bool is_zero = text.find_first_not_of("-0.") == std::string::npos;
  return is_zero && text.front() == '-' ? text.substr(1) : text;
}

std::string with_error(const Metric& metric, int decimals) {
  if (!(metric.mcse > 0)) return fixed(metric.estimate, decimals);
  return fmt::format("{} ± {}", fixed(metric.estimate, decimals), fixed(metric.mcse, decimals));
}

std::string interval(const Metric& metric, int decimals) {
  return fmt::format("[{}, {}]", fixed(metric.lower, decimals), fixed(metric.upper, decimals));
}

std::string wrapped(const std::string& text, std::size_t width) {
  std::string out, line;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!line.empty() && n_characters(line) + 1 + n_characters(word) > width) {
      out += line + '\n';
      line.clear();
    }
    line += line.empty() ? word : ' ' + word;
    begin = end + 1;
  }
  return out + line + '\n';
}

std::string flowed(const std::vector<std::string>& parts, std::size_t width) {
  std::string out, line;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string part = i + 1 < parts.size() ? parts[i] + ',' : parts[i];
    if (!line.empty() && n_characters(line) + 1 + n_characters(part) > width) {
      out += line + '\n';
      line.clear();
    }
    line += line.empty() ? part : ' ' + part;
  }
  return out + line + '\n';
}

}  // namespace trialwright::report
