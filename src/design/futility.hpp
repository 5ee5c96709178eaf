// Rules that stop a trial for futility at a look.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/named_table.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"
#include "sequential/boundary.hpp"

namespace trialwright::design {

enum class FutilityRule { beta_spending, conditional_power, predictive_power, z, effect };

inline constexpr std::array<base::Named<FutilityRule>, 5> k_futility_rules{{
    {"beta_spending", "spends the type II error beta by a spending family", "Pampallona et al. 2001",
     FutilityRule::beta_spending},
    {"conditional_power",
     "conditional power, of reaching the critical value planned for the end, is below a limit",
     "Lan, Simon & Halperin 1982", FutilityRule::conditional_power},
    {"predictive_power", "the same averaged over the posterior of the effect under a flat prior",
     "Spiegelhalter, Freedman & Blackburn 1986", FutilityRule::predictive_power},
    {"z", "the z statistic is not above a limit", "", FutilityRule::z},
    {"effect", "the estimated effect is below a limit", "", FutilityRule::effect},
}};

// The effect that the rest of a trial is foretold under.
enum class ForetoldEffect { observed, planned };

inline constexpr std::array<base::Named<ForetoldEffect>, 2> k_foretold_effects{{
    {"observed", "the effect seen so far", "", ForetoldEffect::observed},
    {"planned", "the effect that the trial was planned for, by the rates given", "",
     ForetoldEffect::planned},
}};

struct FutilityRuleSpec {
  FutilityRule rule = FutilityRule::conditional_power;
  sequential::Binding binding = sequential::Binding::non_binding;
  std::vector<double> below;      // [i_look] of the interim ones; of all rules but beta_spending
  sequential::FutilitySpec beta;  // of beta_spending
  ForetoldEffect effect = ForetoldEffect::observed;  // of conditional_power
  double planned_rate_1 = 0;                         // of a planned effect: treatment
  double planned_rate_0 = 0;                         // control
};

// What the reading of a rule needs beside its map.
struct FutilityNames {
  const std::vector<std::string>& arms;  // the study's
  int treatment = 0;                     // index into arms
  int control = 0;
  double alpha = 0.025;  // one-sided
  int n_looks = 1;       // the last one included
};

// Reads {rule, binding (false), below (a number or one a look), beta (0.1) and boundary, effect
// (observed), rates: {hcmsc: 0.58, placebo: 0.32}} as far as the rule has them.
FutilityRuleSpec read_futility(input::Reader& reader, const FutilityNames& names);

// A look as a rule on the z scale sees it.
struct FutilityView {
  int i_look = 0;
  double information = 0;  // fraction of the planned final
  double final_z = 0;      // critical value planned for the end
};

// A rule that stops where z is at or below a limit which the look, but not its data, gives. Immutable.
class FutilityLimit {
 public:
  virtual ~FutilityLimit() = default;
  virtual double z_limit(const FutilityView& view) const = 0;
  // The statistic that the rule is about, and its value at this z.
  virtual std::string_view statistic() const = 0;
  virtual double value(double z, const FutilityView& view) const = 0;
};

// Null of beta_spending (whose limits sequential::RunningBoundary has) and of effect (which has none on
// the z scale). `planned_drift`: expected z at the planned end under the planned rates.
std::unique_ptr<const FutilityLimit> make_futility_limit(const FutilityRuleSpec& spec,
                                                         double planned_drift);

}  // namespace trialwright::design
