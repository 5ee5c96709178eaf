// Estimates of the treatment effect on a binary endpoint, with intervals:
// closed forms and score intervals.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "analysis/choices.hpp"
#include "analysis/two_by_two.hpp"

namespace trialwright::analysis {

// `value` is on the measure's own scale; `standard_error` is that of the risk difference (unpooled), or
// of the log of a ratio (infinite where a count it divides by is zero). `defined` is false where the
// value is not a finite number or the interval does not exist; then no number of it may be used. A
// bound of a score interval may lie on the edge of the measure's range (0, +infinity, for the
// difference -1, 1) with `defined` true.
struct Estimate {
  double value = 0.0;
  double standard_error = 0.0;
  double lower = 0.0;
  double upper = 0.0;
  bool defined = false;
};

// Whether the strata are summed into one table or kept and combined.
enum class Stratification { none, strata };

// cmh keeps the strata, all other tests sum them.
Stratification stratification_of(Method method);

// What is wrong with asking for this interval ("problem (why)"), or nothing. Newcombe's interval is for
// the risk difference of one table; Miettinen-Nurminen's for every measure of one table and, over
// strata, for the risk difference; Wald's for all.
std::optional<std::string> check(EffectMeasure measure, IntervalMethod interval,
                                 Stratification stratification);

// One planned estimate: made once a plan, const, shared by threads;
// the same bits on every instruction set.
//
// One table (no stratification):
//   risk difference  Wald (of no width where both rates are 0 or 1); Newcombe (1998, method 10: hybrid
//                    of Wilson intervals); Miettinen & Nurminen (1985): score with the restricted
//                    maximum likelihood variance times N / (N - 1).
//   risk ratio       Wald on the log scale (Katz 1978); Miettinen-Nurminen.
//   odds ratio       Wald on the log scale (Woolf 1955); Miettinen-Nurminen.
// Zero cells: nothing is added to any cell. A log Wald interval needs each count that its standard
// error divides by (responders of both arms; for the odds ratio non-responders too), else `defined` is
// false. Score intervals of ratios are defined where the value is 0 (their lower bound is 0 then);
// where it is 0/0 or infinite they are not. An empty arm leaves everything undefined.
//
// Strata (Mantel-Haenszel weights; strata with an empty arm are left out):
//   risk difference  Mantel-Haenszel, Wald with the variance of Sato (1989); or the score interval of
//                    Miettinen & Nurminen (1985) with these weights.
//   risk ratio       Mantel-Haenszel, Wald on the log scale, variance of Greenland & Robins (1985,
//                    eq. 13).
//   odds ratio       Mantel-Haenszel, Wald on the log scale, variance of Robins, Breslow & Greenland
//                    (1986).
class Estimator {
 public:
  // The combination must have passed check(); 0 < confidence_level < 1.
  Estimator(EffectMeasure measure, IntervalMethod interval, double confidence_level,
            Stratification stratification);

  Estimate operator()(std::span<const TwoByTwo> strata) const;
  Estimate operator()(const TwoByTwo& table) const { return (*this)({&table, 1}); }

 private:
  Estimate of_table(const TwoByTwo& table) const;
  Estimate of_strata(std::span<const TwoByTwo> strata) const;

  EffectMeasure measure_;
  IntervalMethod interval_;
  Stratification stratification_;
  double z_;
};

// One estimate; more than one table is stratified.
Estimate estimate(EffectMeasure measure, IntervalMethod interval, double confidence_level,
                  std::span<const TwoByTwo> strata);

}  // namespace trialwright::analysis
