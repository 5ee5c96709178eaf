#include "analysis/choices.hpp"

#include <array>

namespace trialwright::analysis {

std::span<const base::Named<Method>> method_table() {
  static constexpr std::array<base::Named<Method>, 11> k_table{{
      {"chi_square", "Pearson's chi-square without continuity correction (one-sided: its signed root)",
       "Pearson 1900", Method::chi_square},
      {"chi_square_yates", "chi-square with Yates' continuity correction", "Yates 1934",
       Method::chi_square_yates},
      {"z_pooled", "difference of rates over its pooled standard error; the same test as chi_square",
       "Fleiss 1981", Method::z_pooled},
      {"z_unpooled", "difference of rates over its unpooled (Wald) standard error; takes a margin",
       "Fleiss 1981", Method::z_unpooled},
      {"fisher", "Fisher's exact test, conditional on the total number of responders", "Fisher 1935",
       Method::fisher},
      {"fisher_midp", "Fisher's test with the mid-p-value (not exact: may exceed alpha)",
       "Lancaster 1961", Method::fisher_midp},
      {"boschloo", "exact unconditional test ordered by Fisher's p-value", "Boschloo 1970",
       Method::boschloo},
      {"z_pooled_exact", "exact unconditional test ordered by the pooled z", "Suissa & Shuster 1985",
       Method::z_pooled_exact},
      {"cmh", "Cochran-Mantel-Haenszel over the strata, without correction", "Mantel & Haenszel 1959",
       Method::cmh},
      {"farrington_manning", "score z with restricted maximum likelihood variance; takes a margin",
       "Farrington & Manning 1990", Method::farrington_manning},
      {"commensurate",
       "posterior probability of a subgroup's effect that borrows from the other patients (borrow:)",
       "Hobbs, Carlin, Mandrekar & Sargent 2011; Hobbs, Sargent & Carlin 2012", Method::commensurate},
  }};
  return k_table;
}

std::span<const base::Named<EffectMeasure>> effect_measure_table() {
  static constexpr std::array<base::Named<EffectMeasure>, 3> k_table{{
      {"risk_difference", "treatment rate minus control rate (strata: Mantel-Haenszel)",
       "Greenland & Robins 1985", EffectMeasure::risk_difference},
      {"risk_ratio", "treatment rate over control rate (strata: Mantel-Haenszel)",
       "Greenland & Robins 1985", EffectMeasure::risk_ratio},
      {"odds_ratio", "treatment odds over control odds (strata: Mantel-Haenszel)",
       "Mantel & Haenszel 1959", EffectMeasure::odds_ratio},
  }};
  return k_table;
}

std::span<const base::Named<IntervalMethod>> interval_method_table() {
  static constexpr std::array<base::Named<IntervalMethod>, 3> k_table{{
      {"wald", "normal interval, on the log scale for ratios; any measure, with or without strata",
       "Katz 1978; Woolf 1955; Sato 1989; Robins, Breslow & Greenland 1986", IntervalMethod::wald},
      {"newcombe", "hybrid of two Wilson intervals; risk difference of one table",
       "Newcombe 1998, method 10", IntervalMethod::newcombe},
      {"miettinen_nurminen", "score interval; any measure of one table, risk difference over strata",
       "Miettinen & Nurminen 1985", IntervalMethod::miettinen_nurminen},
  }};
  return k_table;
}

}  // namespace trialwright::analysis
