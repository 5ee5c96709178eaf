// What a look foretells: conditional and predictive power on the z scale.
#pragma once

namespace trialwright::sequential {

// P(Z_final >= z_final | z) where the rest of the information comes with this drift (expected z at
// information 1); t > 0 the fraction there. From t = 1 on nothing is left to come, and each of these is
// 1 or 0. Drift z / sqrt(t) is the observed effect. Lan & Wittes 1988; Jennison & Turnbull 2000,
// eq. 10.1.
double conditional_power(double z, double t, double z_final, double drift);

// The same averaged over the posterior of the drift under a flat prior:
// Phi((z - z_final sqrt(t)) / sqrt(1 - t)). Spiegelhalter, Freedman & Blackburn 1986; Jennison &
// Turnbull 2000, eq. 10.6.
double predictive_power(double z, double t, double z_final);
// Under a normal prior of the drift; prior_sd 0 is the prior mean for certain.
double predictive_power(double z, double t, double z_final, double prior_mean, double prior_sd);

// The information (multiple of the planned final one, at least t) at which conditional power reaches
// `power` where stage 2 is weighted as planned (sqrt(t), sqrt(1 - t)) and the drift per planned
// information is `drift`; infinity where no amount does. Mehta & Pocock 2011, section 3.
double information_for_conditional_power(double z, double t, double z_final, double drift,
                                         double power);

}  // namespace trialwright::sequential
