// What can be chosen by name for a two-arm binary analysis: tests, sides, effect measures, intervals.
#pragma once

#include <span>

#include "base/named_table.hpp"

namespace trialwright::analysis {

enum class Method {
  chi_square,
  chi_square_yates,
  z_pooled,
  z_unpooled,
  fisher,
  fisher_midp,
  boschloo,
  z_pooled_exact,
  cmh,
  farrington_manning,
  commensurate,
};

enum class Sides { one = 1, two = 2 };

// Which response rate is the better one.
enum class Direction { higher_is_better, lower_is_better };

// Treatment against control: p1 - p0, p1 / p0, [p1 / (1 - p1)] / [p0 / (1 - p0)]; of times to an event
// the ratio of hazards (which no analysis of rates may choose).
enum class EffectMeasure { risk_difference, risk_ratio, odds_ratio, hazard_ratio };

enum class IntervalMethod { wald, newcombe, miettinen_nurminen };

std::span<const base::Named<Method>> method_table();
std::span<const base::Named<EffectMeasure>> effect_measure_table();
std::span<const base::Named<IntervalMethod>> interval_method_table();

}  // namespace trialwright::analysis
