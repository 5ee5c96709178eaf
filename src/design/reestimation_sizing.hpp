// How many patients a comparison of two rates still needs: effects foreseen at an interim look, the
// conditional power that they give, and the number that reaches a target.
#pragma once

#include <array>

#include "base/named_table.hpp"

namespace trialwright::design {

// Response rates of the two arms.
struct ArmRates {
  double treatment = 0;
  double control = 0;
};

// Shares of the two arms among the patients; they sum to 1.
struct ArmParts {
  double treatment = 0.5;
  double control = 0.5;
};

// Which variance the critical value and the power are reckoned with.
enum class SizingVariance { unpooled, pooled, null_and_alternative };

inline constexpr std::array<base::Named<SizingVariance>, 3> k_sizing_variances{{
    {"unpooled", "each arm's own variance", "Jennison & Turnbull 2000, section 12.2",
     SizingVariance::unpooled},
    {"pooled", "the variance at the rate of both arms together", "Gould 1992", SizingVariance::pooled},
    {"null_and_alternative",
     "the critical value by the variance of both arms together, the power by each arm's own",
     "Fleiss, Levin & Paik 2003, section 4.2", SizingVariance::null_and_alternative},
}};

// The z of n further patients is taken to be normal: n patients, both arms, give it the mean
// advantage sqrt(n) / null_sd and the standard deviation alternative_sd / null_sd.
struct Prospect {
  double advantage = 0;  // of treatment, in the better direction, the margin added
  double null_sd = 0;
  double alternative_sd = 0;
};

// `sign` is 1 where higher rates are better, else -1.
Prospect prospect_of(ArmRates rates, ArmParts parts, SizingVariance variance, double sign,
                     double margin);

// P(z of n further patients > critical_z); without variance 1 where the advantage is positive, else 0.
double power_of(const Prospect& prospect, double n_patients, double critical_z);

// The n at which power_of is `power`; 0 where none is needed, infinity where the advantage is not
// positive.
double patients_for(const Prospect& prospect, double critical_z, double power);

// What the study's planners keep to when the rate of both arms together turns out another than planned.
enum class KeptEffect { risk_difference, odds_ratio, risk_ratio };

inline constexpr std::array<base::Named<KeptEffect>, 3> k_kept_effects{{
    {"risk_difference", "the planned difference of the rates", "Gould 1992",
     KeptEffect::risk_difference},
    {"odds_ratio", "the planned odds ratio", "Gould 1992", KeptEffect::odds_ratio},
    {"risk_ratio", "the planned ratio of the rates", "Gould 1992", KeptEffect::risk_ratio},
}};

// The arms' rates whose mean, by the arms' parts, is `blinded_rate` and whose effect is that of the
// planned rates; each is kept inside [0, 1].
ArmRates rates_at(double blinded_rate, ArmRates planned, ArmParts parts, KeptEffect kept);

}  // namespace trialwright::design
