#include "analysis/z_score.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/restricted_ml.hpp"

namespace trialwright::analysis {

namespace {

// x_1 n_0 - x_0 n_1, exact.
double cross_difference(const TwoByTwo& table) {
  return static_cast<double>(table.responders_1) * table.n_0 -
         static_cast<double>(table.responders_0) * table.n_1;
}

bool has_empty_arm(const TwoByTwo& table) {
  return table.n_1 == 0 || table.n_0 == 0;
}

// Variance of cross_difference under a common rate estimated by the pooled one.
double pooled_variance(const TwoByTwo& table) {
  const double total = table.n_1 + table.n_0;
  const double responders = table.responders_1 + table.responders_0;
  return static_cast<double>(table.n_1) * table.n_0 * (responders * (total - responders)) / total;
}

}  // namespace

ZScore pooled_z(const TwoByTwo& table) {
  if (has_empty_arm(table)) return {};
  return {cross_difference(table), pooled_variance(table), true};
}

ZScore yates_z(const TwoByTwo& table) {
  if (has_empty_arm(table)) return {};
  const double difference = cross_difference(table);
  const double corrected = std::max(0.0, std::abs(difference) - 0.5 * (table.n_1 + table.n_0));
  return {std::copysign(corrected, difference), pooled_variance(table), true};
}

ZScore unpooled_z(const TwoByTwo& table, double margin) {
  if (has_empty_arm(table)) return {};
  const double n_1 = table.n_1, n_0 = table.n_0;
  const double variance_1 = table.responders_1 * (n_1 - table.responders_1) / (n_1 * n_1 * n_1);
  const double variance_0 = table.responders_0 * (n_0 - table.responders_0) / (n_0 * n_0 * n_0);
  return {cross_difference(table) / (n_1 * n_0) + margin, variance_1 + variance_0, true};
}

ZScore farrington_manning_z(const TwoByTwo& table, double margin) {
  if (margin == 0.0) return pooled_z(table);
  if (has_empty_arm(table)) return {};
  const double n_1 = table.n_1, n_0 = table.n_0;
  const Rates rates = restricted_by_difference(table, -margin);
  const double variance =
      rates.rate_1 * (1.0 - rates.rate_1) / n_1 + rates.rate_0 * (1.0 - rates.rate_0) / n_0;
  return {cross_difference(table) / (n_1 * n_0) + margin, variance, true};
}

ZScore cmh_z(std::span<const TwoByTwo> strata) {
  ZScore sum;
  for (const auto& table : strata) {
    if (has_empty_arm(table)) continue;
    const double total = table.n_1 + table.n_0;
    sum.defined = true;
    sum.numerator += cross_difference(table) / total;
    sum.variance += pooled_variance(table) / (total * (total - 1.0));
  }
  return sum;
}

bool is_exact(Method method) {
  switch (method) {
    case Method::fisher:
    case Method::fisher_midp:
    case Method::boschloo:
    case Method::z_pooled_exact:
      return true;
    case Method::chi_square:
    case Method::chi_square_yates:
    case Method::z_pooled:
    case Method::z_unpooled:
    case Method::cmh:
    case Method::farrington_manning:
    case Method::commensurate:
      return false;
  }
  return false;
}

TwoByTwo oriented(const TwoByTwo& table, Direction direction) {
  return direction == Direction::higher_is_better ? table : complemented(table);
}

ZScore z_score(const TestSpec& spec, std::span<const TwoByTwo> strata) {
  if (spec.method == Method::cmh) {
    ZScore z = cmh_z(strata);
    if (spec.direction == Direction::lower_is_better) z.numerator = -z.numerator;
    return z;
  }
  const TwoByTwo table = oriented(collapsed(strata), spec.direction);
  switch (spec.method) {
    case Method::chi_square_yates:
      return yates_z(table);
    case Method::z_unpooled:
      return unpooled_z(table, spec.margin);
    case Method::farrington_manning:
      return farrington_manning_z(table, spec.margin);
    default:
      return pooled_z(table);
  }
}

}  // namespace trialwright::analysis
