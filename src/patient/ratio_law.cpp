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

// ln(1 - e^v), v < 0.
double log_complement(double v) {
  return v > -0.6931471805599453 ? math::log(-math::expm1(v)) : math::log1p(-math::exp(v));
}

// Each law is solved in a coordinate t that leaves both its tails their full relative accuracy:
// Kumaraswamy r = maximum / (1 + e^-t); mixture r = t below 1 and e^(t - 1) above.
double ratio_at(const Kumaraswamy& law, double t) {
  return law.maximum * math::logistic(t);
}
double ratio_at(const ResponderMixture&, double t) {
  return t < 1 ? t : math::exp(t - 1);
}

double log_odds_at(const Kumaraswamy& law, double t) {
  const double log_share = t > 0 ? -math::log1p(math::exp(-t)) : t - math::log1p(math::exp(t));
  const double v = law.a * log_share;
  if (v < -40) return math::log(law.b) + v;
  const double log_survival = law.b * log_complement(v);
  return log_complement(log_survival) - log_survival;
}

// Below 0 the normal part goes on, so that what a table interpolates has no kink at the atom.
double log_odds_at(const ResponderMixture& law, double t) {
  const double r = ratio_at(law, t);
  const double p = law.responder_fraction, w = (r - law.mean) / law.sd;
  double below = (1 - p) * math::normal_cdf(w), above = (1 - p) * math::normal_survival(w);
  if (r > 0) {
    const double v = (math::log(r) - law.log_mean) / law.log_sd;
    below += p * math::normal_cdf(v);
    above += p * math::normal_survival(v);
  } else {
    above += p;
  }
  return math::log(below) - math::log(above);
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

  double operator()(double t) const {
    if (multiplier == 0) return log_odds_at(control, t);
    if (multiplier == 1) return log_odds_at(active, t);
    const double at_control = log_odds_at(control, t), at_active = log_odds_at(active, t);
    return at_control + multiplier * (at_active - at_control);
  }
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

// The coordinate of Q at rising log odds, each found from where the last one was.
template <class Law>
class Solver {
 public:
  explicit Solver(const Curve<Law>& curve) : curve_(curve), at_(start_of(curve.control)) {
    while (at_ > -k_furthest && curve_(at_) > -k_reach) at_ -= 1;
  }
  double operator()(double x) {
    const auto miss = [&](double t) { return curve_(t) - x; };
    double step = 1.0 / 64;
    double hi = at_;
    while (miss(hi) < 0 && hi < k_furthest) {
      at_ = hi;
      hi += step;
      step *= 2;
    }
    if (const auto root = math::brent_root(miss, at_, hi, 1e-14)) at_ = *root;
    return at_;
  }

 private:
  Curve<Law> curve_;
  double at_;
};

// The law at the table's knots.
template <class Law>
std::vector<double> coordinates(const Curve<Law>& curve) {
  Solver<Law> solver(curve);
  std::vector<double> result;
  for (std::size_t i = 0; i < k_knots; ++i)
    result.push_back(solver(-k_reach + 2 * k_reach * static_cast<double>(i) / (k_knots - 1)));
  return result;
}

math::CubicTable tabulate(const std::vector<double>& values) {
  std::size_t i = 0;  // knots are asked for in their order
  return {[&](double) { return values[i++]; }, -k_reach, k_reach, values.size()};
}

double log_ratio_at(const Kumaraswamy& law, double t) {
  return math::log(law.maximum) + (t > 0 ? -math::log1p(math::exp(-t)) : t - math::log1p(math::exp(t)));
}

}  // namespace

double log_odds(const RatioLaw& law, double ratio) {
  if (const auto* kumaraswamy = std::get_if<Kumaraswamy>(&law)) {
    if (ratio <= 0) return -k_infinity;
    const double share = ratio / kumaraswamy->maximum;
    return share >= 1 ? k_infinity : log_odds_at(*kumaraswamy, math::logit(share));
  }
  if (ratio < 0) return -k_infinity;
  return log_odds_at(std::get<ResponderMixture>(law), ratio < 1 ? ratio : 1 + math::log(ratio));
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
  const double log_survival = x < 0 ? -math::log1p(math::exp(x)) : -x - math::log1p(math::exp(-x));
  return law.maximum * math::pow(-math::expm1(log_survival / law.b), 1 / law.a);
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

RatioTable::RatioTable(const TemperedLaw& law)
    : RatioTable(with_curve(law, [](const auto& curve) {
        RatioTable::Knots knots;
        for (const double t : coordinates(curve)) {
          knots.ratios.push_back(curve.ratio(t));
          if constexpr (std::is_same_v<std::decay_t<decltype(curve)>, Curve<Kumaraswamy>>)
            knots.log_ratios.push_back(log_ratio_at(curve.control, t));
        }
        return knots;
      })) {}

Moments moments(const RatioTable& law) {
  static const math::GaussLegendre k_rule(16);
  const auto power_mean = [&](int power) {
    return k_rule.integrate(
        [&](double x) {
          const double density = math::logistic(x) * math::logistic(-x);
          const double ratio = law(x);
          return density * (power == 1 ? ratio : ratio * ratio);
        },
        -k_reach, k_reach, 256);
  };
  const double mean = power_mean(1);
  return {mean, std::sqrt(power_mean(2) - mean * mean)};
}

double partial_quantile(const Kumaraswamy& control, const Kumaraswamy& active, double fraction,
                        double x) {
  const Curve<Kumaraswamy> curve{control, active, fraction};
  const auto coordinate = [&](const Kumaraswamy& law) {
    const double share = quantile(law, x) / law.maximum;
    return std::min(std::max(math::logit(share), -k_furthest), k_furthest);
  };
  const double at_control = coordinate(control), at_active = coordinate(active);
  const double lo = std::min(at_control, at_active), hi = std::max(at_control, at_active);
  const auto root = math::brent_root([&](double t) { return curve(t) - x; }, lo, hi, 1e-12);
  return curve.ratio(root.value_or(fraction < 0.5 ? at_control : at_active));
}

}  // namespace trialwright::patient
