// The course under one truth: each arm's law as the scenario moves it, compiled for the inner loop.
#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "input/diagnostics.hpp"
#include "patient/arms.hpp"
#include "patient/course.hpp"
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
// A variant is one (arm, k): k itself where infusions can be stopped, else 0 for all of them.
class CourseTruth {
 public:
  enum class Variants { full_only, by_infusions };

  CourseTruth(const CourseSpec& spec, const std::vector<Arm>& arms, const Truth& truth,
              Variants variants, input::Diagnostics& faults, const input::Position& at);

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

  // out[i] = ratio at a visit of patient i: the quantile at log odds logit(Phi(z[i])) - shift[i] of the
  // law of (arm[i], variant[i]), to the power of the course's exponent at that visit.
  void ratios(const TrialTruth& truth, std::size_t visit, std::span<const int> arm,
              std::span<const int> variant, std::span<const double> z, std::span<const double> shift,
              std::span<double> out) const;
  // The same as if every patient were on the control.
  void control_ratios(const TrialTruth& truth, std::size_t visit, std::span<const double> z,
                      std::span<const double> shift, std::span<double> out) const;

  // For exact calculations: the law, shift and exponent of an arm's patients with all their infusions,
  // where the truth is not drawn.
  const TemperedLaw& law(std::size_t arm) const { return arms_[arm].law; }
  double exponent(std::size_t arm, std::size_t visit) const {
    return at(arm, arms_[arm].full).exponents[visit];
  }
  // Of the control's ratio at the week when the response is reached, as calibrated.
  const Moments& control_moments() const { return control_moments_; }

 private:
  struct Variant {
    std::size_t table = 0;
    double fraction = 1;
    std::vector<double> exponents;  // by visit
  };
  struct ArmLaws {
    TemperedLaw law;
    std::vector<Variant> variants;
    int full = 0;
    double log_odds_ratio = 0;  // calibrated, against the control, at the reference ratio
  };

  const Variant& at(std::size_t arm, int variant) const {
    return arms_[arm].variants[static_cast<std::size_t>(variant)];
  }
  double ratio_of(const Variant& law, double exponent, double x) const;
  double drawn_ratio(const TrialTruth& truth, std::size_t arm, const Variant& law, double exponent,
                     double x) const;
  double effect_weight() const;
  double tau_weight(std::size_t arm) const;
  double exponent_at(std::size_t visit, std::size_t arm, double tau_weight) const;
  double exponent_of(const TrialTruth& truth, std::size_t visit, std::size_t arm, int variant) const;
  TemperedLaw law_of(std::size_t arm, double fraction) const;
  void check(const std::vector<Arm>& arms, input::Diagnostics& faults, const input::Position& at) const;
  void compile(std::size_t arm, double fraction);
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
  std::vector<RatioTable> tables_;  // [0] the control's
  math::CubicTable log_odds_;       // logit(Phi(z)), to 1e-10
  Moments control_moments_;
};

}  // namespace trialwright::patient
