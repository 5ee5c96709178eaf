// Estimates of the treatment effect on a binary endpoint, with intervals: closed forms and score
// intervals.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "analysis/choices.hpp"
#include "analysis/two_by_two.hpp"

namespace trialwright::analysis {

// `value` is on the measure's own scale; `standard_error` is that of the risk difference (unpooled), or
// of the log of a ratio. `defined` is false where the value is not a finite number, or the interval
// does not exist; then no number of it may be used. A bound of a score interval may be at the edge of
// the measure's range (0, +infinity for ratios, -1 and 1 for the difference) with `defined` true.
struct Estimate {
  double value = 0.0;
  double standard_error = 0.0;
  double lower = 0.0;
  double upper = 0.0;
  bool defined = false;
};

// What is wrong with asking for this interval ("problem (why)"), or nothing. Newcombe's interval is for
// the risk difference of one table; Miettinen-Nurminen's for every measure of one table and, over
// strata, for the risk difference; Wald's for all.
enum class Stratification { none, strata };
std::optional<std::string> check(EffectMeasure measure, IntervalMethod interval,
                                 Stratification stratification);

// The combination must have passed check(); more than one stratum with both arms filled counts as
// stratified.
//
// One table:
//   risk difference  Wald; Newcombe (1998, method 10: hybrid of Wilson intervals); Miettinen & Nurminen
//                    (1985): score with the restricted ML variance times N / (N - 1).
//   risk ratio       Wald on the log scale (Katz 1978); Miettinen-Nurminen.
//   odds ratio       Wald on the log scale (Woolf 1955); Miettinen-Nurminen.
// Zero cells: nothing is added to any cell. A log Wald interval needs each count that its standard
// error divides by (responders of both arms; for the odds ratio non-responders too), else `defined` is
// false. Score intervals of ratios are defined with no treatment responders (value and lower bound 0);
// where the value itself would be 0/0 or infinite they are not.
//
// Several strata (Mantel-Haenszel weights; strata with an empty arm are left out):
//   risk difference  Greenland & Robins (1985) estimate, Wald with the variance of Sato (1989); or the
//   score
//                    interval of Miettinen & Nurminen (1985) with these weights.
//   risk ratio       Greenland & Robins (1985) variance on the log scale.
//   odds ratio       Robins, Breslow & Greenland (1986) variance on the log scale.
Estimate estimate(EffectMeasure measure, IntervalMethod interval, double confidence_level,
                  std::span<const TwoByTwo> strata);

// The same for many calls at one confidence level: the normal quantile is worked out once.
class Estimator {
 public:
  Estimator(EffectMeasure measure, IntervalMethod interval, double confidence_level);
  Estimate operator()(std::span<const TwoByTwo> strata) const;
  Estimate operator()(const TwoByTwo& table) const { return (*this)({&table, 1}); }

 private:
  EffectMeasure measure_;
  IntervalMethod interval_;
  double z_;
};

}  // namespace trialwright::analysis
