#include "design/reestimation_stages.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "math/elementary.hpp"
#include "math/normal.hpp"
#include "sequential/conditional_power.hpp"
#include "sequential/inference.hpp"
#include "sequential/recursion.hpp"

namespace trialwright::design {

namespace {

using sequential::Combination;

constexpr double k_infinity = std::numeric_limits<double>::infinity();
// Shares of information that differ by less are the same number of patients.
constexpr double k_same_information = 1e-9;

double upper_quantile(double p) {
  return -math::normal_quantile(p);
}

// Of the stages that brought patients.
double product_of_p(std::span<const double> stage_z, const StagewiseTest::Bounds& bounds) {
  double product = 1, reached = 0;
  for (std::size_t i = 0; i < stage_z.size(); ++i) {
    if (bounds.information[i] > reached) product *= math::normal_survival(stage_z[i]);
    reached = bounds.information[i];
  }
  return product;
}

// P(the product of n p-values <= x).
double product_probability(double x, std::size_t n) {
  if (n == 1) return x;
  const double log = math::log(x);
  double sum = 1, term = 1;
  for (std::size_t j = 1; j < n; ++j) sum += term *= -log / static_cast<double>(j);
  return x * sum;
}

// P(the product of the p-values so far is at or below its critical value at any look).
double product_rejection(const std::vector<double>& critical) {
  double sum = 0;
  for (const double p :
       sequential::fisher_rejection_probabilities(critical, std::vector<double>(critical.size(), 1.0)))
    sum += p;
  return std::min(sum, 1.0);
}

}  // namespace

StagewiseTest::StagewiseTest(Combination combination, double alpha, std::vector<double> information,
                             std::optional<sequential::BoundarySpec> efficacy, int first_change)
    : combination_(combination),
      alpha_(alpha),
      information_(std::move(information)),
      efficacy_(std::move(efficacy)),
      first_change_(first_change),
      has_weights_as_there_(combination == Combination::conditional_error),
      fisher_products_(information_.size()) {
  const std::size_t n = information_.size();
  TRIALWRIGHT_EXPECT(n >= 2 && n <= static_cast<std::size_t>(k_most_looks));
  TRIALWRIGHT_EXPECT(information_.front() > 0 && information_.back() == 1);
  TRIALWRIGHT_EXPECT(combination != Combination::unweighted || n == 2);
  std::copy(information_.begin(), information_.end(), planned_.information.begin());
  planned_.critical_z.fill(k_infinity);
  planned_.critical_z[n - 1] = upper_quantile(alpha);
  alpha_spent_.assign(n, 0);
  if (efficacy_) {
    const auto boundary = sequential::efficacy_boundary(*efficacy_, alpha, information_);
    std::copy(boundary.efficacy_z.begin(), boundary.efficacy_z.end(), planned_.critical_z.begin());
    alpha_spent_ = boundary.alpha_spent;
    if (combination == Combination::conditional_error || combination == Combination::unweighted)
      running_.emplace(*efficacy_, alpha, information_);
  }
  alpha_spent_.back() = alpha;
  if (combination == Combination::fisher) plan_fisher();
}

// The alpha that each look spends is the efficacy boundary's.
void StagewiseTest::plan_fisher() {
  const std::size_t n = information_.size();
  for (std::size_t n_empty = 0; n_empty + 1 < n; ++n_empty) {
    const auto spent = std::span(alpha_spent_).subspan(n_empty);
    const auto to = fisher_products_[n_empty].begin() + static_cast<std::ptrdiff_t>(n_empty);
    if (spent.size() > 2) {
      std::ranges::copy(
          sequential::fisher_critical_values(spent, std::vector<double>(spent.size(), 1.0)), to);
      continue;
    }
    const double alpha_1 =
        n > 2 ? spent[0] : std::min(math::normal_survival(planned_.critical_z[0]), alpha_);
    to[0] = alpha_1;
    to[1] = alpha_1 < alpha_ ? sequential::fisher_critical_value(alpha_, alpha_1, 1.0) : 0.0;
  }
  fisher_products_[n - 1][n - 1] = alpha_;
}

const StagewiseTest::Bounds& StagewiseTest::bounds(std::span<const double> there, Bounds& own) const {
  if (!has_weights_as_there_ && !running_) return without_empty(there, own);
  const std::size_t n_there =
      std::min(there.size(), static_cast<std::size_t>(std::max(first_change_, 0)) + 1);
  bool is_as_planned = true;
  for (std::size_t i = 0; i < n_there; ++i)
    is_as_planned = is_as_planned && std::abs(there[i] - information_[i]) < k_same_information;
  if (is_as_planned) return planned_;
  own = planned_;
  // Where all that was planned is there the decision is made, and there is nothing to spend alpha on.
  const bool is_complete = n_there > 0 && there[n_there - 1] >= 1;
  sequential::RunningBoundary::Path path;
  if (running_) running_->start(path);
  double reached = 0;
  for (std::size_t i = 0; i < information_.size(); ++i) {
    const bool is_last = i + 1 == information_.size();
    const double planned = information_[i];
    reached = is_last ? 1.0 : std::min(1.0, std::max(reached, i < n_there ? there[i] : planned));
    if (has_weights_as_there_) own.information[i] = reached;
    if (running_ && !is_complete)
      own.critical_z[i] = running_->next(path, reached,
                                         is_last ? sequential::RunningBoundary::Look::final
                                                 : sequential::RunningBoundary::Look::interim);
  }
  return own;
}

const StagewiseTest::Bounds& StagewiseTest::without_empty(std::span<const double> there,
                                                          Bounds& own) const {
  const std::size_t n_there = std::min(there.size(), information_.size() - 1);
  double reached = 0;
  std::size_t i = 0;
  for (; i < n_there && there[i] > reached; ++i) reached = there[i];
  if (i == n_there) return planned_;
  own = planned_;
  for (; i < n_there; ++i) {
    if (there[i] > reached) {
      reached = there[i];
      continue;
    }
    own.information[i] = i > 0 ? own.information[i - 1] : 0.0;
    if (reached == 0) own.n_empty = i + 1;
  }
  return own;
}

double StagewiseTest::combined_z(std::span<const double> stage_z, const Bounds& bounds) const {
  double score = 0, reached = 0;
  for (std::size_t i = 0; i < stage_z.size(); ++i) {
    score += std::sqrt(bounds.information[i] - reached) * stage_z[i];
    reached = bounds.information[i];
  }
  return reached > 0 ? score / std::sqrt(reached) : 0.0;
}

double StagewiseTest::critical_z(std::span<const double> stage_z, const Bounds& bounds,
                                 std::size_t i_look) const {
  const std::size_t n = stage_z.size();
  if (n == 0) return bounds.critical_z[i_look];
  if (combination_ == Combination::fisher) return fisher_critical_z(stage_z, bounds, i_look);
  double score = 0, reached = 0;
  for (std::size_t i = 0; i < n; ++i) {
    score += std::sqrt(bounds.information[i] - reached) * stage_z[i];
    reached = bounds.information[i];
  }
  const double at_look = bounds.information[i_look], critical = bounds.critical_z[i_look];
  // All that was planned is there: the conditional error is 1 or 0.
  if (reached >= 1) return score > critical ? -k_infinity : k_infinity;
  const bool is_last = i_look + 1 == information_.size();
  if (!is_last && at_look <= reached * (1 + sequential::k_least_growth)) return k_infinity;
  return (critical * std::sqrt(at_look) - score) / std::sqrt(at_look - reached);
}

double StagewiseTest::fisher_critical_z(std::span<const double> stage_z, const Bounds& bounds,
                                        std::size_t i_look) const {
  const double product = product_of_p(stage_z, bounds), critical = fisher_product(i_look, bounds);
  if (critical >= product) return -k_infinity;
  if (critical <= 0) return k_infinity;
  const std::size_t n_before = std::max(stage_z.size(), bounds.n_empty);
  return upper_quantile(product_probability(critical / product, i_look + 1 - n_before));
}

double StagewiseTest::critical_z_of_rest(std::span<const double> stage_z, const Bounds& bounds) const {
  const std::size_t n = information_.size();
  if (stage_z.size() + 1 == n) return critical_z(stage_z, bounds, n - 1);
  return upper_quantile(conditional_rejection(stage_z, bounds));
}

double StagewiseTest::conditional_rejection(std::span<const double> stage_z,
                                            const Bounds& bounds) const {
  if (stage_z.empty()) return alpha_;
  if (combination_ == Combination::fisher) return fisher_conditional_rejection(stage_z, bounds);
  const std::size_t n = information_.size(), last = stage_z.size() - 1;
  const double z = combined_z(stage_z, bounds), reached = bounds.information[last];
  if (!(reached > 0)) return alpha_;
  if (reached >= 1) return z > bounds.critical_z[n - 1] ? 1.0 : 0.0;
  return sequential::conditional_power(z, last, std::span(bounds.information).first(n),
                                       std::span(bounds.critical_z).first(n), {}, 0.0);
}

double StagewiseTest::fisher_conditional_rejection(std::span<const double> stage_z,
                                                   const Bounds& bounds) const {
  const double product = product_of_p(stage_z, bounds);
  std::vector<double> critical;
  for (std::size_t i = stage_z.size(); i < information_.size(); ++i) {
    if (fisher_product(i, bounds) >= product) return 1.0;
    critical.push_back(fisher_product(i, bounds) / product);
  }
  return product_rejection(critical);
}

double StagewiseTest::unweighted_final_z(double share, const Bounds& bounds) const {
  const double left = alpha_ - math::normal_survival(bounds.critical_z[0]);
  if (!efficacy_ || !(share > 0)) return upper_quantile(alpha_);
  if (share >= 1 / (1 + sequential::k_least_growth)) return bounds.critical_z[1];
  sequential::Recursion process(0);
  process.look(share);
  process.go_on(-k_infinity, bounds.critical_z[0]);
  process.look(1);
  return process.upper_z(left);
}

double StagewiseTest::p_value(std::span<const double> stage_z, const Bounds& bounds, Last last) const {
  const std::size_t n = stage_z.size();
  if (n == 1) return math::normal_survival(stage_z[0]);
  const bool is_rest = last == Last::of_rest && n < information_.size();
  if (combination_ == Combination::fisher)
    return is_rest ? fisher_p_value_of_rest(stage_z, bounds) : fisher_p_value(stage_z, bounds);
  const Outcome end =
      is_rest ? planned_outcome(stage_z, bounds) : Outcome{n - 1, combined_z(stage_z, bounds)};
  if (!efficacy_) return math::normal_survival(end.z);
  std::array<double, k_most_looks> information{}, critical_z{};
  std::size_t n_tested = 0;
  double reached = 0;
  for (std::size_t i = 0; i <= end.i_look; ++i) {
    if (!(bounds.information[i] > reached)) continue;
    information[n_tested] = reached = bounds.information[i];
    critical_z[n_tested++] = bounds.critical_z[i];
  }
  return sequential::stagewise_p_value(
      {std::span(information).first(n_tested), std::span(critical_z).first(n_tested), {}, end.z});
}

StagewiseTest::Outcome StagewiseTest::planned_outcome(std::span<const double> stage_z,
                                                      const Bounds& bounds) const {
  const auto before = stage_z.first(stage_z.size() - 1);
  const double tail = math::normal_survival(stage_z.back());
  const double reached = bounds.information[before.size() - 1];
  const double score = combined_z(before, bounds) * std::sqrt(reached);
  const std::size_t last = information_.size() - 1;
  if (reached >= 1) return {last, score};
  sequential::Recursion rest(0);
  double crossed = 0, there = 0;
  for (std::size_t i = before.size();; ++i) {
    const double growth = bounds.information[i] - reached;
    const bool grows = growth > sequential::k_least_growth * reached &&
                       growth >= there * (1 + sequential::k_least_growth);
    if (!grows && i < last) continue;
    const double root = std::sqrt(bounds.information[i]), sd = std::sqrt(growth);
    const double critical = (bounds.critical_z[i] * root - score) / sd;
    if (!grows && there == 0) return {last, (score + sd * stage_z.back()) / root};
    if (grows) rest.look(there = growth);
    const double crosses = rest.above(critical);
    if (i == last || crossed + crosses >= tail)
      return {i, (score + sd * rest.upper_z(tail - crossed)) / root};
    crossed += crosses;
    rest.go_on(-k_infinity, critical);
  }
}

double StagewiseTest::fisher_p_value(std::span<const double> stage_z, const Bounds& bounds) const {
  const double product = product_of_p(stage_z, bounds);
  const auto products = std::span(fisher_products_[bounds.n_empty])
                            .first(stage_z.size())
                            .subspan(std::min(bounds.n_empty, stage_z.size() - 1));
  if (products.size() == 2) {
    // P(p_1 p_2 as small), where p_1 <= alpha_1 had stopped.
    const double alpha_1 = products[0];
    if (product <= 0) return alpha_1;
    if (alpha_1 > product) return alpha_1 - product * math::log(alpha_1);
    return product - product * math::log(product);
  }
  std::vector<double> critical(products.begin(), products.end());
  critical.back() = product;
  return product_rejection(critical);
}

double StagewiseTest::fisher_p_value_of_rest(std::span<const double> stage_z,
                                             const Bounds& bounds) const {
  const auto before = stage_z.first(stage_z.size() - 1);
  const auto& products = fisher_products_[bounds.n_empty];
  const double product = product_of_p(before, bounds), tail = math::normal_survival(stage_z.back());
  std::vector<double> rest;
  for (std::size_t i = before.size();; ++i) {
    rest.push_back(std::min(1.0, products[i] / product));
    if (i + 1 < information_.size() && product_rejection(rest) < tail) continue;
    double low = 0, high = 60;  // of minus the log of the product
    while (high - low > 1e-10) {
      const double middle = 0.5 * (low + high);
      rest.back() = math::exp(-middle);
      (product_rejection(rest) > tail ? low : high) = middle;
    }
    std::vector<double> critical(products.begin() + static_cast<std::ptrdiff_t>(bounds.n_empty),
                                 products.begin() + static_cast<std::ptrdiff_t>(i + 1));
    critical.back() = product * math::exp(-low);
    return product_rejection(critical);
  }
}

}  // namespace trialwright::design
