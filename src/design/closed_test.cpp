#include "design/closed_test.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "math/quadrature.hpp"
#include "sequential/dunnett.hpp"

namespace trialwright::design {

namespace {

using sequential::Combination;

constexpr double k_infinity = std::numeric_limits<double>::infinity();
// DunnettTable's range, within which an intersection's z stays whichever way it is calculated.
constexpr double k_lowest_z = -6, k_highest_z = 12;

using Values = std::array<double, k_most_closed>;

// The members' values in the order of their hypotheses; how many.
std::size_t gather(const Values& values, Bits members, Values& out) {
  std::size_t n = 0;
  for (; members != 0; members &= members - 1)
    out[n++] = values[static_cast<std::size_t>(std::countr_zero(members))];
  return n;
}

double largest(const Values& values, Bits members) {
  double most = -k_infinity;
  for (; members != 0; members &= members - 1)
    most = std::max(most, values[static_cast<std::size_t>(std::countr_zero(members))]);
  return most;
}

// Ascending, by insertion.
void sort_few(Values& values, std::size_t n) {
  for (std::size_t i = 1; i < n; ++i) {
    const double value = values[i];
    std::size_t place = i;
    for (; place > 0 && values[place - 1] > value; --place) values[place] = values[place - 1];
    values[place] = value;
  }
}

}  // namespace

double shared_control_lambda(int n_arm, int n_control) {
  const double both = static_cast<double>(n_arm) + n_control;
  return both > 0 ? std::sqrt(n_arm / both) : 0;
}

ClosedTest::ClosedTest(const ClosedTestSpec& spec, double alpha, std::span<const double> information,
                       std::span<const double> planned_lambda)
    : spec_(spec), n_hypotheses_(static_cast<int>(planned_lambda.size())) {
  TRIALWRIGHT_EXPECT(n_hypotheses_ >= 1 && n_hypotheses_ <= k_most_closed);
  TRIALWRIGHT_EXPECT(spec.combination == Combination::inverse_normal ||
                     spec.combination == Combination::fisher);
  double before = 0;
  for (const double there : information) {
    weights_.push_back(std::sqrt(there - before));
    fisher_weights_.push_back(weights_.back() / weights_.front());
    scale_.push_back(1 / std::sqrt(there));
    before = there;
  }
  make_critical_values(alpha, information);
  make_overall_table();
  make_tables(planned_lambda);
}

void ClosedTest::make_critical_values(double alpha, std::span<const double> information) {
  const std::size_t n_looks = information.size();
  const bool is_fisher = spec_.combination == Combination::fisher;
  const auto fill = [&](std::vector<double> spent, std::size_t i_look) {
    spent[i_look] = alpha;
    spent.resize(i_look + 1);
    return sequential::fisher_critical_values(spent, std::span(fisher_weights_).first(i_look + 1));
  };
  if (!spec_.efficacy) {
    interim_.assign(n_looks, is_fisher ? 0.0 : k_infinity);
    for (std::size_t k = 0; k < n_looks; ++k)
      final_.push_back(is_fisher ? fill(std::vector<double>(n_looks, 0.0), k).back()
                                 : -math::normal_quantile(alpha));
    return;
  }
  const auto planned = sequential::efficacy_boundary(*spec_.efficacy, alpha, information);
  first_bound_ = planned.efficacy_z.front();
  alpha_first_ = n_looks > 1 ? math::normal_survival(first_bound_) : 0;
  if (is_fisher) {
    interim_ = fill(planned.alpha_spent, n_looks - 1);
    for (std::size_t k = 0; k < n_looks; ++k) final_.push_back(fill(planned.alpha_spent, k).back());
    return;
  }
  interim_ = planned.efficacy_z;
  using sequential::RunningBoundary;
  const RunningBoundary running(*spec_.efficacy, alpha, {information.begin(), information.end()});
  for (std::size_t last = 0; last + 1 < n_looks; ++last) {
    RunningBoundary::Path path;
    running.start(path);
    for (std::size_t k = 0; k < last; ++k)
      running.next(path, information[k], RunningBoundary::Look::interim);
    final_.push_back(running.next(path, information[last], RunningBoundary::Look::final));
  }
  final_.push_back(planned.efficacy_z.back());
}

void ClosedTest::make_tables(std::span<const double> planned_lambda) {
  std::copy(planned_lambda.begin(), planned_lambda.end(), planned_lambda_.begin());
  table_of_.assign(std::size_t{1} << n_hypotheses_, -1);
  if (spec_.intersection != Intersection::dunnett) return;
  std::map<std::vector<double>, int> made;
  for (Bits members = 1; members < table_of_.size(); ++members) {
    Values lambda;
    const std::size_t n = gather(planned_lambda_, members, lambda);
    if (n < 2) continue;
    std::vector<double> key(lambda.begin(), lambda.begin() + static_cast<std::ptrdiff_t>(n));
    std::sort(key.begin(), key.end());
    const auto [place, is_new] = made.try_emplace(key, static_cast<int>(tables_.size()));
    if (is_new) tables_.emplace_back(key);
    table_of_[members] = place->second;
  }
}

double ClosedTest::critical_value(int i_look, Look look) const {
  const auto i = static_cast<std::size_t>(i_look);
  return look == Look::final ? final_[i] : interim_[i];
}

double ClosedTest::single_step_z(const StageEvidence& stage, Bits members) const {
  const double most = largest(stage.z, members);
  bool as_planned = true;
  for (Bits left = members; left != 0; left &= left - 1) {
    const auto h = static_cast<std::size_t>(std::countr_zero(left));
    as_planned = as_planned && stage.lambda[h] == planned_lambda_[h];
  }
  if (as_planned) return tables_[static_cast<std::size_t>(table_of_[members])](most);
  Values lambda;
  const std::size_t n = gather(stage.lambda, members, lambda);
  return sequential::dunnett_z(std::clamp(most, k_lowest_z, k_highest_z), {lambda.data(), n});
}

double ClosedTest::of_p_values(const StageEvidence& stage, Bits members) const {
  Values p;
  const std::size_t n = gather(stage.z, members, p);
  for (std::size_t i = 0; i < n; ++i) p[i] = math::normal_survival(p[i]);
  const double m = static_cast<double>(n);
  double least = k_infinity;
  if (spec_.intersection == Intersection::simes) {
    sort_few(p, n);
    for (std::size_t i = 0; i < n; ++i) least = std::min(least, m * p[i] / static_cast<double>(i + 1));
  } else {
    for (std::size_t i = 0; i < n; ++i) least = std::min(least, m * p[i]);
  }
  return -math::normal_quantile(std::min(1.0, least));
}

double ClosedTest::intersection_z(const StageEvidence& stage, Bits members) const {
  const Bits there = members & stage.tested;
  if (there == 0) return -k_infinity;
  if (std::has_single_bit(there) || spec_.intersection == Intersection::hierarchical)
    return stage.z[static_cast<std::size_t>(std::countr_zero(there))];
  return spec_.intersection == Intersection::dunnett ? single_step_z(stage, there)
                                                     : of_p_values(stage, there);
}

double ClosedTest::combined(std::span<const double> stage_z) const {
  if (spec_.combination == Combination::fisher) {
    double product = 1;
    for (std::size_t k = 0; k < stage_z.size(); ++k) {
      const double p = math::normal_survival(stage_z[k]);
      product *= fisher_weights_[k] == 1.0 ? p : math::pow(p, fisher_weights_[k]);
    }
    return product;
  }
  double sum = 0;
  // A stage that cannot reject is -infinity, and so is the sum then, whatever the others say.
  for (std::size_t k = 0; k < stage_z.size(); ++k) {
    if (stage_z[k] == -k_infinity) return -k_infinity;
    sum += weights_[k] * stage_z[k];
  }
  return sum * scale_[stage_z.size() - 1];
}

ClosedTest::Result ClosedTest::operator()(std::span<const StageEvidence> stages, Look look) const {
  TRIALWRIGHT_EXPECT(!stages.empty() && stages.size() <= weights_.size());
  const bool is_fisher = spec_.combination == Combination::fisher;
  Result result;
  result.critical_value = critical_value(static_cast<int>(stages.size()) - 1, look);
  result.statistic.fill(is_fisher ? 0.0 : k_infinity);
  std::array<double, k_most_looks> z;
  for (Bits members = 1; members < table_of_.size(); ++members) {
    for (std::size_t k = 0; k < stages.size(); ++k) z[k] = intersection_z(stages[k], members);
    const double statistic = combined({z.data(), stages.size()});
    for (Bits left = members; left != 0; left &= left - 1) {
      double& weakest = result.statistic[static_cast<std::size_t>(std::countr_zero(left))];
      weakest = is_fisher ? std::max(weakest, statistic) : std::min(weakest, statistic);
    }
  }
  for (int h = 0; h < n_hypotheses_; ++h) {
    const double weakest = result.statistic[static_cast<std::size_t>(h)];
    if (is_fisher ? weakest < result.critical_value : weakest > result.critical_value)
      result.rejected |= Bits{1} << h;
  }
  return result;
}

// Stage 1 rejects, or does not and the two together are as extreme. From the nearer end, so that both
// tails keep their digits.
void ClosedTest::make_overall_table() {
  const bool is_needed =
      weights_.size() == 2 && alpha_first_ > 0 && spec_.combination == Combination::inverse_normal;
  if (!is_needed) return;
  const math::GaussLegendre rule(24);
  const double bound = interim_.front();
  const auto within_first = [&](auto&& of_both, double both) {
    return rule.integrate(
        [&](double z) { return math::normal_pdf(z) * of_both((both - weights_[0] * z) / weights_[1]); },
        -9.0, bound, 8);
  };
  overall_.emplace(
      [&](double both) {
        return both < 0
                   ? math::normal_quantile(within_first(math::normal_cdf, both))
                   : -math::normal_quantile(alpha_first_ + within_first(math::normal_survival, both));
      },
      -7.0, 9.0, 801);
}

// P(p1 <= alpha_1, or p1 p2^w <= product): p2 has to be below (product / p1)^(1/w).
double ClosedTest::overall_fisher_p(double product) const {
  if (product <= 0) return alpha_first_;
  const double from = std::max(alpha_first_, std::min(product, 1.0)), power = 1 / fisher_weights_[1];
  const double integral =
      power == 1.0 ? -math::log(from) : (1 - math::pow(from, 1 - power)) / (1 - power);
  return from + math::pow(product, power) * integral;
}

double ClosedTest::overall_z(std::span<const double> stage_z) const {
  TRIALWRIGHT_EXPECT(stage_z.size() == 1 || (stage_z.size() == 2 && weights_.size() == 2));
  const bool ends_first = stage_z.size() == 1 || (alpha_first_ > 0 && stage_z[0] > first_bound_);
  if (ends_first) return stage_z[0];
  const double both = combined(stage_z);
  if (spec_.combination == Combination::fisher) return -math::normal_quantile(overall_fisher_p(both));
  return overall_ && both > -k_infinity ? (*overall_)(both) : both;
}

double ClosedTest::closed_z(std::span<const StageEvidence> stages, int i_hypothesis) const {
  double least = k_infinity;
  std::array<double, 2> z{};
  for (Bits members = 1; members < table_of_.size(); ++members) {
    if ((members >> i_hypothesis & 1) == 0) continue;
    for (std::size_t k = 0; k < stages.size(); ++k) z[k] = intersection_z(stages[k], members);
    least = std::min(least, overall_z({z.data(), stages.size()}));
  }
  return least;
}

double ClosedTest::p_value(std::span<const StageEvidence> stages, int i_hypothesis) const {
  return math::normal_survival(closed_z(stages, i_hypothesis));
}

double ClosedTest::overall_p_value(std::span<const double> stage_z) const {
  return math::normal_survival(overall_z(stage_z));
}

}  // namespace trialwright::design
