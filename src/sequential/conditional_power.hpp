// What a look foretells: conditional and predictive power on the z scale.
#pragma once

#include <cstddef>
#include <span>

namespace trialwright::sequential {

// P(Z_final >= z_final | z) where the rest of the information comes with this drift (expected z at
// information 1); t > 0 the fraction there. From t = 1 on nothing is left to come, and each of these is
// 1 or 0. Drift z / sqrt(t) is the observed effect. Lan & Wittes 1988; Jennison & Turnbull 2000,
// eq. 10.1.
double conditional_power(double z, double t, double z_final, double drift);

// P(a later look rejects | z at look i_look) of a design of several looks, where the trial goes on
// after that one: the conditional power that counts looks to come, and under drift 0 the conditional
// error that a change of the rest has to keep (Mueller & Schaefer 2001). `information` are fractions of
// which drift is the expected z at 1; `futility_z` (empty: none) counts where it will be heeded. Later
// looks that add nothing to the one before count for nothing.
double conditional_power(double z, std::size_t i_look, std::span<const double> information,
                         std::span<const double> efficacy_z, std::span<const double> futility_z,
                         double drift);

// Conditional power at one look to come, averaged over the posterior of the drift under a flat prior:
// Phi((z - z_final sqrt(t)) / sqrt(1 - t)). Spiegelhalter, Freedman & Blackburn 1986; Jennison &
// Turnbull 2000, eq. 10.6.
double predictive_power(double z, double t, double z_final);

}  // namespace trialwright::sequential
