#include "sequential/inference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "math/root.hpp"
#include "sequential/combination.hpp"
#include "sequential/recursion.hpp"

namespace trialwright::sequential {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

// A bound so many standard deviations away cuts off nothing (1e-33 of what there is).
constexpr double k_far = 12;

// Which tail of the outcomes is summed: the smaller one, so that it keeps its relative precision.
enum class Tail { upper, lower };

// What a bound cuts off at one look.
double beyond(Tail tail, double distance) {
  return tail == Tail::upper ? math::normal_survival(distance) : math::normal_cdf(distance);
}

double bound_of(std::span<const double> futility_z, std::size_t k) {
  return futility_z.empty() ? -k_infinity : futility_z[k];
}

// Looks before the last that add information, and to which the last one adds.
bool counts(std::span<const double> information, std::size_t k, double reached) {
  return information[k] > 0 && information[k] >= reached * (1 + k_least_growth) &&
         information.back() >= information[k] * (1 + k_least_growth);
}

// The probability of all outcomes at least as high (low) as this one, for any theta, from one
// recursion: paths under another theta differ by the likelihood ratio exp(d B - (theta^2 - theta_0^2) I
// / 2) alone. The recursion runs at the theta that the outcome is central of, where the tail is well
// covered.
class TiltedTail {
 public:
  TiltedTail(const SequentialResult& result, Tail tail) : tail_(tail) {
    const auto information = result.information;
    centre_ = result.z / std::sqrt(information.back());
    Recursion process(centre_);
    double reached = 0;
    for (std::size_t k = 0; k + 1 < information.size(); ++k) {
      if (!counts(information, k, reached)) continue;
      process.look(reached = information[k]);
      const double futility_z = bound_of(result.futility_z, k);
      add(process, tail == Tail::upper ? result.efficacy_z[k] : futility_z);
      process.go_on(futility_z, result.efficacy_z[k]);
    }
    process.look(information.back());
    add(process, result.z);
  }

  double operator()(double theta) const {
    double probability = 0;
    for (const Look& look : looks_) {
      const double tilt = theta - centre_;
      const double offset = -0.5 * (theta * theta - centre_ * centre_) * look.information;
      const double from = look.distance - theta * look.sd, unit = 1 / look.sd;
      for (std::size_t j = look.first; j < look.last; ++j) {
        const double distance = from - unit * nodes_[j];
        if (tail_ == Tail::upper ? distance > k_far : distance < -k_far) continue;
        probability += masses_[j] * math::exp(tilt * nodes_[j] + offset) * beyond(tail_, distance);
      }
    }
    return probability;
  }

 private:
  struct Look {
    std::size_t first, last;  // of nodes, at the look before
    double information;       // there
    double sd;                // of the increment to this look
    double distance;          // the bound at this look over that
  };

  void add(const Recursion& process, double z) {
    if (std::isinf(z)) return;
    const double sd = std::sqrt(process.information() - process.last_information());
    const std::size_t first = nodes_.size();
    nodes_.insert(nodes_.end(), process.nodes().begin(), process.nodes().end());
    masses_.insert(masses_.end(), process.masses().begin(), process.masses().end());
    looks_.push_back({first, nodes_.size(), process.last_information(), sd,
                      z * std::sqrt(process.information()) / sd});
  }

  Tail tail_;
  double centre_ = 0;
  std::vector<Look> looks_;
  std::vector<double> nodes_;
  std::vector<double> masses_;
};

// The same of combined stages, whose bounds move with theta in their own way: one recursion for each.
class CombinedTail {
 public:
  CombinedTail(const CombinationResult& result, Tail tail) : result_(result), tail_(tail) {
    double information = 0, score = 0, shift = 0;
    for (std::size_t k = 0; k < result.stage_z.size(); ++k) {
      information += result.weights[k] * result.weights[k];
      score += result.weights[k] * result.stage_z[k];
      shift += result.weights[k] * std::sqrt(result.stage_information[k]);
      information_.push_back(information);
      shift_.push_back(shift / std::sqrt(information));
    }
    z_ = score / std::sqrt(information);
  }

  double operator()(double theta) const {
    Recursion process(0);
    double probability = 0, reached = 0;
    const std::size_t last = information_.size() - 1;
    for (std::size_t k = 0; k < last; ++k) {
      if (!counts(information_, k, reached)) continue;
      process.look(reached = information_[k]);
      const double upper = result_.efficacy_z[k] - theta * shift_[k];
      const double lower = bound_of(result_.futility_z, k) - theta * shift_[k];
      probability += beyond(process, tail_ == Tail::upper ? upper : lower);
      process.go_on(lower, upper);
    }
    process.look(information_[last]);
    return probability + beyond(process, z_ - theta * shift_[last]);
  }

  double z() const { return z_; }
  // What theta takes from the combined z of the last look.
  double shift() const { return shift_.back(); }

 private:
  double beyond(const Recursion& process, double z) const {
    return tail_ == Tail::upper ? process.above(z) : process.below(z);
  }

  CombinationResult result_;
  Tail tail_;
  double z_ = 0;
  std::vector<double> information_;
  std::vector<double> shift_;
};

// The theta at which a p-value, rising in theta, is Phi(target): secants on the probit scale, on which
// p-values are nearly straight lines, of about this slope. It is left as last found.
template <class PValue>
double theta_where(PValue&& p_value, double target, double guess, double& slope) {
  constexpr double k_tolerance = 2e-5;  // in standard errors; such a step leaves some 1e-8
  double lo = -k_infinity, hi = k_infinity, x = guess, last_x = guess, last_gap = 0;
  const double own_slope = slope;
  for (int i = 0; i < 100; ++i) {
    const double gap = math::normal_quantile(p_value(x)) - target;
    if (gap == 0) return x;
    (gap < 0 ? lo : hi) = x;
    if (i > 0) slope = std::clamp((gap - last_gap) / (x - last_x), 0.05 * own_slope, 20 * own_slope);
    if (!(slope > 0)) slope = own_slope;
    last_x = x;
    last_gap = gap;
    // Outside of the normal quantile's range only the side is known.
    const double step = std::clamp(gap / slope, -8 / own_slope, 8 / own_slope);
    if (std::abs(step) * own_slope <= k_tolerance) return x - step;
    x -= step;
    if (!(x > lo && x < hi)) x = 0.5 * (lo + hi);
  }
  return x;
}

// P-value (a function of theta), estimate and limits.
template <class PValue>
void fill_stagewise(SequentialEstimate& estimate, PValue&& p_value, double confidence_level,
                    double slope) {
  const double margin = math::normal_quantile(0.5 + 0.5 * confidence_level);
  estimate.p_value = p_value(0.0);
  estimate.median_unbiased = theta_where(p_value, 0.0, estimate.unadjusted, slope);
  const double centre = estimate.median_unbiased;
  double slope_below = slope, slope_above = slope;
  estimate.lower = theta_where(p_value, -margin, centre - margin / slope, slope_below);
  estimate.upper = theta_where(p_value, margin, centre + margin / slope, slope_above);
}

SequentialEstimate nothing_known() {
  return {1, 0, 0, -k_infinity, k_infinity, -k_infinity, k_infinity};
}

double pooled_estimate(std::span<const double> stage_z, std::span<const double> stage_information) {
  double score = 0, information = 0;
  for (std::size_t k = 0; k < stage_z.size(); ++k) {
    score += std::sqrt(stage_information[k]) * stage_z[k];
    information += stage_information[k];
  }
  return score / information;
}

// Fisher's combination of a result of one or two stages as a test of any theta.
class FisherOfTheta {
 public:
  explicit FisherOfTheta(const FisherResult& result)
      : result_(result),
        reject_z_(-math::normal_quantile(result.alpha_1)),
        accept_z_(-math::normal_quantile(result.alpha_0)) {}

  // P(rank at least this | theta) by stagewise ordering.
  double operator()(double theta) const {
    const double p_1 = stage_p(0, theta);
    if (result_.stage_z.size() == 1) return p_1;
    const double shift = theta * std::sqrt(result_.stage_information[0]);
    const double alpha_1 = math::normal_survival(reject_z_ - shift);
    const double alpha_0 = math::normal_survival(accept_z_ - shift);
    const double product = p_1 * stage_p(1, theta);
    const double surely = std::max(product, alpha_1);
    return surely + product * (math::log(alpha_0) - math::log(surely));
  }

  // The end of the repeated interval: where the product of the p-values (of their complements) falls to
  // the look's critical value.
  double repeated_limit(Tail tail) const {
    const bool first = result_.stage_z.size() == 1;
    const double critical = first ? result_.alpha_1 : result_.critical_value;
    const double sign = tail == Tail::upper ? 1 : -1;
    if (!(critical > 0)) return -sign * k_infinity;
    const double goal = math::log(critical);
    const double spread = k_widest_z / std::sqrt(result_.stage_information[0]);
    const double centre = pooled_estimate(result_.stage_z, result_.stage_information);
    double lo = centre - spread, hi = centre + spread;
    for (int i = 0; i < 200 && hi - lo > k_bisection * spread; ++i) {
      const double theta = 0.5 * (lo + hi);
      (sign * (log_product(theta, tail) - goal) < 0 ? lo : hi) = theta;
    }
    return 0.5 * (lo + hi);
  }

 private:
  static constexpr double k_widest_z = 45;
  static constexpr double k_bisection = 1e-11;

  double stage_p(std::size_t k, double theta) const {
    return math::normal_survival(result_.stage_z[k] - theta * std::sqrt(result_.stage_information[k]));
  }
  double log_product(double theta, Tail tail) const {
    double sum = 0;
    for (std::size_t k = 0; k < result_.stage_z.size(); ++k) {
      sum +=
          math::log(beyond(tail, result_.stage_z[k] - theta * std::sqrt(result_.stage_information[k])));
    }
    return sum;
  }

  FisherResult result_;
  double reject_z_;
  double accept_z_;
};

}  // namespace

double stagewise_p_value(const SequentialResult& result, double theta_0) {
  if (!(result.information.back() > 0)) return 1;
  const double excess = result.z - theta_0 * std::sqrt(result.information.back());
  if (excess >= 0) return TiltedTail(result, Tail::upper)(theta_0);
  return 1 - TiltedTail(result, Tail::lower)(theta_0);
}

SequentialEstimate sequential_estimate(const SequentialResult& result, double confidence_level) {
  TRIALWRIGHT_EXPECT(result.efficacy_z.size() == result.information.size());
  TRIALWRIGHT_EXPECT(result.futility_z.empty() ||
                     result.futility_z.size() == result.information.size());
  TRIALWRIGHT_EXPECT(0 < confidence_level && confidence_level < 1);
  if (!(result.information.back() > 0)) return nothing_known();
  const double scale = std::sqrt(result.information.back());
  SequentialEstimate estimate;
  estimate.unadjusted = result.z / scale;
  estimate.repeated_lower = (result.z - result.efficacy_z.back()) / scale;
  estimate.repeated_upper = (result.z + result.efficacy_z.back()) / scale;
  const Tail tail = result.z >= 0 ? Tail::upper : Tail::lower;
  const TiltedTail probability(result, tail);
  const auto p_value = [&](double theta) {
    return tail == Tail::upper ? probability(theta) : 1 - probability(theta);
  };
  fill_stagewise(estimate, p_value, confidence_level, scale);
  return estimate;
}

SequentialEstimate combination_estimate(const CombinationResult& result, double confidence_level) {
  TRIALWRIGHT_EXPECT(!result.stage_z.empty() &&
                     result.stage_information.size() >= result.stage_z.size());
  TRIALWRIGHT_EXPECT(result.weights.size() >= result.stage_z.size());
  TRIALWRIGHT_EXPECT(result.efficacy_z.size() >= result.stage_z.size());
  const double z = inverse_normal_z(result.stage_z, result.weights);
  const Tail tail = z >= 0 ? Tail::upper : Tail::lower;
  const CombinedTail probability(result, tail);
  const double scale = probability.shift();
  if (!(scale > 0)) return nothing_known();
  const double critical_z = result.efficacy_z[result.stage_z.size() - 1];
  SequentialEstimate estimate;
  estimate.unadjusted = pooled_estimate(result.stage_z, result.stage_information);
  estimate.repeated_lower = (z - critical_z) / scale;
  estimate.repeated_upper = (z + critical_z) / scale;
  const auto p_value = [&](double theta) {
    return tail == Tail::upper ? probability(theta) : 1 - probability(theta);
  };
  fill_stagewise(estimate, p_value, confidence_level, scale);
  return estimate;
}

SequentialEstimate fisher_estimate(const FisherResult& result, double confidence_level) {
  TRIALWRIGHT_EXPECT(result.stage_z.size() == 1 || result.stage_z.size() == 2);
  TRIALWRIGHT_EXPECT(result.stage_information.size() >= result.stage_z.size());
  double information = 0;
  for (std::size_t k = 0; k < result.stage_z.size(); ++k) information += result.stage_information[k];
  if (!(information > 0)) return nothing_known();
  const FisherOfTheta p_value(result);
  SequentialEstimate estimate;
  estimate.unadjusted = pooled_estimate(result.stage_z, result.stage_information);
  estimate.repeated_lower = p_value.repeated_limit(Tail::upper);
  estimate.repeated_upper = p_value.repeated_limit(Tail::lower);
  fill_stagewise(estimate, p_value, confidence_level, std::sqrt(information));
  return estimate;
}

}  // namespace trialwright::sequential
