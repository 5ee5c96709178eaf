// Combining the stages of an adaptive trial: inverse normal and Fisher combinations, conditional error,
// and the critical values they are held against.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "base/named_table.hpp"

namespace trialwright::sequential {

enum class Combination { inverse_normal, fisher, conditional_error, unweighted };

inline constexpr std::array<base::Named<Combination>, 4> k_combinations{{
    {"inverse_normal", "stagewise z weighted by the square roots of the planned stages' shares",
     "Cui, Hung & Wang 1999; Lehmacher & Wassmer 1999", Combination::inverse_normal},
    {"fisher", "the product of the stagewise p-values", "Bauer & Koehne 1994; Wassmer 1999",
     Combination::fisher},
    {"conditional_error", "stage 2 is tested at the conditional error that the planned design left it",
     "Mueller & Schaefer 2001", Combination::conditional_error},
    {"unweighted",
     "the ordinary statistic of all patients (keeps alpha only where a rule for the change ensures it)",
     "Chen, DeMets & Lan 2004; Mehta & Pocock 2011", Combination::unweighted},
}};

// sum w_i z_i / sqrt(sum w_i^2): standard normal under the null whatever the later stages' sizes were.
double inverse_normal_z(std::span<const double> stage_z, std::span<const double> weights);

// product p_i^(w_i); weights sqrt(stage's planned information / first stage's), so 1 for equal stages
// (Wassmer 1999).
double fisher_product(std::span<const double> stage_p, std::span<const double> weights);

// Critical value of p1 p2 at full level alpha, where stage 1 rejects at p1 <= alpha_1 and accepts at p1
// >= alpha_0 (1: never), 0 <= alpha_1 < alpha < alpha_0: alpha = alpha_1 + c (ln alpha_0 - ln alpha_1)
// (Bauer & Koehne 1994, eq. 4). Where that c were above alpha_1, any p2 would do for p1 between them,
// and c solves alpha = c (1 + ln alpha_0 - ln c).
double fisher_critical_value(double alpha, double alpha_1, double alpha_0);

// Critical values of Fisher's combination at K looks (for fisher_product of the stages so far), for the
// alpha spent by each look, cumulative and ascending (Wassmer 1999); 0 where a look spends nothing.
// By recursive integration; relative error below 1e-9. Rounded to 40 bits, made once a plan.
std::vector<double> fisher_critical_values(std::span<const double> alpha_spent,
                                           std::span<const double> weights);

// P(the product first falls to or below its critical value at each look) under the null, [i_look].
std::vector<double> fisher_rejection_probabilities(std::span<const double> critical_values,
                                                   std::span<const double> weights);

// Conditional error of a design of two stages with critical value z2 at the end: P(Z >= z2 | z1) under
// the null, at information t1 of stage 1, 0 < t1 < 1 (Proschan & Hunsberger 1995).
double conditional_error(double z1, double t1, double z2);

}  // namespace trialwright::sequential
