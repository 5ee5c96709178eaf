#include "sequential/multi_arm.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "math/cubic_table.hpp"
#include "math/normal.hpp"
#include "sequential/recursion.hpp"

namespace trialwright::sequential {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

// How finely the control's increments are stepped through, in widths of the narrowest Gaussian that the
// integrand is made of (see dunnett.cpp). At later looks more of an arm's variance is its own, and the
// integrand wider.
struct Fineness {
  double step;
  double reach;  // of the control's path from its mean, in standard deviations over all looks together
};
// The first finds critical values to about 1e-4, the second probabilities to about 1e-7.
constexpr Fineness k_coarse{1.9, 5.0};
constexpr Fineness k_fine{1.15, 6.3};

// Arms that have the same drift, and where one of them stands given the control's path.
struct ArmType {
  double drift = 0;
  int n_arms = 0;
};

// The probabilities of one arm of a type up to a look.
struct Standing {
  double not_crossed = 1;  // no efficacy bound so far
  double dropped = 0;      // for futility, before any crossing
  double crossed_here = 0;
};

double to_power(double base, int exponent) {
  double power = 1;
  for (int i = 0; i < exponent; ++i) power *= base;
  return power;
}

// z sqrt(t) of an arm is a W + l V, with its own Brownian motion W and the control's V (common, of the
// other sign), l^2 = 1 - a^2 = 1 / (1 + control_ratio): given V's path the arms are independent, and
// each a Recursion whose bounds follow V.
class ControlPaths {
 public:
  ControlPaths(const MultiArmBoundary& boundary, std::span<const ArmType> types, double control_ratio,
               std::span<const double> information, Fineness fineness)
      : boundary_(boundary),
        types_(types.begin(), types.end()),
        fineness_(fineness),
        own_(std::sqrt(control_ratio / (1 + control_ratio))),
        common_(std::sqrt(1 / (1 + control_ratio))),
        control_ratio_(control_ratio) {
    for (const double each : information) information_.push_back(each / information.back());
    int n_arms = 0;
    for (const ArmType& type : types_) n_arms += type.n_arms;
    double last = 0;
    for (const double t : information_) {
      const double slope = common_ / own_, growth = (t - last) / t;
      steps_.push_back(fineness.step / std::sqrt(1 + n_arms * slope * slope * growth));
      last = t;
    }
    const std::size_t n_looks = information_.size();
    processes_.resize(n_looks, std::vector<Recursion>(types_.size()));
    standings_.resize(n_looks + 1, std::vector<Standing>(types_.size()));
    totals_.efficacy_stop.assign(n_looks, 0);
    totals_.futility_stop.assign(n_looks, 0);
    totals_.arm_rejection.assign(types_.size(), 0);
  }

  // Characteristics with arm_rejection by type.
  MultiArmCharacteristics integrate() {
    totals_.expected_size = information_[0] * (control_ratio_ + count_arms());
    for (std::size_t g = 0; g < types_.size(); ++g) {
      processes_[0][g].start(types_[g].drift / own_);
      processes_[0][g].look(information_[0]);
    }
    descend(0, 0, 1, 0);
    for (const double p : totals_.efficacy_stop) totals_.any_rejection += p;
    return totals_;
  }

 private:
  int count_arms() const {
    int n = 0;
    for (const ArmType& type : types_) n += type.n_arms;
    return n;
  }

  // A bound of an arm's z as a bound of its own Brownian motion's.
  double own_z(double z, std::size_t k, double control) const {
    return (z - common_ * control / std::sqrt(information_[k])) / own_;
  }

  // All paths from look k on: `control` is V at the look before, `weight` the path's so far and
  // `distance` the sum of the squares of its standardized increments.
  void descend(std::size_t k, double control, double weight, double distance) {
    const double growth = information_[k] - (k > 0 ? information_[k - 1] : 0.0);
    const double most = std::sqrt(std::max(0.0, fineness_.reach * fineness_.reach - distance));
    const int n = static_cast<int>(most / steps_[k]);
    for (int i = -n; i <= n; ++i) {
      const double x = steps_[k] * i;
      const double here = control + std::sqrt(growth) * x;
      const double path_weight = weight * steps_[k] * math::normal_pdf(x);
      look(k, here);
      add(k, path_weight);
      if (k + 1 == information_.size()) continue;
      for (std::size_t g = 0; g < types_.size(); ++g) {
        Recursion& process = processes_[k + 1][g] = processes_[k][g];
        process.go_on(own_z(boundary_.futility_z[k], k, here), own_z(boundary_.efficacy_z[k], k, here));
        process.look(information_[k + 1]);
      }
      descend(k + 1, here, path_weight, distance + x * x);
    }
  }

  void look(std::size_t k, double control) {
    for (std::size_t g = 0; g < types_.size(); ++g) {
      const Standing& before = standings_[k][g];
      Standing& after = standings_[k + 1][g];
      const Recursion& process = processes_[k][g];
      after.crossed_here = process.above(own_z(boundary_.efficacy_z[k], k, control));
      after.not_crossed = before.not_crossed - after.crossed_here;
      after.dropped = before.dropped + process.below(own_z(boundary_.futility_z[k], k, control));
    }
  }

  // The product over all arms, but for one of type `without`.
  template <class Part>
  double product(std::size_t k, std::size_t without, Part part) const {
    double all = 1;
    for (std::size_t g = 0; g < types_.size(); ++g)
      all *= to_power(part(standings_[k][g]), types_[g].n_arms - (g == without ? 1 : 0));
    return all;
  }

  void add(std::size_t k, double weight) {
    const auto not_crossed = [](const Standing& arm) { return arm.not_crossed; };
    const auto dropped = [](const Standing& arm) { return arm.dropped; };
    const std::size_t everyone = types_.size();
    const double none_before = product(k, everyone, not_crossed);
    const double none_now = product(k + 1, everyone, not_crossed);
    const double gone_before = k > 0 ? product(k, everyone, dropped) : 0.0;
    const double gone_now = product(k + 1, everyone, dropped);
    totals_.efficacy_stop[k] += weight * (none_before - none_now);
    totals_.futility_stop[k] += weight * (gone_now - gone_before);
    const bool last = k + 1 == information_.size();
    const double next = last ? 0.0 : information_[k + 1] - information_[k];
    totals_.expected_size += weight * next * control_ratio_ * (none_now - gone_now);
    for (std::size_t g = 0; g < types_.size(); ++g) {
      const Standing& arm = standings_[k + 1][g];
      totals_.arm_rejection[g] += weight * arm.crossed_here * product(k, g, not_crossed);
      totals_.expected_size += weight * next * types_[g].n_arms * (arm.not_crossed - arm.dropped) *
                               product(k + 1, g, not_crossed);
    }
  }

  const MultiArmBoundary& boundary_;
  std::vector<ArmType> types_;
  Fineness fineness_;
  double own_;
  double common_;
  double control_ratio_;
  std::vector<double> steps_;  // [i_look]
  std::vector<double> information_;
  std::vector<std::vector<Recursion>> processes_;  // [i_look][i_type]
  std::vector<std::vector<Standing>> standings_;   // [i_look + 1][i_type], [0] the start
  MultiArmCharacteristics totals_;
};

// The efficacy bound at t, a share of the last information, as a multiple of the last look's.
double shape_at(MultiArmShape shape, double t) {
  switch (shape) {
    case MultiArmShape::obrien_fleming:
      return 1 / std::sqrt(t);
    case MultiArmShape::pocock:
      return 1;
    case MultiArmShape::triangular:
      return 0.5 * (1 + t) / std::sqrt(t);
  }
  return 1;
}

double futility_at(MultiArmFutility futility, double c, double t) {
  switch (futility) {
    case MultiArmFutility::none:
      return -k_infinity;
    case MultiArmFutility::zero:
      return 0;
    case MultiArmFutility::triangular:
      return 0.5 * c * (3 * t - 1) / std::sqrt(t);
  }
  return -k_infinity;
}

// The boundary whose last critical value is c.
MultiArmBoundary of_scale(MultiArmShape shape, MultiArmFutility futility, double c,
                          std::span<const double> information) {
  MultiArmBoundary boundary;
  for (const double each : information) {
    const double t = each / information.back();
    boundary.efficacy_z.push_back(c * shape_at(shape, t));
    boundary.futility_z.push_back(futility_at(futility, c, t));
  }
  boundary.futility_z.back() = boundary.efficacy_z.back();
  return boundary;
}

// The normal z of a boundary's familywise error under the global null.
double error_z(const MultiArmBoundary& boundary, int n_arms, double control_ratio,
               std::span<const double> information, Fineness fineness) {
  const std::vector<ArmType> null{{0.0, n_arms}};
  ControlPaths paths(boundary, null, control_ratio, information, fineness);
  return -math::normal_quantile(paths.integrate().any_rejection);
}

// Where a nearly straight rising line of about this slope is 0: secants.
template <class F>
double rising_root(F&& f, double x, double slope) {
  double last_x = x, last_value = 0;
  for (int i = 0; i < 30; ++i) {
    const double value = f(x);
    if (i > 0) slope = std::clamp((value - last_value) / (x - last_x), 0.3, 3.0);
    last_x = x;
    last_value = value;
    x -= value / slope;
    if (std::abs(x - last_x) < 1e-5) break;
  }
  return x;
}

}  // namespace

MultiArmBoundary multi_arm_boundary(MultiArmShape shape, MultiArmFutility futility, double alpha,
                                    int n_arms, double control_ratio,
                                    std::span<const double> information) {
  TRIALWRIGHT_EXPECT(0 < alpha && alpha < 0.5 && n_arms >= 1 && control_ratio > 0);
  TRIALWRIGHT_EXPECT(!information.empty() && information.size() <= k_most_multi_arm_looks);
  // The error's normal quantile is nearly a straight line in c, of slope about 1.
  const double goal = -math::normal_quantile(alpha);
  const auto solve = [&](double c, Fineness fineness) {
    const auto excess = [&](double x) {
      return error_z(of_scale(shape, futility, x, information), n_arms, control_ratio, information,
                     fineness) -
             goal;
    };
    return rising_root(excess, c, 1.0);
  };
  const std::vector<double> lambda(static_cast<std::size_t>(n_arms),
                                   std::sqrt(1 / (1 + control_ratio)));
  double c = dunnett_critical_value(alpha, lambda);
  if (information.size() > 1) c = solve(solve(c, k_coarse), k_fine);
  return of_scale(shape, futility, math::round_to_bits(c, math::k_knot_bits), information);
}

MultiArmCharacteristics multi_arm_characteristics(const MultiArmBoundary& boundary,
                                                  std::span<const double> drift, double control_ratio,
                                                  std::span<const double> information) {
  TRIALWRIGHT_EXPECT(!drift.empty() && control_ratio > 0);
  TRIALWRIGHT_EXPECT(boundary.efficacy_z.size() == information.size());
  std::vector<ArmType> types;
  std::vector<std::size_t> type_of_arm;
  for (const double each : drift) {
    const auto same = std::find_if(types.begin(), types.end(),
                                   [&](const ArmType& type) { return type.drift == each; });
    type_of_arm.push_back(static_cast<std::size_t>(same - types.begin()));
    if (same == types.end()) {
      types.push_back({each, 1});
    } else {
      ++same->n_arms;
    }
  }
  MultiArmCharacteristics made =
      ControlPaths(boundary, types, control_ratio, information, k_fine).integrate();
  std::vector<double> by_arm;
  by_arm.reserve(type_of_arm.size());
  for (const std::size_t type : type_of_arm) by_arm.push_back(made.arm_rejection[type]);
  made.arm_rejection = std::move(by_arm);
  return made;
}

namespace {

// Of boundaries' constants: below, nothing is near to a rejection; above, nothing is left of the error.
constexpr double k_least_constant = -1, k_greatest_constant = 7;
constexpr std::size_t k_n_constants = 25;

}  // namespace

MultiArmPValues::MultiArmPValues(MultiArmShape shape, const MultiArmBoundary& boundary, double alpha,
                                 int n_arms, double control_ratio, std::span<const double> information)
    : z_(
          [&](double c) {
            MultiArmBoundary scaled = of_scale(shape, MultiArmFutility::none, c, information);
            for (std::size_t k = 0; k + 1 < information.size(); ++k)
              scaled.futility_z[k] = std::min(boundary.futility_z[k], scaled.efficacy_z[k]);
            return error_z(scaled, n_arms, control_ratio, information,
                           information.size() <= 2 ? k_fine : k_coarse);
          },
          k_least_constant, k_greatest_constant, k_n_constants) {
  for (const double each : information)
    per_constant_.push_back(shape_at(shape, each / information.back()));
  offset_ = -math::normal_quantile(alpha) - z_(boundary.efficacy_z.back());
}

double MultiArmPValues::operator()(int i_look, double z) const {
  return math::normal_survival(offset_ + z_(z / per_constant_[static_cast<std::size_t>(i_look)]));
}

}  // namespace trialwright::sequential
