// The rules that change a trial's size at a look: each reads statistics of the look and answers with a
// named action.
#pragma once

#include <array>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "analysis/choices.hpp"
#include "base/named_table.hpp"
#include "design/reestimation_sizing.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

// What a rule may read.
struct InterimView {
  // Of the patients known.
  double z = 0;
  ArmRates observed;
  double blinded_rate = 0;  // of both arms together
  double critical_z_2 = 0;  // that the z of the patients to come will be held against
  double critical_z = 0;    // of the planned end, of all patients
  // Numbers of patients, both arms.
  int planned = 0;           // at the end (or the look that a stage is sized for), as now planned
  int planned_at_start = 0;  // at the end, before any look
  double n_passed = 0;       // whose outcome was due
  double completeness = 1;   // the share of these that have a value; more to come are reckoned alike
  // Of the comparison.
  ArmParts parts;
  double sign = 1;  // 1 where higher rates are better, else -1
  double margin = 0;

  Prospect prospect(ArmRates rates, SizingVariance variance) const {
    return prospect_of(rates, parts, variance, sign, margin);
  }
  // Patients with a value still to come in a trial of so many, and the size of a trial with so many to
  // come.
  double to_come(double patients) const { return (patients - n_passed) * completeness; }
  double size_with(double to_come) const { return n_passed + to_come / completeness; }
};

// What a rule answers, and what becomes of it within the caps.
enum class SizeAction {
  keep,
  keep_unfavourable,
  keep_favourable,
  enlarge,
  enlarge_to_cap,
  reduce,
  stop_efficacy,
  stop_futility,
  stop_harm,
  reject,
  reject_harm,
  accept,
};

inline constexpr std::array<base::Named<SizeAction>, 12> k_size_actions{{
    {"keep", "the trial goes on to the planned number", "", SizeAction::keep},
    {"keep_unfavourable", "as planned: too little hope for more patients to help", "",
     SizeAction::keep_unfavourable},
    {"keep_favourable", "as planned: success is likely enough", "", SizeAction::keep_favourable},
    {"enlarge", "the trial goes on to more patients than planned", "", SizeAction::enlarge},
    {"enlarge_to_cap", "the trial goes on to the most patients allowed", "",
     SizeAction::enlarge_to_cap},
    {"reduce", "the trial goes on to fewer patients than planned", "", SizeAction::reduce},
    {"stop_efficacy", "the efficacy boundary is crossed at the look", "", SizeAction::stop_efficacy},
    {"stop_futility", "success has become unlikely", "", SizeAction::stop_futility},
    {"stop_harm", "the boundary is crossed at the look on the other side", "", SizeAction::stop_harm},
    {"reject", "at the end, treatment is better", "", SizeAction::reject},
    {"reject_harm", "at the end, treatment is worse", "", SizeAction::reject_harm},
    {"accept", "at the end, nothing is shown", "", SizeAction::accept},
}};

// The size that a rule asks for, caps not yet heeded: `patients` counts where the action is `enlarge`,
// which may also mean fewer than planned, or infinity.
struct SizeAnswer {
  SizeAction action = SizeAction::keep;
  double patients = 0;
  double conditional_power =
      std::numeric_limits<double>::quiet_NaN();  // with the planned number; of rules that read it
};

class ReestimationRule {
 public:
  virtual ~ReestimationRule() = default;
  virtual SizeAnswer decide(const InterimView& view) const = 0;
  // Does it see the arms apart?
  virtual bool is_blinded() const { return false; }
  // Does it enlarge a trial only where the observed effect gives it an even chance or better?
  virtual bool enlarges_above_even_chance() const { return false; }
};

// What a rule may ask of the study when its keys are read.
struct RuleContext {
  std::span<const ArmShare> arms;
  const StudyNames* names = nullptr;
  // Of the primary analysis.
  analysis::Direction direction = analysis::Direction::higher_is_better;
  double margin = 0;
};

// Reads `variance` (unpooled): under a margin there is no other.
SizingVariance read_variance(input::Reader& reader, const RuleContext& context, SizingVariance usual);
// Reads `rates: {placebo: 0.32, hcmsc: 0.58}`, the rates that the trial was planned with: one of each
// arm of a two-arm design, that of treatment the better one (by less than the margin the worse).
ArmRates read_planned_rates(input::Reader& reader, const RuleContext& context);

// Each reads the keys of its own in `reestimation` and never returns null.
using ReadRule = std::shared_ptr<const ReestimationRule> (*)(input::Reader&, const RuleContext&);

// Raises the conditional power where it is from `from` to `to` (power) up to `power` (0.9), and leaves
// alone the zones below and above: {from, to, power, effect: observed, variance: unpooled, rates}.
std::shared_ptr<const ReestimationRule> read_promising_zone(input::Reader&, const RuleContext&);
// Sets the size to that of conditional power `power`: {power, effect, variance, rates}.
std::shared_ptr<const ReestimationRule> read_conditional_power(input::Reader&, const RuleContext&);
// Sets the size to that of a fixed trial with the planned effect at the rate seen of both arms
// together: {power, variance: pooled, rates, keeps: risk_difference}.
std::shared_ptr<const ReestimationRule> read_blinded_rate(input::Reader&, const RuleContext&);
// Changes the planned size in proportion to the variance seen of both arms together: {rates}.
std::shared_ptr<const ReestimationRule> read_blinded_variance(input::Reader&, const RuleContext&);

inline constexpr std::array<base::Named<ReadRule>, 4> k_reestimation_rules{{
    {"promising_zone", "more patients where conditional power is from `from` to `to`",
     "Mehta & Pocock 2011; Chen, DeMets & Lan 2004", &read_promising_zone},
    {"conditional_power", "the size at which conditional power is `power`",
     "Cui, Hung & Wang 1999; Proschan & Hunsberger 1995", &read_conditional_power},
    {"blinded_rate", "the fixed size of the planned effect at the rate of both arms together",
     "Gould 1992; Friede & Kieser 2004", &read_blinded_rate},
    {"blinded_variance", "the planned size times blinded over planned variance",
     "Gould & Shih 1992; Kieser & Friede 2003", &read_blinded_variance},
}};

// The effect that conditional power is reckoned at.
enum class ForeseenEffect { observed, planned };

inline constexpr std::array<base::Named<ForeseenEffect>, 2> k_foreseen_effects{{
    {"observed", "the rates observed at the look", "Lan & Wittes 1988", ForeseenEffect::observed},
    {"planned", "the rates that the trial was planned with", "Lan, Simon & Halperin 1982",
     ForeseenEffect::planned},
}};

// Conditional power as a rule reckons with it.
struct Foresight {
  double power = 0.9;
  ForeseenEffect effect = ForeseenEffect::observed;
  SizingVariance variance = SizingVariance::unpooled;
  ArmRates planned;

  Prospect prospect(const InterimView& view) const {
    return view.prospect(effect == ForeseenEffect::observed ? view.observed : planned, variance);
  }
};

// Reads {power, effect, variance, rates}.
Foresight read_foresight(input::Reader& reader, const RuleContext& context);

}  // namespace trialwright::design
