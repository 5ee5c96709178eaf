#include "endpoint/change.hpp"

#include <limits>

#include "base/contract.hpp"

namespace trialwright::endpoint {

void Change::observe(const patient::Cohort& cohort, std::span<double> change) const {
  TRIALWRIGHT_EXPECT(change.size() == static_cast<std::size_t>(cohort.n_patients));
  const auto value = at_.values(cohort);
  const auto baseline = at_.baselines(cohort);
  switch (spec_.unit) {
    case ChangeUnit::points:
      for (std::size_t i = 0; i < change.size(); ++i) change[i] = value[i] - baseline[i];
      break;
    case ChangeUnit::percent:
      for (std::size_t i = 0; i < change.size(); ++i)
        change[i] = baseline[i] != 0 ? 100 * (value[i] - baseline[i]) / baseline[i]
                                     : std::numeric_limits<double>::quiet_NaN();
      break;
  }
}

}  // namespace trialwright::endpoint
