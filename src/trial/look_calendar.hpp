// When a look's trigger is met, on the calendar of the patients randomised so far and planned.
#pragma once

#include <cstdint>
#include <limits>
#include <span>

#include "design/looks.hpp"

namespace trialwright::trial {

// The trial's patients in the order of randomisation, as recruitment goes on if no look changes it.
struct RecruitmentView {
  std::span<const double> months;  // of randomisation, since the study's start; non-decreasing
  double outcome_months = 0;       // from a patient's randomisation until the primary outcome is due
  int n_planned = 0;               // what fractions are of
  int outcomes_at_next_look = 0;   // where not 0: what OutcomesKnown waits for (TrialState)
  std::span<const int> patients;   // [i]: whose value is values[patients[i]]
  std::span<const std::int8_t> values;  // of the primary estimand: 1, 0, -1 missing

  // Patients with something due by `cut_months` that is due so many months after randomisation: the
  // first so many.
  int n_due(double months_after, double cut_months) const;
};

inline constexpr double k_never_met = std::numeric_limits<double>::infinity();

struct TriggerTime {
  double cut_months = k_never_met;  // when it is met
  // The randomisation of the last patient that the look waits for, after which recruitment may pause;
  // the cut itself where nobody can tell that patient beforehand (events, dates).
  double halt_months = k_never_met;
};

// The first moment at which a trigger is met; k_never_met if the patients planned never do. Of first_of
// the earliest of its triggers, of last_of the latest of either time.
TriggerTime trigger_time(const design::LookTrigger& trigger, const RecruitmentView& view);

}  // namespace trialwright::trial
