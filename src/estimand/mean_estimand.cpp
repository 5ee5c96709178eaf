#include "estimand/mean_estimand.hpp"

#include <limits>

namespace trialwright::estimand {

void MeanEstimand::add_needs(patient::Needs& needs) const {
  change_.add_needs(needs);
  if (events_.any()) needs.intercurrent_events = true;
}

void MeanEstimand::observe(const patient::Cohort& cohort, std::span<double> value) const {
  change_.observe(cohort, value);
  if (!events_.dropout) return;
  for (std::size_t i = 0; i < value.size(); ++i)
    if (cohort.dropout_weeks[i] <= week()) value[i] = std::numeric_limits<double>::quiet_NaN();
}

}  // namespace trialwright::estimand
