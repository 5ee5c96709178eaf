// Intercurrent events: rescue medication, leaving the study, and stopping the infusions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
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

// Rescue and dropout over a cohort's columns. Each patient has one uniform for each: the event falls
// into the first interval by whose end the probability of no event so far, the product over the
// intervals so far, is not above the uniform; so each interval has the conditional probability stated
// above. Within an interval rescue comes first; after dropout there is none. Where the slope is 0 these
// products are known for each arm from the start, and no ratio is read.
//
// Draws of (rescue_and_dropout, patient): 0 rescue, 1 the first tier, 2 dropout, 4 + j the rise of the
// tier at visit j.
class IntercurrentProcess {
 public:
  IntercurrentProcess(const IntercurrentEvents& events, const std::vector<double>& visit_weeks);

  bool any() const { return events_.rescue || events_.dropout; }
  bool has_rescue() const { return events_.rescue.has_value(); }
  // Does what happens before a visit hang on the ratio at the visit before?
  bool reads_ratios() const { return reads_ratios_of(Kind::rescue) || reads_ratios_of(Kind::dropout); }

  // Neighbouring patients that are followed together, through the first n_intervals intervals. Works in
  // the cohort's scratch from row 0 on: k_words, k_floats and k_integers columns.
  struct Run {
    rng::Address patients;  // of rescue_and_dropout, the first of them
    std::size_t n;
    std::size_t n_intervals;
    Cohort& cohort;
    std::size_t first_float = 0;
    std::size_t first_integer = 0;
    std::size_t first() const { return patients.unit; }
    std::span<float> floats(std::size_t i) const {
      return cohort.scratch.floats[first_float + i].first(n);
    }
    std::span<int> integers(std::size_t i) const {
      return cohort.scratch.integers[first_integer + i].first(n);
    }
    const int* arm() const { return cohort.arm.data() + first(); }
  };
  static constexpr std::size_t k_words = 4;
  static constexpr std::size_t k_floats = 3;
  static constexpr std::size_t k_integers = 3;

  // Draws, and settles what hangs on no ratio.
  void start(const Run& run) const;
  // The interval before visit j, from the unrescued ratio at the visit before
  // (empty: 1, at the first visit).
  void step(const Run& run, std::size_t visit, std::span<const float> previous_ratio) const;
  // observed = unrescued times the multiplier of the tier in force, after step(visit); in place where
  // they are the same. Needs has_rescue().
  void observe(const Run& run, std::size_t visit, std::span<const float> unrescued,
               std::span<float> observed) const;
  // Fills the cohort's columns of the events that the study has.
  void finish(const Run& run) const;
  // Fills them as if nothing happened.
  void clear(Cohort& cohort) const;

 private:
  enum class Kind { rescue, dropout };

  bool reads_ratios_of(Kind kind) const {
    return kind == Kind::rescue ? events_.rescue && events_.rescue->slope != 0
                                : events_.dropout && events_.dropout->slope != 0;
  }
  bool escalates() const { return events_.rescue && events_.rescue->escalation > 0; }
  void compile_rescue();
  void compile_dropout();
  void start_kind(Kind kind, const Run& run, std::span<const std::uint32_t> words) const;
  void escalate(const Run& run, std::size_t visit) const;

  const IntercurrentEvents& events_;
  std::vector<double> weeks_;
  std::vector<double> intervals_;  // weeks before each visit since the one before
  std::size_t n_arms_rescue_ = 1;  // 1 where the arms do not differ
  std::size_t n_arms_dropout_ = 1;
  // Where no ratio is read: highest word that survives each interval, [arm * n_visits + interval].
  std::vector<std::uint32_t> rescue_bounds_, dropout_bounds_;
  // Where ratios are read, the logarithm of the rate at R = 0: of rescue by arm, of dropout by
  // [interval][arm].
  std::vector<float> rescue_intercepts_;
  std::vector<std::vector<float>> dropout_intercepts_;
  std::vector<std::uint32_t> tier_bounds_;  // highest word of a later first tier
  std::vector<float> multipliers_;          // by tier
  std::vector<std::uint32_t> stay_bounds_;  // by interval: highest word of a tier that stays
};

}  // namespace trialwright::patient
