#include "analysis/z_statistic.hpp"

#include <cmath>
#include <limits>
#include <utility>

#include "base/contract.hpp"

namespace trialwright::analysis {

ZStatistic::ZStatistic(const TestSpec& spec, std::shared_ptr<const ExactZ> exact_z)
    : spec_(spec), exact_z_(std::move(exact_z)) {
  TRIALWRIGHT_EXPECT(!check(spec));
  if (!is_exact(spec.method))
    exact_z_.reset();
  else if (exact_z_ == nullptr)
    exact_z_ = std::make_shared<const ExactZ>();
}

double ZStatistic::operator()(std::span<const TwoByTwo> strata) const {
  return is_exact(spec_.method) ? exact_z(collapsed(strata), spec_.direction)
                                : z_of(z_score(spec_, strata));
}

double ZStatistic::z_of(const ZScore& score) const {
  if (score.defined && score.variance > 0.0) return score.numerator / std::sqrt(score.variance);
  if (!score.defined || spec_.method != Method::z_unpooled || score.numerator == 0.0) return 0.0;
  return std::copysign(std::numeric_limits<double>::infinity(), score.numerator);
}

void ZStatistic::add(ZScore& sum, const TwoByTwo& stratum) const {
  const ZScore one = z_score(spec_, {&stratum, 1});
  sum.defined = sum.defined || one.defined;
  sum.numerator += one.numerator;
  sum.variance += one.variance;
}

double ZStatistic::exact_z(const TwoByTwo& table, Direction direction) const {
  return (*exact_z_)(spec_.method, oriented(table, direction));
}

bool ZStatistic::exact_exceeds(const TwoByTwo& table, Direction direction, double limit) const {
  return exact_z_->exceeds(spec_.method, oriented(table, direction), limit);
}

}  // namespace trialwright::analysis
