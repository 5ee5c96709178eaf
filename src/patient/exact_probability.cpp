#include <algorithm>
#include <cmath>

#include "math/elementary.hpp"
#include "patient/patient_model_impl.hpp"

namespace trialwright::patient {

namespace {

// P(baseline = point, eligible) of the driving covariate's points;
// empty where eligibility reads others too.
std::vector<double> eligible_weights(const Population& population, std::size_t driving) {
  const auto& marginal = population.covariates()[driving].marginal;
  std::vector<double> weights = marginal.probabilities();
  const auto points = marginal.points();
  for (const auto& rule : population.eligibility()) {
    const auto& covariate = population.covariates()[static_cast<std::size_t>(rule.covariate)];
    const bool is_grade = covariate.grading && covariate.grading->of == static_cast<int>(driving);
    if (rule.covariate != static_cast<int>(driving) && !is_grade) return {};
    for (std::size_t i = 0; i < weights.size(); ++i)
      weights[i] *= is_grade ? covariate.grading->probability(points[i], rule.minimum, rule.maximum)
                             : (points[i] >= rule.minimum && points[i] <= rule.maximum ? 1.0 : 0.0);
  }
  return weights;
}

}  // namespace

std::optional<double> PatientModel::responder_probability(int arm, int i_visit, double ratio) const {
  const PatientSpec& spec = *impl_->spec;
  const CourseSpec& course = spec.course;
  if (truth_is_drawn() || course.effects.any() || has_rescue() || has_discontinuation())
    return std::nullopt;
  const auto driving = static_cast<std::size_t>(course.baseline_covariate);
  const auto points = spec.population.covariates()[driving].marginal.points();
  const auto weights = eligible_weights(spec.population, driving);
  if (points.empty() || weights.empty()) return std::nullopt;
  const auto a = static_cast<std::size_t>(arm);
  TrialTruth truth = impl_->truth.draw({}, 0);
  const double shift = impl_->truth.shift(truth, a, impl_->truth.full_variant(a));
  const double exponent = impl_->truth.exponent(a, static_cast<std::size_t>(i_visit));
  const TemperedLaw& law = impl_->truth.law(a);
  double total = 0, responders = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    total += weights[i];
    const double most = ratio * points[i] + 1e-9;
    double probability = 1;
    if (most < course.maximum && points[i] > 0) {
      // The score is at most `most` where the ratio lies below the boundary between
      // two points of the grid.
      const double step = course.grid.step();
      const double boundary =
          course.grid.continuous() ? most : course.grid.at(std::floor(most / step + 1e-9)) + step / 2;
      const double bound = boundary / points[i];
      probability =
          math::logistic(log_odds(law, exponent == 1 ? bound : math::pow(bound, 1 / exponent)) + shift);
    }
    responders += weights[i] * probability;
  }
  return total > 0 ? std::optional(responders / total) : std::nullopt;
}

std::optional<double> PatientModel::adverse_event_probability(int arm, double weeks) const {
  const auto& adverse_events = impl_->spec->adverse_events;
  if (!adverse_events.any() || has_dropout()) return std::nullopt;
  if (has_discontinuation() && adverse_events.has_infusion_reactions()) return std::nullopt;
  return adverse_events.probability(static_cast<std::size_t>(arm), weeks);
}

}  // namespace trialwright::patient
