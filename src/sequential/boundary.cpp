#include "sequential/boundary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/contract.hpp"
#include "math/normal.hpp"
#include "sequential/efficacy_rule.hpp"

namespace trialwright::sequential {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
constexpr double k_root_tolerance = 1e-14;
constexpr double k_last_step = 1e-9;
constexpr int k_most_steps = 200;

// The root of a smooth falling function, by secants kept within a bracket that is first sought outwards
// from [lo, hi]; infinite where none is found within 1000.
template <class F>
double falling_root(F&& f, double lo, double hi) {
  double at_lo = f(lo), at_hi = f(hi);
  for (double width = hi - lo; at_lo < 0; width *= 2) {
    if (lo < -1000) return -k_infinity;
    hi = std::exchange(lo, lo - width);
    at_hi = std::exchange(at_lo, f(lo));
  }
  for (double width = hi - lo; at_hi > 0; width *= 2) {
    if (hi > 1000) return k_infinity;
    lo = std::exchange(hi, hi + width);
    at_lo = std::exchange(at_hi, f(hi));
  }
  double before = lo, at_before = at_lo, x = hi, at_x = at_hi;
  for (int i = 0; i < k_most_steps && at_x != 0 && hi - lo > k_root_tolerance; ++i) {
    const double secant = x - at_x * (x - before) / (at_x - at_before);
    const double next = secant > lo && secant < hi ? secant : lo + 0.5 * (hi - lo);
    // The step after this one would be of the order of the product of the last two.
    if (std::abs(next - x) <= k_last_step && next == secant) return next;
    before = std::exchange(x, next);
    at_before = std::exchange(at_x, f(next));
    (at_x > 0 ? lo : hi) = x;
  }
  return x;
}

// The futility side of a design: a process under a drift that spends type II error.
class FutilityProcess {
 public:
  FutilityProcess(const FutilitySpec& spec, double drift) : spec_(spec), process_(drift) {}

  // The futility bound of the next look; `efficacy_z` itself at the end.
  double next(std::size_t i_look, double information, bool at_end, double efficacy_z) {
    process_.look(information);
    const double f = at_end
                         ? efficacy_z
                         : std::min(process_.lower_z(target(i_look, information) - spent_), efficacy_z);
    spent_ += process_.below(f);
    process_.go_on(f, efficacy_z);
    return f;
  }

  double spent() const { return spent_; }

 private:
  double target(std::size_t i_look, double information) const {
    if (spec_.spending.family == Family::user) return spec_.spending.alpha_spent[i_look];
    return sequential::spent(spec_.spending, spec_.beta, information);
  }

  const FutilitySpec& spec_;
  Recursion process_;
  double spent_ = 0;
};

// Goes through all looks under the null; futility(i_look, efficacy_z) tells where trials stop below.
template <class Futility>
Boundary walk(const EfficacyRule& rule, std::span<const double> information, Futility&& futility) {
  Boundary boundary;
  boundary.information.assign(information.begin(), information.end());
  boundary.harm_z.assign(information.size(), -k_infinity);
  Recursion null;
  double spent = 0;
  for (std::size_t k = 0; k < information.size(); ++k) {
    null.look(information[k]);
    const double e = k + 1 == information.size() ? rule.planned_end(k, information[k], null, spent)
                                                 : rule.interim(k, information[k], null, spent);
    spent += null.above(e);
    const double f = futility(k, e);
    null.go_on(f, e);
    boundary.alpha_spent.push_back(spent);
    boundary.efficacy_z.push_back(e);
    boundary.futility_z.push_back(f);
  }
  return boundary;
}

// The constant at which `alpha_of` it is alpha: between that of the most demanding look alone and
// Bonferroni's of all looks, but for alpha that futility saves.
template <class F>
double solve_constant(const BoundarySpec& spec, double alpha, std::span<const double> information,
                      F&& alpha_of) {
  double smallest = k_infinity;
  for (const double t : information) smallest = std::min(smallest, shape(spec, t));
  const auto n_looks = static_cast<double>(information.size());
  const double lo = -math::normal_quantile(alpha) / smallest;
  const double hi = -math::normal_quantile(alpha / n_looks) / smallest;
  if (information.size() == 1) return lo;
  return falling_root([&](double c) { return math::log(alpha_of(c) / alpha); }, lo, hi);
}

template <class Futility>
Boundary solve_and_walk(const BoundarySpec& spec, double alpha, std::span<const double> information,
                        Futility&& futility) {
  EfficacyRule rule{spec, alpha, 0};
  if (has_shape(spec.family))
    rule.constant = solve_constant(spec, alpha, information, [&](double c) {
      return walk({spec, alpha, c}, information, futility()).alpha_spent.back();
    });
  return walk(rule, information, futility());
}

double fixed_drift(double alpha, double power) {
  return math::normal_quantile(power) - math::normal_quantile(alpha);
}

struct TwoSides {
  Boundary boundary;
  double spent_below = 0;
};

// Since the null is symmetric, the lower side is the upper one of the mirrored process.
TwoSides walk_both(const EfficacyRule& upper, const EfficacyRule& lower,
                   std::span<const double> information) {
  TwoSides sides;
  Recursion process, mirrored;
  double spent = 0;
  const auto value = [&](const EfficacyRule& rule, const Recursion& at, std::size_t k, double before) {
    return k + 1 == information.size() ? rule.planned_end(k, information[k], at, before)
                                       : rule.interim(k, information[k], at, before);
  };
  sides.boundary.information.assign(information.begin(), information.end());
  sides.boundary.futility_z.assign(information.size(), -k_infinity);
  for (std::size_t k = 0; k < information.size(); ++k) {
    process.look(information[k]);
    mirrored.look(information[k]);
    const double u = value(upper, process, k, spent);
    const double l = value(lower, mirrored, k, sides.spent_below);
    spent += process.above(u);
    sides.spent_below += mirrored.above(l);
    process.go_on(-l, u);
    mirrored.go_on(-u, l);
    sides.boundary.alpha_spent.push_back(spent);
    sides.boundary.efficacy_z.push_back(u);
    sides.boundary.harm_z.push_back(-l);
  }
  return sides;
}

}  // namespace

Boundary efficacy_boundary(const BoundarySpec& spec, double alpha, std::span<const double> information,
                           std::span<const double> futility_z) {
  TRIALWRIGHT_EXPECT(!check_information(information));
  TRIALWRIGHT_EXPECT(!check(spec, alpha, static_cast<int>(information.size())));
  TRIALWRIGHT_EXPECT(futility_z.empty() || futility_z.size() == information.size());
  return solve_and_walk(spec, alpha, information, [&] {
    return [&](std::size_t k, double) { return futility_z.empty() ? -k_infinity : futility_z[k]; };
  });
}

namespace {

Boundary non_binding_futility(const BoundarySpec& efficacy, double alpha, const FutilitySpec& futility,
                              std::span<const double> information) {
  Boundary boundary = efficacy_boundary(efficacy, alpha, information);
  const auto excess = [&](double drift) {
    FutilityProcess process(futility, drift);
    for (std::size_t k = 0; k < information.size(); ++k)
      boundary.futility_z[k] =
          process.next(k, information[k], k + 1 == information.size(), boundary.efficacy_z[k]);
    return process.spent() - futility.beta;
  };
  const double start = fixed_drift(alpha, 1 - futility.beta);
  boundary.drift = falling_root(excess, start, 1.1 * start);
  excess(boundary.drift);
  return boundary;
}

Boundary binding_futility(const BoundarySpec& efficacy, double alpha, const FutilitySpec& futility,
                          std::span<const double> information) {
  double spent = 0;
  const auto at_drift = [&](double drift) {
    return solve_and_walk(efficacy, alpha, information, [&] {
      return [&, process = FutilityProcess(futility, drift)](std::size_t k, double e) mutable {
        const double f = process.next(k, information[k], k + 1 == information.size(), e);
        spent = process.spent();
        return f;
      };
    });
  };
  const auto excess = [&](double drift) {
    at_drift(drift);
    return spent - futility.beta;
  };
  const double start = fixed_drift(alpha, 1 - futility.beta);
  const double drift = falling_root(excess, start, 1.1 * start);
  Boundary boundary = at_drift(drift);
  boundary.drift = drift;
  return boundary;
}

}  // namespace

Boundary boundary_with_futility(const BoundarySpec& efficacy, double alpha,
                                const FutilitySpec& futility, Binding binding,
                                std::span<const double> information) {
  TRIALWRIGHT_EXPECT(!check_information(information));
  TRIALWRIGHT_EXPECT(!check(efficacy, alpha, static_cast<int>(information.size())));
  TRIALWRIGHT_EXPECT(!check(futility, alpha, static_cast<int>(information.size())));
  return binding == Binding::binding ? binding_futility(efficacy, alpha, futility, information)
                                     : non_binding_futility(efficacy, alpha, futility, information);
}

Boundary two_sided_boundary(const BoundarySpec& upper, double alpha_upper, const BoundarySpec& lower,
                            double alpha_lower, std::span<const double> information) {
  TRIALWRIGHT_EXPECT(!check_information(information));
  TRIALWRIGHT_EXPECT(!check(upper, alpha_upper, static_cast<int>(information.size())));
  TRIALWRIGHT_EXPECT(!check(lower, alpha_lower, static_cast<int>(information.size())));
  EfficacyRule above{upper, alpha_upper, k_infinity}, below{lower, alpha_lower, k_infinity};
  // Each side's constant depends on the other's through the few paths that reach both, so that solving
  // one after the other converges within a few rounds.
  for (int round = 0; round < 50; ++round) {
    const double before_above = above.constant, before_below = below.constant;
    if (has_shape(upper.family))
      above.constant = solve_constant(upper, alpha_upper, information, [&](double c) {
        return walk_both({upper, alpha_upper, c}, below, information).boundary.alpha_spent.back();
      });
    if (has_shape(lower.family))
      below.constant = solve_constant(lower, alpha_lower, information, [&](double c) {
        return walk_both(above, {lower, alpha_lower, c}, information).spent_below;
      });
    const auto near = [](double a, double b) { return a == b || std::abs(a - b) <= 1e-13; };
    if (near(above.constant, before_above) && near(below.constant, before_below)) break;
  }
  return walk_both(above, below, information).boundary;
}

CrossingProbabilities crossing_probabilities(const Boundary& boundary, double drift) {
  const auto at = [](const std::vector<double>& z, std::size_t k) {
    return z.empty() ? -k_infinity : z[k];
  };
  CrossingProbabilities crossing;
  Recursion process(drift);
  for (std::size_t k = 0; k < boundary.information.size(); ++k) {
    const double e = boundary.efficacy_z[k];
    const double h = std::min(at(boundary.harm_z, k), e);
    const double f = std::max(std::min(at(boundary.futility_z, k), e), h);
    process.look(boundary.information[k]);
    const double harm = process.below(h);
    crossing.efficacy.push_back(process.above(e));
    crossing.futility.push_back(f > h ? std::max(process.below(f) - harm, 0.0) : 0.0);
    crossing.harm.push_back(harm);
    process.go_on(f, e);
  }
  return crossing;
}

CrossingProbabilities crossing_probabilities(std::span<const double> information,
                                             std::span<const double> efficacy_z,
                                             std::span<const double> futility_z, double drift) {
  Boundary boundary;
  boundary.information.assign(information.begin(), information.end());
  boundary.efficacy_z.assign(efficacy_z.begin(), efficacy_z.end());
  boundary.futility_z.assign(futility_z.begin(), futility_z.end());
  return crossing_probabilities(boundary, drift);
}

double power(const CrossingProbabilities& crossing) {
  double sum = 0;
  for (const double p : crossing.efficacy) sum += p;
  return sum;
}

double expected_information(std::span<const double> information,
                            const CrossingProbabilities& crossing) {
  double expected = 0, going_on = 1;
  for (std::size_t k = 0; k < information.size(); ++k) {
    const double stops = k + 1 == information.size()
                             ? going_on
                             : crossing.efficacy[k] + crossing.futility[k] + crossing.harm[k];
    expected += stops * information[k];
    going_on -= stops;
  }
  return expected;
}

double drift_for_power(const Boundary& boundary, double wanted) {
  TRIALWRIGHT_EXPECT(wanted > 0 && wanted < 1);
  const auto shortfall = [&](double drift) {
    return wanted - power(crossing_probabilities(boundary, drift));
  };
  const double last_z = boundary.efficacy_z.back();
  const double start = (std::isfinite(last_z) ? last_z : 2) + math::normal_quantile(wanted);
  return falling_root(shortfall, start - 0.1, start + 0.4);
}

double inflation_factor(double drift, double alpha, double wanted) {
  const double fixed = fixed_drift(alpha, wanted);
  return drift * drift / (fixed * fixed);
}

}  // namespace trialwright::sequential
