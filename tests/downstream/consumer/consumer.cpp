// A program of somebody else's, built against the installed package; it takes the expected version.
#include <cmath>
#include <iostream>
#include <trialwright/boundaries.hpp>
#include <trialwright/exact.hpp>
#include <trialwright/version.hpp>

int main(int argc, char** argv) {
  if (argc != 2 || trialwright::k_version != argv[1]) {
    std::cerr << "trialwright/version.hpp says " << trialwright::k_version << '\n';
    return 1;
  }
  // The published phase 2 counts as true rates: the chi-square test rejects with probability 0.555.
  const trialwright::ExactQuestion question{.test = "chi_square",
                                            .n_treatment = 33,
                                            .n_control = 34,
                                            .p_treatment = 19.0 / 33,
                                            .p_control = 11.0 / 34,
                                            .alpha = 0.05,
                                            .sides = trialwright::ExactSides::two};
  const double power = trialwright::exact_power(question);
  if (!(std::abs(power - 0.555) < 0.0005)) {
    std::cerr << "exact_power says " << power << ", not 0.555\n";
    return 1;
  }
  // Pocock's constant of two looks at one-sided 0.025 (Jennison & Turnbull 2000, table 2.1).
  trialwright::BoundaryQuestion looks;
  looks.information = {0.5, 1.0};
  looks.efficacy.name = "pocock";
  const double z = trialwright::sequential_boundaries(looks).looks.back().efficacy_z;
  if (!(std::abs(z - 2.178) < 0.0005)) {
    std::cerr << "sequential_boundaries says " << z << ", not 2.178\n";
    return 1;
  }
}
