#include "sequential/combination.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/contract.hpp"
#include "math/cubic_table.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "math/quadrature.hpp"
#include "math/root.hpp"

namespace trialwright::sequential {

namespace {

constexpr std::size_t k_order = 24;

using Weights = std::array<double, k_order>;

// Running integrals of the polynomial through the values at the Gauss-Legendre nodes on [-1, 1].
class RunningIntegral {
 public:
  RunningIntegral() : rule_(k_order) {
    const auto nodes = rule_.nodes();
    for (std::size_t j = 0; j < k_order; ++j) {
      barycentric_[j] = 1;
      for (std::size_t i = 0; i < k_order; ++i)
        if (i != j) barycentric_[j] /= nodes[j] - nodes[i];
    }
    for (std::size_t i = 0; i < k_order; ++i) to_node_[i] = to(nodes[i]);
  }

  double node(std::size_t i) const { return rule_.nodes()[i]; }
  double weight(std::size_t i) const { return rule_.weights()[i]; }
  // The weights of the values in the integral from -1 to node i.
  const Weights& to_node(std::size_t i) const { return to_node_[i]; }
  // The same in the integral from -1 to x < 1 (Berrut & Trefethen 2004, eq. 4.2).
  Weights to(double x) const {
    Weights weights{}, terms{};
    const double half_width = 0.5 * (x + 1.0);
    for (std::size_t i = 0; i < k_order; ++i) {
      const double y = half_width * (node(i) + 1.0) - 1.0;
      double sum = 0;
      for (std::size_t j = 0; j < k_order; ++j) sum += terms[j] = barycentric_[j] / (y - node(j));
      for (std::size_t j = 0; j < k_order; ++j)
        weights[j] += half_width * weight(i) * (y == node(j) ? 1.0 : terms[j] / sum);
    }
    return weights;
  }

 private:
  math::GaussLegendre rule_;
  Weights barycentric_{};
  std::array<Weights, k_order> to_node_{};
};

// The sum S = -sum w_i ln p_i of independent exponential variables, look after look, where it has
// stayed below every look's bound: its density, in pieces that are smooth.
class ExponentialSums {
 public:
  explicit ExponentialSums(const RunningIntegral& running) : running_(running) {}

  // P(S reaches `bound` with the next look's summand, of mean `scale`, without having crossed before).
  double crossing(double bound, double scale) const {
    double above = 0, carried = at_zero_;
    for (const Piece& piece : pieces_) {
      if (bound >= piece.hi) {
        carried = (carried + tilted(piece, scale)) * math::exp((piece.lo - piece.hi) / scale);
      } else if (bound > piece.lo) {
        const Weights below = running_.to((bound - piece.lo) / piece.half_width() - 1.0);
        carried = (carried + tilted(piece, scale, below)) * math::exp((piece.lo - bound) / scale);
        for (std::size_t j = 0; j < k_order; ++j)
          above += piece.half_width() * (running_.weight(j) - below[j]) * piece.density[j];
      } else {
        for (std::size_t j = 0; j < k_order; ++j)
          above += piece.half_width() * running_.weight(j) * piece.density[j];
      }
    }
    return above + carried * math::exp(-std::max(0.0, bound - top()) / scale);
  }

  // Adds the next look's summand and removes what reaches `bound`.
  void advance(double bound, double scale) {
    std::vector<Piece> next;
    double carried = at_zero_;
    for (const Piece& piece : pieces_) {
      if (piece.lo >= bound) break;
      Piece& sum = next.emplace_back(piece.lo, std::min(piece.hi, bound));
      for (std::size_t j = 0; j < k_order; ++j) {
        const double s = sum.at(running_.node(j));
        const double below =
            sum.hi == piece.hi
                ? tilted(piece, scale, running_.to_node(j))
                : tilted(piece, scale, running_.to((s - piece.lo) / piece.half_width() - 1.0));
        sum.density[j] = (carried + below) * math::exp((piece.lo - s) / scale) / scale;
      }
      carried = (carried + tilted(piece, scale)) * math::exp((piece.lo - piece.hi) / scale);
    }
    const double width = bound - top();
    const auto n = static_cast<std::size_t>(std::ceil(std::max(0.0, width) / k_widest_piece));
    for (std::size_t i = 0; i < n; ++i) {
      const double end =
          i + 1 == n ? bound : top() + width * static_cast<double>(i + 1) / static_cast<double>(n);
      Piece& sum = next.emplace_back(next.empty() ? 0.0 : next.back().hi, end);
      for (std::size_t j = 0; j < k_order; ++j)
        sum.density[j] = carried * math::exp((top() - sum.at(running_.node(j))) / scale) / scale;
    }
    pieces_ = std::move(next);
    at_zero_ = 0;
  }

  // The highest value that S can have.
  double top() const { return pieces_.empty() ? 0.0 : pieces_.back().hi; }

 private:
  static constexpr double k_widest_piece = 2.0;

  struct Piece {
    Piece(double from, double to) : lo(from), hi(to) {}
    double lo;
    double hi;
    Weights density{};

    double half_width() const { return 0.5 * (hi - lo); }
    double at(double node) const { return 0.5 * (lo + hi) + half_width() * node; }
  };

  // The integral of density(s) exp((s - lo) / scale) over what the weights say of the piece.
  double tilted(const Piece& piece, double scale, const Weights& weights) const {
    double sum = 0;
    for (std::size_t j = 0; j < k_order; ++j) {
      const double from_lo = piece.half_width() * (1.0 + running_.node(j));
      sum += weights[j] * piece.density[j] * math::exp(from_lo / scale);
    }
    return piece.half_width() * sum;
  }
  double tilted(const Piece& piece, double scale) const {
    Weights all;
    for (std::size_t j = 0; j < k_order; ++j) all[j] = running_.weight(j);
    return tilted(piece, scale, all);
  }

  const RunningIntegral& running_;
  std::vector<Piece> pieces_;
  double at_zero_ = 1;  // S starts there
};

// No product of p-values is held to be smaller than e^-60 = 9e-27.
constexpr double k_highest_sum = 60.0;

double sum_of(double critical_value) {
  return critical_value > 0 ? std::min(-math::log(critical_value), k_highest_sum) : k_highest_sum;
}

// The bound whose crossing at the next look has probability `level`.
double bound_for(const ExponentialSums& sums, double level, double scale) {
  if (!(level > 0)) return k_highest_sum;
  // Above the top the crossing probability is an exponential of the bound.
  const double at_top = sums.crossing(sums.top(), scale);
  if (level <= at_top) return sums.top() + scale * (math::log(at_top) - math::log(level));
  const auto excess = [&](double bound) { return sums.crossing(bound, scale) - level; };
  return math::brent_root(excess, 0.0, sums.top(), 1e-13).value_or(0.0);
}

std::vector<double> rounded(std::vector<double> values) {
  for (double& value : values) value = math::round_to_bits(value, math::k_knot_bits);
  return values;
}

}  // namespace

double inverse_normal_z(std::span<const double> stage_z, std::span<const double> weights) {
  TRIALWRIGHT_EXPECT(stage_z.size() <= weights.size());
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < stage_z.size(); ++i) {
    sum += weights[i] * stage_z[i];
    squares += weights[i] * weights[i];
  }
  return sum / std::sqrt(squares);
}

double fisher_product(std::span<const double> stage_p, std::span<const double> weights) {
  TRIALWRIGHT_EXPECT(stage_p.size() <= weights.size());
  double product = 1;
  for (std::size_t i = 0; i < stage_p.size(); ++i)
    product *= weights[i] == 1 ? stage_p[i] : math::pow(stage_p[i], weights[i]);
  return product;
}

double fisher_critical_value(double alpha, double alpha_1, double alpha_0) {
  TRIALWRIGHT_EXPECT(0 <= alpha_1 && alpha_1 < alpha && alpha < alpha_0);
  if (alpha_1 > 0) {
    const double c = (alpha - alpha_1) / (math::log(alpha_0) - math::log(alpha_1));
    if (c <= alpha_1) return c;
  }
  const auto excess = [&](double log_c) {
    const double rest = 1.0 + math::log(alpha_0) - log_c;
    return math::ValueAndSlope{log_c + math::log(rest) - math::log(alpha), 1.0 - 1.0 / rest};
  };
  return math::exp(math::newton_root(excess, math::log(alpha) - 40.0, math::log(alpha),
                                     math::log(alpha) - 2.0, 1e-10));
}

std::vector<double> fisher_critical_values(std::span<const double> alpha_spent,
                                           std::span<const double> weights) {
  TRIALWRIGHT_EXPECT(alpha_spent.size() == weights.size());
  const RunningIntegral running;
  ExponentialSums sums(running);
  std::vector<double> critical_values;
  double spent = 0;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const double bound = bound_for(sums, alpha_spent[k] - spent, weights[k]);
    spent = alpha_spent[k];
    critical_values.push_back(bound < k_highest_sum ? math::exp(-bound) : 0.0);
    if (k + 1 < weights.size()) sums.advance(bound, weights[k]);
  }
  return rounded(std::move(critical_values));
}

std::vector<double> fisher_rejection_probabilities(std::span<const double> critical_values,
                                                   std::span<const double> weights) {
  TRIALWRIGHT_EXPECT(critical_values.size() == weights.size());
  const RunningIntegral running;
  ExponentialSums sums(running);
  std::vector<double> probabilities(weights.size());
  for (std::size_t k = 0; k < weights.size(); ++k) {
    const double bound = sum_of(critical_values[k]);
    probabilities[k] = sums.crossing(bound, weights[k]);
    sums.advance(bound, weights[k]);
  }
  return probabilities;
}

double conditional_error(double z1, double t1, double z2) {
  return math::normal_survival((z2 - std::sqrt(t1) * z1) / std::sqrt(1.0 - t1));
}

}  // namespace trialwright::sequential
