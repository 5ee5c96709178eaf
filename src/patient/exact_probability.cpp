#include <algorithm>

#include "math/elementary.hpp"
#include "patient/patient_model_impl.hpp"
#include "patient/response_sum.hpp"

namespace trialwright::patient {

ResponseLaw PatientModel::response_law(int arm, std::span<const ResponseCondition> conditions,
                                       std::span<const int> factors) const {
  return ResponseSum(*impl_->spec, impl_->truth, static_cast<std::size_t>(arm), conditions, factors)
      .run();
}

std::optional<double> PatientModel::response_probability(int arm,
                                                         const ResponseCondition& condition) const {
  const auto law = response_law(arm, {&condition, 1}, {});
  if (law.probabilities.empty()) return std::nullopt;
  return law.probabilities[1];
}

std::optional<double> PatientModel::response_probability(int arm, const ResponseCondition& condition,
                                                         int factor, int level) const {
  const auto law = response_law(arm, {&condition, 1}, {&factor, 1});
  if (law.probabilities.empty()) return std::nullopt;
  const auto first = 2 * static_cast<std::size_t>(level);
  const double others = law.probabilities[first], responders = law.probabilities[first + 1];
  if (!(others + responders > 0)) return std::nullopt;
  return responders / (others + responders);
}

double DropoutLaw::staying(double week) const {
  double left = 0;
  for (std::size_t i = 0; i < weeks.size(); ++i)
    if (weeks[i] <= week) left += probabilities[i];
  return 1 - left;
}

std::optional<DropoutLaw> PatientModel::dropout_law(int arm) const {
  DropoutLaw law;
  const auto& dropout = impl_->spec->events.dropout;
  if (!dropout) return law;
  if (dropout->slope != 0) return std::nullopt;
  const double rate =
      dropout->rate_per_week * math::exp(dropout->arm_log_hazard[static_cast<std::size_t>(arm)]);
  double before = 0;
  for (const double week : visit_weeks()) {
    law.weeks.push_back(week - dropout->weeks_before_visit);
    law.probabilities.push_back(math::exp(-rate * before) * -math::expm1(-rate * (week - before)));
    before = week;
  }
  return law;
}

std::optional<double> PatientModel::staying_adverse_event_probability(int arm, double weeks) const {
  const auto& adverse_events = impl_->spec->adverse_events;
  if (!adverse_events.any()) return std::nullopt;
  if (has_discontinuation() && adverse_events.has_infusion_reactions()) return std::nullopt;
  return adverse_events.probability(static_cast<std::size_t>(arm), weeks);
}

std::optional<double> PatientModel::adverse_event_probability(int arm, double weeks) const {
  const auto dropout = dropout_law(arm);
  const auto staying = staying_adverse_event_probability(arm, weeks);
  if (!dropout || !staying) return std::nullopt;
  double stays = 1, seen = 0;
  for (std::size_t i = 0; i < dropout->weeks.size(); ++i) {
    const double until = std::min(weeks, dropout->weeks[i]);
    seen += dropout->probabilities[i] * *staying_adverse_event_probability(arm, until);
    stays -= dropout->probabilities[i];
  }
  return seen + stays * *staying;
}

}  // namespace trialwright::patient
