#include "patient/ratio_law.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "math/quadrature.hpp"
#include "math/root.hpp"

namespace trialwright::patient {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
constexpr double k_reach = 24;      // log odds
constexpr double k_furthest = 740;  // e^-740 is still a number
constexpr std::size_t k_knots = 4097;

// Of e^v, v < 0, without cancellation.
struct Complement {
  double power;   // e^v
  double value;   // 1 - e^v
  double logged;  // its logarithm
};
Complement complement(double v) {
  if (v > -0.6931471805599453) {
    const double value = -math::expm1(v);
    return {1 - value, value, math::log(value)};
  }
  const double power = math::exp(v);
  return {power, 1 - power, math::log1p(-power)};
}

double log_complement(double v) {
  return complement(v).logged;
}

// Each law is solved in a coordinate t that leaves both its tails their full relative accuracy:
// Kumaraswamy r = maximum / (1 + e^-t); mixture r = t below 1 and e^(t - 1) above. A place is what laws
// of one kind share at t; slopes are in t.
template <class Law>
struct Place;

template <>
struct Place<Kumaraswamy> {
  double log_share = 0;  // ln(r / maximum)
  double slope = 0;
};

template <>
struct Place<ResponderMixture> {
  double ratio = 0;
  double log_ratio = 0;  // where the ratio is positive
  double slope = 1;      // of the ratio
};

Place<Kumaraswamy> place_at(const Kumaraswamy&, double t) {
  const double e = math::exp(t > 0 ? -t : t);
  const double log_1_e = math::log1p(e);
  return {t > 0 ? -log_1_e : t - log_1_e, (t > 0 ? e : 1) / (1 + e)};
}

Place<ResponderMixture> place_at(const ResponderMixture&, double t) {
  if (t >= 1) {
    const double ratio = math::exp(t - 1);
    return {ratio, t - 1, ratio};
  }
  return {t, t > 0 ? math::log(t) : 0, 1};
}

double ratio_at(const Kumaraswamy& law, double t) {
  return law.maximum * math::logistic(t);
}
double ratio_at(const ResponderMixture&, double t) {
  return t < 1 ? t : math::exp(t - 1);
}

math::ValueAndSlope log_odds_at(const Kumaraswamy& law, const Place<Kumaraswamy>& place) {
  const double v = law.a * place.log_share, slope = law.a * place.slope;
  if (v < -40) return {math::log(law.b) + v, slope};
  const Complement above = complement(v);
  const double log_survival = law.b * above.logged;
  const Complement below = complement(log_survival);
  return {below.logged - log_survival, law.b * (above.power / above.value) * slope / below.value};
}

// Phi(w) and 1 - Phi(w), the smaller one to its own relative accuracy.
struct Tails {
  double below = 0;
  double above = 1;
};
Tails tails_of_normal(double w) {
  const double smaller = w < 0 ? math::normal_cdf(w) : math::normal_survival(w);
  return w < 0 ? Tails{smaller, 1 - smaller} : Tails{1 - smaller, smaller};
}

// Below 0 the normal part goes on, so that what a table interpolates has no kink at the atom.
math::ValueAndSlope log_odds_at(const ResponderMixture& law, const Place<ResponderMixture>& place) {
  const double p = law.responder_fraction, w = (place.ratio - law.mean) / law.sd;
  const Tails normal = tails_of_normal(w);
  double below = (1 - p) * normal.below, above = (1 - p) * normal.above;
  double density = (1 - p) / law.sd * math::normal_pdf(w);
  if (place.ratio > 0) {
    const double v = (place.log_ratio - law.log_mean) / law.log_sd;
    const Tails lognormal = tails_of_normal(v);
    below += p * lognormal.below;
    above += p * lognormal.above;
    density += p / (law.log_sd * place.ratio) * math::normal_pdf(v);
  } else {
    above += p;
  }
  return {math::log(below) - math::log(above), density * place.slope * (1 / below + 1 / above)};
}

double start_of(const Kumaraswamy&) {
  return 0;
}
double start_of(const ResponderMixture& law) {
  return law.mean;
}

// The tempered law in the coordinate of its kind.
template <class Law>
struct Curve {
  Law control;
  Law active;
  double multiplier;

  math::ValueAndSlope at(double t) const {
    const Place<Law> place = place_at(control, t);
    if (multiplier == 0) return log_odds_at(control, place);
    if (multiplier == 1) return log_odds_at(active, place);
    const auto at_control = log_odds_at(control, place), at_active = log_odds_at(active, place);
    return {at_control.value + multiplier * (at_active.value - at_control.value),
            at_control.slope + multiplier * (at_active.slope - at_control.slope)};
  }
  double operator()(double t) const { return at(t).value; }
  double ratio(double t) const { return ratio_at(control, t); }
};

template <class Visitor>
auto with_curve(const TemperedLaw& law, Visitor&& visit) {
  return std::visit(
      [&](const auto& control) {
        using Law = std::decay_t<decltype(control)>;
        return visit(Curve<Law>{control, std::get<Law>(law.active), law.multiplier});
      },
      law.control);
}

double step_of(const Curve<Kumaraswamy>&) {
  return 0.02;
}
double step_of(const Curve<ResponderMixture>&) {
  return 0.002;
}
double lowest_of(const Curve<Kumaraswamy>&) {
  return -k_furthest;
}
// Below the atom only the continuation follows, which no patient sees.
double lowest_of(const Curve<ResponderMixture>&) {
  return 0;
}

// The place nearest to the law's middle from which the curve does not rise.
template <class Law>
std::optional<double> first_fall(const Curve<Law>& curve) {
  const double step = step_of(curve), lowest = lowest_of(curve);
  const double start = std::max(start_of(curve.control), lowest);
  double previous = curve(start);
  for (double t = start + step; t < k_furthest && previous < k_reach; t += step) {
    const double next = curve(t);
    if (!(next > previous)) return curve.ratio(t);
    previous = next;
  }
  previous = curve(start);
  for (double t = start - step; t >= lowest && previous > -k_reach; t -= step) {
    const double next = curve(t);
    if (!(next < previous)) return curve.ratio(t);
    previous = next;
  }
  return std::nullopt;
}

double knot(std::size_t i) {
  return -k_reach + 2 * k_reach * static_cast<double>(i) / (k_knots - 1);
}

// Q's coordinate at every knot, each found from those before it: five of them on a line of even steps
// foretell the next so well that one Newton step from there is enough.
template <class Law>
std::vector<double> coordinates(const Curve<Law>& curve) {
  // A Newton step of this length leaves an error of its square times the curvature of L, at most some
  // hundreds: nothing to the 40 bits that are kept.
  constexpr double k_step = 1e-8;
  double lowest = start_of(curve.control);
  while (lowest > -k_furthest && curve(lowest) > -k_reach) lowest -= 1;
  std::vector<double> result;
  result.reserve(k_knots);
  for (std::size_t i = 0; i < k_knots; ++i) {
    const auto back = [&](std::size_t k) { return result[i - k]; };
    double guess = i == 0 ? lowest : back(1);
    if (i >= 5) guess = 5 * (back(1) - back(4)) - 10 * (back(2) - back(3)) + back(5);
    const auto miss = [&](double t) {
      const auto at = curve.at(t);
      return math::ValueAndSlope{at.value - knot(i), at.slope};
    };
    result.push_back(math::newton_root(miss, i == 0 ? lowest : back(1), k_furthest, guess, k_step));
  }
  return result;
}

// ln(Q(x) / maximum).
double log_quantile_share(const Kumaraswamy& law, double x) {
  const double log_survival = x < 0 ? -math::log1p(math::exp(x)) : -x - math::log1p(math::exp(-x));
  return log_complement(log_survival / law.b) / law.a;
}

math::CubicTable tabulate(const std::vector<double>& values) {
  std::size_t i = 0;  // knots are asked for in their order
  return {[&](double) { return values[i++]; }, -k_reach, k_reach, values.size()};
}

}  // namespace

double log_odds(const RatioLaw& law, double ratio) {
  if (const auto* kumaraswamy = std::get_if<Kumaraswamy>(&law)) {
    if (ratio <= 0) return -k_infinity;
    const double share = ratio / kumaraswamy->maximum;
    return share >= 1 ? k_infinity : log_odds_at(*kumaraswamy, {math::log(share), 0}).value;
  }
  if (ratio < 0) return -k_infinity;
  const double log_ratio = ratio > 0 ? math::log(ratio) : 0;
  return log_odds_at(std::get<ResponderMixture>(law), {ratio, log_ratio, 1}).value;
}

double probability(const RatioLaw& law, double ratio) {
  return math::logistic(log_odds(law, ratio));
}

double log_odds(const TemperedLaw& law, double ratio) {
  const double at_control = log_odds(law.control, ratio);
  if (law.multiplier == 0 || std::isinf(at_control)) return at_control;
  const double at_active = log_odds(law.active, ratio);
  if (law.multiplier == 1) return at_active;
  return at_control + law.multiplier * (at_active - at_control);
}

double quantile(const Kumaraswamy& law, double x) {
  return law.maximum * math::exp(log_quantile_share(law, x));
}

Kumaraswamy kumaraswamy_through(double ratio_1, double rate_1, double ratio_2, double rate_2,
                                double maximum) {
  const double log_1 = math::log(ratio_1 / maximum), log_2 = math::log(ratio_2 / maximum);
  const double survival_1 = math::log1p(-rate_1), survival_2 = math::log1p(-rate_2);
  // ln(1 - q1^a) / ln(1 - q2^a) rises from 1 to infinity in a.
  const auto miss = [&](double log_a) {
    const double a = math::exp(log_a);
    return log_complement(a * log_1) * survival_2 - survival_1 * log_complement(a * log_2);
  };
  const double a = math::exp(math::brent_root(miss, -12, 5, 1e-13).value_or(0));
  return {a, survival_1 / log_complement(a * log_1), maximum};
}

std::optional<NotMonotone> check_monotone(const TemperedLaw& law) {
  if (law.multiplier >= 0 && law.multiplier <= 1) return std::nullopt;
  const auto fall = [&](double multiplier) {
    return with_curve({law.control, law.active, multiplier},
                      [](const auto& curve) { return first_fall(curve); });
  };
  const auto ratio = fall(law.multiplier);
  if (!ratio) return std::nullopt;
  double good = law.multiplier > 1 ? 1 : 0, bad = law.multiplier;
  while (std::abs(bad - good) > 1e-3) {
    const double middle = 0.5 * (good + bad);
    (fall(middle) ? bad : good) = middle;
  }
  return NotMonotone{*ratio, good};
}

RatioTable::RatioTable(const Knots& knots) : ratio_(tabulate(knots.ratios)) {
  if (!knots.log_ratios.empty()) log_ratio_ = tabulate(knots.log_ratios);
}

RatioTable::Knots RatioTable::knots_of(const TemperedLaw& law) {
  Knots knots;
  const auto add_share = [&](double maximum, double log_share) {
    const double share = std::max(log_share, -k_furthest);
    knots.ratios.push_back(maximum * math::exp(share));
    knots.log_ratios.push_back(math::log(maximum) + share);
  };
  with_curve(law, [&]<class Law>(const Curve<Law>& curve) {
    const bool is_tempered = law.multiplier != 0 && law.multiplier != 1;
    if constexpr (std::is_same_v<Law, Kumaraswamy>) {
      const Kumaraswamy& itself = law.multiplier == 1 ? curve.active : curve.control;
      if (is_tempered)
        for (const double t : coordinates(curve))
          add_share(curve.control.maximum, place_at(curve.control, t).log_share);
      else
        for (std::size_t i = 0; i < k_knots; ++i)
          add_share(itself.maximum, log_quantile_share(itself, knot(i)));
    } else {
      for (const double t : coordinates(curve)) knots.ratios.push_back(curve.ratio(t));
    }
  });
  return knots;
}

RatioTable::RatioTable(const TemperedLaw& law) : RatioTable(knots_of(law)) {}

Moments moments(const RatioTable& law) {
  static const math::GaussLegendre k_rule(16);
  constexpr std::size_t k_panels = 256;
  const double width = 2 * k_reach / k_panels;
  double mean = 0, square = 0;
  for (std::size_t panel = 0; panel < k_panels; ++panel) {
    const double centre = -k_reach + width * (static_cast<double>(panel) + 0.5);
    for (std::size_t i = 0; i < k_rule.order(); ++i) {
      const double x = centre + 0.5 * width * k_rule.nodes()[i];
      const double e = math::exp(-std::abs(x)), ratio = law(x);
      const double weight = 0.5 * width * k_rule.weights()[i] * (e / ((1 + e) * (1 + e)));
      mean += weight * ratio;
      square += weight * (ratio * ratio);
    }
  }
  return {mean, std::sqrt(square - mean * mean)};
}

double partial_quantile(const Kumaraswamy& control, const Kumaraswamy& active, double fraction,
                        double x) {
  const Curve<Kumaraswamy> curve{control, active, fraction};
  // From ln(share) back to the coordinate.
  const auto coordinate = [&](const Kumaraswamy& law) {
    const double log_share = log_quantile_share(law, x);
    return std::min(std::max(log_share - log_complement(log_share), -k_furthest), k_furthest);
  };
  const double at_control = coordinate(control), at_active = coordinate(active);
  const auto miss = [&](double t) {
    const auto at = curve.at(t);
    return math::ValueAndSlope{at.value - x, at.slope};
  };
  return curve.ratio(math::newton_root(miss, std::min(at_control, at_active),
                                       std::max(at_control, at_active),
                                       at_control + fraction * (at_active - at_control), 1e-8));
}

}  // namespace trialwright::patient
