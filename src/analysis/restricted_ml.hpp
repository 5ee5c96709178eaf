// Maximum likelihood rates of a two-by-two table under a fixed difference, ratio or odds ratio.
#pragma once

#include "analysis/two_by_two.hpp"

namespace trialwright::analysis {

struct Rates {
  double rate_1 = 0.0;
  double rate_0 = 0.0;
};

// The rates that maximise the likelihood under rate_1 - rate_0 = difference, |difference| < 1: the root
// of Farrington & Manning's (1990) cubic by Newton steps inside a bracket, to a few units of the last
// place. Both arms have patients. Only + - * /, so the same bits on every instruction set.
Rates restricted_by_difference(const TwoByTwo& table, double difference);

// The same for observed rates in arms of given sizes, which need not be counts.
Rates restricted_by_difference(const Rates& observed, double n_1, double n_0, double difference);

// Under rate_1 = ratio * rate_0, ratio > 0 and finite (Miettinen & Nurminen 1985, a quadratic).
Rates restricted_by_ratio(const TwoByTwo& table, double ratio);

// Under odds_1 = ratio * odds_0, ratio > 0 and finite (Miettinen & Nurminen 1985, a quadratic).
Rates restricted_by_odds_ratio(const TwoByTwo& table, double ratio);

}  // namespace trialwright::analysis
