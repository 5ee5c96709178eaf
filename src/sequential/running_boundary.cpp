#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/contract.hpp"
#include "sequential/boundary.hpp"
#include "sequential/efficacy_rule.hpp"

namespace trialwright::sequential {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();

}  // namespace

RunningBoundary::RunningBoundary(BoundarySpec spec, double alpha,
                                 std::vector<double> planned_information)
    : spec_(std::move(spec)),
      alpha_(alpha),
      planned_(efficacy_boundary(spec_, alpha_, planned_information)) {}

RunningBoundary::RunningBoundary(BoundarySpec spec, double alpha,
                                 std::vector<double> planned_information, FutilitySpec futility,
                                 Binding binding)
    : spec_(std::move(spec)),
      alpha_(alpha),
      futility_(std::move(futility)),
      binding_(binding),
      planned_(boundary_with_futility(spec_, alpha_, *futility_, binding_, planned_information)) {}

void RunningBoundary::start(Path& path) const {
  path.information.clear();
  path.efficacy_z.clear();
  path.futility_z.clear();
  path.information.reserve(k_most_looks);
  path.efficacy_z.reserve(k_most_looks);
  path.futility_z.reserve(k_most_looks);
  path.spent = path.beta_spent = 0;
  path.null.start(0);
  path.alternative.start(planned_.drift);
}

RunningBoundary::Bounds RunningBoundary::next_bounds(Path& path, double information, Look look) const {
  const double last = path.information.empty() ? 0 : path.information.back();
  const bool has_grown = information > 0 && information >= last * (1 + k_least_growth);
  if (!has_grown) {
    if (look == Look::interim || path.information.empty()) return {k_infinity, -k_infinity};
    // The process still stands at the last look, above whose bound the trial would have stopped.
    const bool stands = spec_.family == Family::user && !spec_.z.empty();
    const double crossed = path.null.above(path.efficacy_z.back());
    const double e = stands ? spec_.z.back() : path.null.upper_z(crossed + (alpha_ - path.spent));
    path.spent = stands ? path.spent : alpha_;
    path.efficacy_z.back() = e;
    path.futility_z.back() = futility_ ? e : -k_infinity;
    return {e, path.futility_z.back()};
  }
  path.null.look(information);
  const double e = efficacy_z(path, information, look);
  path.spent += path.null.above(e);
  double f = -k_infinity;
  if (futility_) {
    path.alternative.look(information);
    f = look == Look::final ? e : futility_z(path, information, e);
    path.beta_spent += path.alternative.below(f);
    path.alternative.go_on(f, e);
  }
  path.null.go_on(binding_ == Binding::binding ? f : -k_infinity, e);
  path.information.push_back(information);
  path.efficacy_z.push_back(e);
  path.futility_z.push_back(f);
  return {e, f};
}

double RunningBoundary::efficacy_z(Path& path, double information, Look look) const {
  const std::size_t i_look = path.information.size();
  const bool user_z = !spec_.z.empty();
  if (look == Look::final) return user_z ? spec_.z.back() : spending_z(path.null, alpha_, path.spent);
  const double constant = has_shape(spec_.family)
                              ? planned_.efficacy_z.back() / shape(spec_, planned_.information.back())
                              : 0;
  const double z =
      EfficacyRule{spec_, alpha_, constant}.interim(i_look, information, path.null, path.spent);
  if (is_spending(spec_.family) || spec_.family == Family::user) return z;
  // Looks more often than planned, or later, must not spend more than there is.
  return path.null.above(z) > alpha_ - path.spent ? spending_z(path.null, alpha_, path.spent) : z;
}

double RunningBoundary::futility_z(Path& path, double information, double efficacy_z) const {
  const auto& spending = futility_->spending;
  const std::size_t i_look = std::min(
      path.information.size(), spending.alpha_spent.empty() ? 0 : spending.alpha_spent.size() - 1);
  const double target = spending.family == Family::user ? spending.alpha_spent[i_look]
                                                        : spent(spending, futility_->beta, information);
  return std::min(path.alternative.lower_z(target - path.beta_spent), efficacy_z);
}

void RunningBoundary::heed(Path& path, double futility_z) const {
  TRIALWRIGHT_EXPECT(!path.efficacy_z.empty());
  path.futility_z.back() = futility_z;
  path.null.go_on(futility_z, path.efficacy_z.back());
  if (futility_) path.alternative.go_on(futility_z, path.efficacy_z.back());
}

}  // namespace trialwright::sequential
