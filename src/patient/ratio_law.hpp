// Laws of the ratio R = score / baseline at the week when the response is reached, and how a truth
// moves them on the log-odds scale.
//
// A law is known by L(r) = ln(F(r) / (1 - F(r))), F(r) = P(R <= r); its quantile function is used on
// the same scale: R = Q(x), L(Q(x)) = x, with x = ln(u / (1 - u)) of a uniform u. A shift of s log odds
// (positive: more response) is Q(x - s). See DOMAIN section 3.
#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "math/cubic_table.hpp"
#include "math/elementary.hpp"

namespace trialwright::patient {

// F(r) = 1 - (1 - (r / maximum)^a)^b on [0, maximum]; R = maximum (1 - (1 - u)^(1/b))^(1/a).
// Kumaraswamy 1980, J Hydrol 46:79-88.
struct Kumaraswamy {
  double a = 1;
  double b = 1;
  double maximum = 1.5;
  friend bool operator==(const Kumaraswamy&, const Kumaraswamy&) = default;
};

// (1 - p) max(0, Normal(mean, sd)) + p Lognormal(log_mean, log_sd): an atom at 0, no upper bound.
struct ResponderMixture {
  double responder_fraction = 0;
  double mean = 0;
  double sd = 1;
  double log_mean = 0;
  double log_sd = 1;
  friend bool operator==(const ResponderMixture&, const ResponderMixture&) = default;
};

using RatioLaw = std::variant<Kumaraswamy, ResponderMixture>;

// L(r) for r >= 0; -infinity and +infinity outside the support (and at an atom's left).
double log_odds(const RatioLaw& law, double ratio);
// P(R <= ratio).
double probability(const RatioLaw& law, double ratio);
// Q(x) of the Kumaraswamy law in closed form, in operations that have the same bits everywhere.
double quantile(const Kumaraswamy& law, double x);
// The Kumaraswamy law with P(R <= ratio_1) = rate_1 and P(R <= ratio_2) = rate_2 (DOMAIN section 3: the
// two published rates give both parameters); 0 < ratio_2 < ratio_1 < maximum, 0 < rate_2 < rate_1 < 1.
Kumaraswamy kumaraswamy_through(double ratio_1, double rate_1, double ratio_2, double rate_2,
                                double maximum);

// A law tempered between two of the same kind: L = (1 - m) L_control + m L_active. m = 0 and m = 1 give
// the two laws themselves; between them L is always increasing, beyond it may not be.
struct TemperedLaw {
  RatioLaw control;
  RatioLaw active;
  double multiplier = 0;
  friend bool operator==(const TemperedLaw&, const TemperedLaw&) = default;
};

double log_odds(const TemperedLaw& law, double ratio);

// Why a multiplier is refused: near `ratio` the tempered distribution function does not increase;
// `admissible` is the good multiplier nearest to the one asked for, to 1e-3.
struct NotMonotone {
  double ratio = 0;
  double admissible = 0;
};

// Checks L on a fine grid over all ratios that the law takes between log odds -24 and 24.
std::optional<NotMonotone> check_monotone(const TemperedLaw& law);

// Q(x) as a cubic table over log odds in [-24, 24] (probabilities 4e-11 to 1 - 4e-11; constant
// outside). The probability of R <= r by the table is that of the law to 1e-9 for r >= 0.01 and to 1e-7
// everywhere. The law must have passed check_monotone.
class RatioTable {
 public:
  explicit RatioTable(const TemperedLaw& law);

  double operator()(double x) const {
    const double ratio = ratio_(x);
    return ratio > 0 ? ratio : 0;
  }
  // Q(x), and below an atom at 0 how it would go on (negative), without a kink.
  double continued(double x) const { return ratio_(x); }
  // Q(x)^exponent, exponent > 0.
  double power(double x, double exponent) const {
    return log_ratio_ ? math::exp(exponent * (*log_ratio_)(x)) : math::pow((*this)(x), exponent);
  }

 private:
  struct Knots {
    std::vector<double> ratios;
    std::vector<double> log_ratios;
  };
  explicit RatioTable(const Knots& knots);
  static Knots knots_of(const TemperedLaw& law);

  math::CubicTable ratio_;
  std::optional<math::CubicTable> log_ratio_;  // where there is no atom at 0
};

// Mean and standard deviation of R.
struct Moments {
  double mean = 0;
  double sd = 0;
};
Moments moments(const RatioTable& law);

// Q(x) of the law tempered by 0 <= fraction <= 1 between two Kumaraswamy laws of the same maximum,
// solved without a table, for laws that are drawn trial by trial.
double partial_quantile(const Kumaraswamy& control, const Kumaraswamy& active, double fraction,
                        double x);

}  // namespace trialwright::patient
