#include "design/reestimation_stages.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "base/contract.hpp"
#include "math/normal.hpp"

namespace trialwright::design {

namespace {

constexpr double k_infinity = std::numeric_limits<double>::infinity();
// Shares of information that differ by less are the same number of patients.
constexpr double k_same_information = 1e-9;

double upper_quantile(double p) {
  return -math::normal_quantile(p);
}

}  // namespace

TwoStageTest::TwoStageTest(sequential::Combination combination, double alpha, double information,
                           std::optional<sequential::BoundarySpec> efficacy)
    : combination_(combination),
      alpha_(alpha),
      information_(information),
      efficacy_(std::move(efficacy)),
      planned_{k_infinity, upper_quantile(alpha)} {
  TRIALWRIGHT_EXPECT(information > 0 && information < 1);
  if (efficacy_) {
    const std::array<double, 2> looks{information, 1.0};
    const auto boundary = sequential::efficacy_boundary(*efficacy_, alpha, looks);
    planned_ = {boundary.efficacy_z[0], boundary.efficacy_z[1]};
    if (combination == sequential::Combination::conditional_error)
      running_.emplace(*efficacy_, alpha, std::vector<double>{information, 1.0});
  }
  if (combination == sequential::Combination::fisher) {
    const double alpha_1 = std::min(math::normal_survival(planned_.interim_z), alpha);
    fisher_product_ = alpha_1 < alpha ? sequential::fisher_critical_value(alpha, alpha_1, 1.0) : 0.0;
  }
}

TwoStageTest::Bounds TwoStageTest::bounds(double information) const {
  if (!running_ || information >= 1 || std::abs(information - information_) < k_same_information)
    return planned_;
  sequential::RunningBoundary::Path path;
  running_->start(path);
  Bounds bounds;
  bounds.interim_z = running_->next(path, information, sequential::RunningBoundary::Look::interim);
  bounds.final_z = running_->next(path, 1.0, sequential::RunningBoundary::Look::final);
  return bounds;
}

double TwoStageTest::weight(double information) const {
  return combination_ == sequential::Combination::conditional_error ? std::min(1.0, information)
                                                                    : information_;
}

double TwoStageTest::critical_z_2(double z_1, double information) const {
  if (combination_ == sequential::Combination::fisher) {
    const double p_1 = math::normal_survival(z_1);
    return fisher_product_ >= p_1 ? -k_infinity : upper_quantile(fisher_product_ / p_1);
  }
  const double t = weight(information);
  const double final_z = bounds(information).final_z;
  // All that was planned is there: the conditional error is 1 or 0.
  if (t >= 1) return z_1 > final_z ? -k_infinity : k_infinity;
  return (final_z - std::sqrt(t) * z_1) / std::sqrt(1.0 - t);
}

}  // namespace trialwright::design
