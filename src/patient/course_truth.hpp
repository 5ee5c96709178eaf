// The course under one truth: each arm's law as the scenario moves it, compiled for the inner loop.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "input/diagnostics.hpp"
#include "patient/arms.hpp"
#include "patient/course.hpp"
#include "patient/course_tables.hpp"
#include "patient/patient_model.hpp"
#include "rng/stream.hpp"

namespace trialwright::patient {

// One trial's truth, by arm, for patients with all their infusions.
struct TrialTruth {
  std::array<double, k_most_arms> shift{};  // log odds added to the compiled law
  std::array<double, k_most_arms> scale{};  // what site, region and stratum effects are multiplied with
  std::array<double, k_most_arms> log_odds_ratio{};  // against the control, at the reference ratio
  std::array<Kumaraswamy, k_most_arms> drawn{};      // the law itself, where the truth draws it
};

// A patient who had k of an arm's K infusions has the treatment effect times k/K on the log-odds scale.
// A variant is one (arm, k): k itself where infusions can be stopped, else 0 for all of them. Variants
// are numbered arm by arm; where none can be stopped a patient's variant is the arm.
//
// Each visit's ratio is one look-up in a single-precision table: over the visit's normal z itself where
// all patients of a variant have the same law, over log odds where patients' shifts are taken off them.
class CourseTruth {
 public:
  enum class Variants { full_only, by_infusions };

  // Tables are taken from `known` where they are there, and left there; it may be null.
  CourseTruth(const CourseSpec& spec, const std::vector<Arm>& arms, const Truth& truth,
              Variants variants, input::Diagnostics& faults, const input::Position& at,
              CourseTableCache* known = nullptr);

  bool is_drawn() const;
  bool is_null() const;
  // This trial's truth; draws of (truth, unit 0) for the log odds ratio,
  // (truth, 1 + arm) for an arm's rates.
  TrialTruth draw(rng::Key key, std::uint64_t trial) const;

  int full_variant(std::size_t arm) const { return arms_[arm].full; }
  double shift(const TrialTruth& truth, std::size_t arm, int variant) const {
    const double control = truth.shift[control_];
    return control + at(arm, variant).fraction * (truth.shift[arm] - control);
  }
  // Multiplies `effect` terms; 0 for the control.
  double scale(const TrialTruth& truth, std::size_t arm, int variant) const {
    return at(arm, variant).fraction * truth.scale[arm];
  }
  // What a site that is high placebo by `log_odds` adds to a patient: see SiteEffects.
  double high_placebo(const TrialTruth& truth, std::size_t arm, int variant, double log_odds) const;

  std::size_t n_variants() const { return variants_.size(); }
  int first_variant(std::size_t arm) const { return arms_[arm].first; }
  std::size_t arm_of(std::size_t variant) const { return variants_[variant].arm; }
  // k of a numbered variant.
  int given_of(std::size_t variant) const {
    return static_cast<int>(variant) - arms_[variants_[variant].arm].first;
  }
  // Is there a shift of log odds for each patient (site, region, stratum, baseline, calendar, a drawn
  // truth)?
  bool shifts_patients() const { return spec_.effects.any() || is_drawn(); }

  // Patients at one visit. `variant` holds their variants' numbers, `shift` what is taken off their log
  // odds (read only where shifts_patients()); `work` is room for as many numbers.
  struct Visit {
    std::size_t i_visit;
    const int* variant;
    std::span<const float> z;
    std::span<const float> shift;
    std::span<float> work;
  };
  // out[i] = ratio at a visit of patient i: the quantile at log odds logit(Phi(z[i])) - shift[i] of the
  // law of the patient's variant, to the power of the course's exponent at that visit.
  void ratios(const TrialTruth& truth, const Visit& visit, std::span<float> out) const;
  // The same as if every patient were on the control (`variant` is not read).
  void control_ratios(const TrialTruth& truth, const Visit& visit, std::span<float> out) const;

  // For exact calculations: the law, shift and exponent of an arm's patients with all their infusions,
  // where the truth is not drawn.
  const TemperedLaw& law(std::size_t arm) const { return arms_[arm].law; }
  double exponent(std::size_t arm, std::size_t visit) const {
    return at(arm, arms_[arm].full).exponents[visit];
  }
  // Of the control's ratio at the week when the response is reached, as calibrated.
  const Moments& control_moments() const { return tables_->control_moments(); }

 private:
  struct Variant {
    std::size_t arm = 0;
    double fraction = 1;
    std::vector<double> exponents;  // by visit
  };
  struct ArmLaws {
    TemperedLaw law;
    int first = 0;  // variant
    int full = 0;
    double log_odds_ratio = 0;  // calibrated, against the control, at the reference ratio
  };
  const Variant& at(std::size_t arm, int variant) const {
    return variants_[static_cast<std::size_t>(arms_[arm].first + variant)];
  }
  double drawn_ratio(const TrialTruth& truth, const Variant& variant, double exponent, double x) const;
  double effect_weight() const;
  double tau_weight(std::size_t arm) const;
  double exponent_at(std::size_t visit, std::size_t arm, double tau_weight) const;
  double exponent_of(const TrialTruth& truth, std::size_t visit, const Variant& variant) const;
  bool draws_laws() const { return std::holds_alternative<PosteriorDraw>(truth_); }
  TemperedLaw law_of(std::size_t arm, double fraction) const;
  void check(const std::vector<Arm>& arms, input::Diagnostics& faults, const input::Position& at) const;
  void add_variant(std::size_t arm, double fraction, CourseRecipe& recipe);
  void add_visits(CourseRecipe& recipe);
  // `only`: the variant that all patients are taken to have.
  void fill_ratios(const TrialTruth& truth, const Visit& visit, const std::size_t* only,
                   std::span<float> out) const;
  void draw_ratios(const TrialTruth& truth, const Visit& visit, const std::size_t* only,
                   std::span<float> out) const;
  // How many times the calibrated effect an odds ratio is: ln(OR) / calibrated ln(OR), held in [0, 2],
  // the calibrated one taken as at least 0.1 from 0, so that it neither explodes nor jumps. 0 at OR 1.
  double scale_of(std::size_t arm, double log_odds_ratio) const;
  void set_effect(std::size_t arm, double log_odds_ratio, TrialTruth& result) const;
  void draw_posterior(const PosteriorDraw& posterior, rng::Key key, std::uint64_t trial,
                      TrialTruth& result) const;

  const CourseSpec& spec_;
  Truth truth_;
  std::size_t control_ = 0;
  std::vector<ArmLaws> arms_;
  std::vector<Variant> variants_;
  std::shared_ptr<const CourseTables> tables_;
  std::vector<std::size_t> table_of_visit_;
};

}  // namespace trialwright::patient
