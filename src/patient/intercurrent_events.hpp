// Intercurrent events: rescue medication, leaving the study, and stopping the infusions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "input/reader.hpp"
#include "patient/arms.hpp"
#include "patient/cohort.hpp"
#include "rng/stream.hpp"

namespace trialwright::patient {

// Rescue within an interval of dt weeks before a visit: probability 1 - (1 - h)^(dt / 2),
// logit h = log_odds_per_2_weeks + log_odds_slope (R_prev - ratio_reference) + the arm's log odds,
// R_prev the unrescued ratio at the visit before (1 at baseline). From then on every observed ratio
// is multiplied by the tier's multiplier; in each later interval the tier may rise with probability
// 1 - (1 - escalation)^(dt / 2). DOMAIN section 4.
struct Rescue {
  struct Tier {
    std::string name;
    double probability = 0;  // of being the first medication
    double ratio_multiplier = 1;
  };
  double log_odds = 0;
  double slope = 0;
  double ratio_reference = 0.8;
  double weeks_before_visit = 0.5;
  double first_week = 0;
  double escalation = 0;
  std::vector<double> arm_log_odds;  // by arm
  std::vector<Tier> tiers;           // in the order of escalation
};

// Dropout within an interval of dt weeks: probability
// 1 - exp(-rate_per_week dt exp(log_slope (R_prev - ratio_reference) + the arm's log hazard)).
struct Dropout {
  double rate_per_week = 0;
  double slope = 0;
  double ratio_reference = 0.8;
  double weeks_before_visit = 0.5;
  std::vector<double> arm_log_hazard;  // by arm
};

// The infusions stop for good at an exponential time, or with a probability at each adverse event of
// grade 3 or more, while infusions are still to come.
struct Discontinuation {
  double rate_per_week = 0;
  double after_grade_3_event = 0;
};

struct IntercurrentEvents {
  std::optional<Rescue> rescue;
  std::optional<Dropout> dropout;
  std::optional<Discontinuation> discontinuation;

  // Reads the optional section `intercurrent_events`; each event is off where its
  // map is absent or null.
  static IntercurrentEvents read(input::Reader& study, const std::vector<Arm>& arms,
                                 const std::vector<double>& visit_weeks);

  // Do rescue and dropout treat two arms in the same state alike?
  bool are_same_in_all_arms() const;
};

// The process from visit to visit over a cohort's columns. Draws: (rescue, patient) 2j the event (or
// the rise of the tier) and 2j + 1 the first tier, (dropout, patient) j, at visit j.
class IntercurrentProcess {
 public:
  IntercurrentProcess(const IntercurrentEvents& events, const std::vector<double>& visit_weeks);

  // Nobody rescued or gone.
  void start(Cohort& cohort) const;
  // The interval before visit j, from the unrescued ratio at the visit before
  // (empty: 1, at the first visit).
  void step(rng::Key key, std::uint64_t trial, std::size_t visit,
            std::span<const double> previous_ratio, Cohort& cohort) const;
  // observed = unrescued times the multiplier of the tier in force.
  void observe(std::span<const double> unrescued, Cohort& cohort, std::span<double> observed) const;

 private:
  void rescue_step(rng::Key key, std::uint64_t trial, std::size_t visit,
                   std::span<const double> previous_ratio, Cohort& cohort) const;
  void dropout_step(rng::Key key, std::uint64_t trial, std::size_t visit,
                    std::span<const double> previous_ratio, Cohort& cohort) const;
  int first_tier(double u) const;

  const IntercurrentEvents& events_;
  std::vector<double> weeks_;
  std::vector<double> intervals_;  // weeks before each visit since the one before
};

}  // namespace trialwright::patient
