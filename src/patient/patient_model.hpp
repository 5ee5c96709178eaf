// The virtual patient: everything that a study file says of patients, sites, courses and events,
// resolved for one truth, and the three steps that make a trial's cohort from it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "input/reader.hpp"
#include "patient/cohort.hpp"
#include "rng/stream.hpp"

namespace trialwright::patient {

// ---- The truth about treatment, as a scenario states it ----

// The responder threshold at which drawn rates and odds ratios are stated.
inline constexpr double k_reference_ratio = 0.5;

// On the log odds of the ratio's distribution function, arm by arm against the control:
// logit F_m(r) = logit F_control(r) + m (logit F_calibrated(r) - logit F_control(r)).
// 0: the active arm behaves as the control; 1: exactly as calibrated.
struct EffectMultiplier {
  double value = 1;
};
// Every active arm: logit F(r) = logit F_control(r) + ln(odds_ratio) (proportional odds;
// DOMAIN model P), at the week when the response is reached and after. It is reached as fast as
// the odds ratio goes: tau = tau_control (tau_arm / tau_control)^w, w = ln(odds_ratio) / ln(calibrated
// odds ratio at the reference ratio) held in [0, 1], so that at 1 the arm is the control
// at every week, and from the calibrated odds ratio on it has its own time constant.
// Site, region and stratum terms on the effect are multiplied by that quotient held in [0, 2].
// A calibrated ln(odds ratio) nearer to 0 than 0.1 counts as 0.1.
struct ConstantOddsRatio {
  double value = 1;
};
// Each trial draws ln(odds ratio) ~ Normal(mean, sd) for the active arms (as ConstantOddsRatio),
// and, where control_events is given, the control's responder rate ~ Beta(events, non_events),
// both at the reference responder threshold; the control's calibrated law is shifted
// by logit(drawn rate) - logit(published rate), so that the rate observed moves to
// the one drawn although rescue and dropout stand between the law and what is observed.
// Without a published rate (or one of 0 or 1) the law's own rate takes its place.
struct LogOddsRatioDraw {
  double mean = 0;
  double sd = 1;
  std::optional<double> control_events;
  std::optional<double> control_non_events;
  std::optional<double> published_control_rate{};
};
// Each trial draws each arm's responder rate at the reference threshold from Beta(events, non_events);
// each arm's calibrated law is shifted on the log-odds scale as LogOddsRatioDraw shifts the control's.
struct BetaRatesDraw {
  std::vector<double> events;                            // by arm
  std::vector<double> non_events;                        // by arm
  std::vector<std::optional<double>> published_rates{};  // by arm; empty: of no arm
};
// Each trial draws each arm's (rate at threshold 1, rate at the deeper threshold 2) from the Dirichlet
// posterior of the published counts (deep responders, responders not deep, non-responders; Jeffreys
// prior 1/2 each), and takes the Kumaraswamy law with these two rates moved on the log-odds scale by
// what the calibrated law's rates differ from the published ones (zero where no intercurrent events
// stand between).
struct PosteriorDraw {
  struct ArmCounts {
    double responders = 0;
    double deep_responders = 0;
    double patients = 0;
  };
  std::vector<ArmCounts> arms;  // by arm
  double ratio_1 = 0.5;
  double ratio_2 = 0.1;
};
using Truth =
    std::variant<EffectMultiplier, ConstantOddsRatio, LogOddsRatioDraw, BetaRatesDraw, PosteriorDraw>;

// ---- What a plan reads of its patients ----

struct Needs {
  std::vector<std::vector<bool>> measure_visits;  // [i_measure][i_visit]
  bool intercurrent_events = true;                // rescue, discontinuation, dropout times
  bool adverse_events = true;
  bool calendar = true;          // enrolment times
  bool sites = true;             // site and region (made anyway where the model needs them)
  std::vector<bool> factors;     // [i_factor], levels; empty: all. Those with effects are made anyway
  std::vector<bool> covariates;  // [i_covariate]; empty: all. Those that eligibility, strata
                                 // and needed measures hang on are made anyway
};

// ---- The names a study's other sections refer to ----

struct MeasureInfo {
  std::string name;
  int baseline_covariate = -1;  // index into covariates
  double minimum = 0;
  double maximum = 0;
  double grid = 0;
  bool is_grade = false;  // of the driving measure, without noise but its baseline's
};

struct ArmInfo {
  std::string name;
  bool control = false;
  double dose_cells_per_kg = 0;  // an infusion's; 0 where none is stated
};

struct FactorInfo {
  std::string name;
  std::vector<std::string> levels;  // as printed: "iga < 4", "iga >= 4", "korea"
};

// A response at a visit: every condition that is given holds for the score on its grid, each
// with a tolerance of 1e-9.
struct ResponseCondition {
  int measure = 0;  // index into measures
  int i_visit = 0;
  std::optional<double> ratio{};        // score <= ratio * baseline, and baseline > 0
  std::optional<double> at_most{};      // score <= at_most
  std::optional<double> improvement{};  // baseline - score >= improvement
};

// A joint law of responses and strata.
struct ResponseLaw {
  // [stratum * 2^n + pattern], bit c of the pattern: condition c of n holds; the strata are the
  // factors' combinations, the last factor's level running fastest. Sums to 1; empty where there is
  // none.
  std::vector<double> probabilities;
  std::string why_not;  // then: completes "there is no exact law: …"
};

// When patients leave: probabilities[i] at weeks[i], ascending; the others never do.
struct DropoutLaw {
  std::vector<double> weeks;
  std::vector<double> probabilities;
  // P(in the study after `week`).
  double staying(double week) const;
};

struct PatientSpec;  // the sections as written: population, recruitment, arms, measures, …; see
                     // patient_spec.hpp

// Reads the sections `population`, `recruitment`, `arms`, `measures`, `intercurrent_events`, `safety`
// of the study's top-level map. Faults go to the reader's diagnostics. Parts that `known` names are
// taken from there instead of being read.
struct KnownParts {
  const PatientSpec* recruitment = nullptr;  // of a study with the same section `recruitment`
  const PatientSpec* population =
      nullptr;  // with the same `population`; used if the regions are the same
};
std::shared_ptr<const PatientSpec> read_patient(input::Reader& study, const KnownParts& known = {});

class CourseTableCache;  // see course_tables.hpp

// A resolved, immutable model; safe to share between threads.
class PatientModel {
 public:
  // Faults that only show with this truth (a multiplier whose law is not monotone, …)
  // go to `faults` at `at`. Tables are shared with the models that were made with the same cache, which
  // may be null.
  PatientModel(std::shared_ptr<const PatientSpec> spec, const Truth& truth, input::Diagnostics& faults,
               const input::Position& at, CourseTableCache* known = nullptr);
  ~PatientModel();
  PatientModel(PatientModel&&) noexcept;

  const std::vector<ArmInfo>& arms() const;
  int control_arm() const;
  const std::vector<MeasureInfo>& measures() const;  // [0] is the driving measure
  const std::vector<double>& visit_weeks() const;    // of the driving measure; all measures share them
  const std::vector<std::string>& covariates() const;
  const std::vector<FactorInfo>& factors() const;  // population.strata, then "region" and "site"
  const std::vector<std::string>& adverse_event_categories() const;
  double follow_up_weeks() const;  // last visit or safety follow-up
  int n_sites() const;
  bool truth_is_drawn() const;  // each trial has its own truth
  // Every active arm's course equals the control's, rescue and dropout included.
  // When infusions stop may still differ: see stops_infusions_alike.
  bool is_null() const;
  // Do two arms have the same law of when infusions stop? (By their infusions' weeks and, where adverse
  // events stop them, the law of these.) True where nothing stops them.
  bool stops_infusions_alike(int arm, int other) const;
  // No site or region random effect, no drift with dates that patients have in common, no drawn truth.
  bool patients_are_independent() const;
  bool drifts_with_calendar() const;  // response hangs on when a patient is randomised
  // The share of the patients at a level of a factor, to 0.002; nullopt where it hangs on where they
  // enrol.
  std::optional<double> level_share(int factor, int level) const;
  // Largest number of patients the sites may enrol (caps); SIZE_MAX-like where unlimited.
  std::int64_t capacity() const;

  // Sizes the columns for n_patients, the most that the trial may come to; n_planned: as many as it has
  // if no look changes it, which the shares of regions are of (default: all).
  void prepare(int n_patients, Cohort& cohort, std::optional<int> n_planned = {}) const;
  // Sites, calendar, eligible baseline covariates, strata of cohort.n_patients patients.
  void enrol(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const;
  // Sites and calendar of the same patients alone.
  void enrol_sites(rng::Key key, std::uint64_t trial, Cohort& cohort) const;
  // Does enrol() make enrolment times with these needs? It does, asked or not, where patients hang on
  // their sites.
  bool makes_calendar(const Needs& needs) const;
  // After cohort.arm is set: course, intercurrent events, linked measures, adverse events.
  void follow(rng::Key key, std::uint64_t trial, const Needs& needs, Cohort& cohort) const;

  // The joint law, to 1e-9, of an arm's patients' responses at one visit and of their levels of the
  // given factors (indices into factors()), over the eligible population, in the absence of rescue and
  // dropout; why_not says where it has no one-dimensional form.
  ResponseLaw response_law(int arm, std::span<const ResponseCondition> conditions,
                           std::span<const int> factors) const;
  // The probability of one response; nullopt where response_law has none.
  std::optional<double> response_probability(int arm, const ResponseCondition& condition) const;
  // The same among the patients at a level of a factor (index into factors()).
  std::optional<double> response_probability(int arm, const ResponseCondition& condition, int factor,
                                             int level) const;
  // When an arm's patients leave; nullopt where that hangs on the course.
  std::optional<DropoutLaw> dropout_law(int arm) const;
  // Exact probability of at least one adverse event by `weeks` (all categories, all grades) that is
  // seen (before the patient leaves); nullopt where leaving hangs on the course or discontinuation can
  // prevent one.
  std::optional<double> adverse_event_probability(int arm, double weeks) const;
  // The same of a patient who does not leave.
  std::optional<double> staying_adverse_event_probability(int arm, double weeks) const;
  // Does any intercurrent event of the study change, hide or end anything?
  bool has_rescue() const;
  std::vector<std::string> rescue_tiers()
      const;  // names, in the order of escalation; none without rescue
  bool has_dropout() const;
  bool has_discontinuation() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trialwright::patient
