// How patients come to their arms, as a study file says it:
// the methods of randomisation and their options.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/named_table.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

enum class RandomisationMethod { random_allocation, simple, permuted_block, minimisation };

inline constexpr std::array<base::Named<RandomisationMethod>, 4> k_randomisation_methods{{
    {"random_allocation", "arm sizes fixed by the ratio; every order of the list equally likely",
     "Rosenberger & Lachin 2002, chapter 3 (random allocation rule)",
     RandomisationMethod::random_allocation},
    {"simple", "every patient independently, with probabilities by the ratio",
     "Rosenberger & Lachin 2002, chapter 3 (complete randomisation)", RandomisationMethod::simple},
    {"permuted_block",
     "blocks that hold the ratio exactly, in random order; within `strata` where given",
     "Rosenberger & Lachin 2002, chapter 3; Zelen 1974", RandomisationMethod::permuted_block},
    {"minimisation", "a biased coin towards the arm that leaves the factors' margins least imbalanced",
     "Pocock & Simon 1975; Han, Enas & McEntegart 2009", RandomisationMethod::minimisation},
}};

enum class Imbalance { range, variance };

inline constexpr std::array<base::Named<Imbalance>, 2> k_imbalances{{
    {"range", "largest less smallest count of the arms, summed over the factors", "Pocock & Simon 1975",
     Imbalance::range},
    {"variance", "variance of the arms' counts, summed over the factors", "Pocock & Simon 1975",
     Imbalance::variance},
}};

struct RandomAllocation {};
struct SimpleRandomisation {};
struct PermutedBlock {
  int block_size = 0;        // a multiple of the sum of the reduced ratio
  std::vector<int> factors;  // indices into the study's factors; empty: one list
};
struct Minimisation {
  std::vector<int> factors;
  // Of the preferred arm, where that is the arm of the smallest ratio (Allocation says the others').
  double probability = 0.8;
  Imbalance imbalance = Imbalance::range;
};
using Randomisation = std::variant<RandomAllocation, SimpleRandomisation, PermutedBlock, Minimisation>;

RandomisationMethod method_of(const Randomisation& randomisation);

// A factor that randomisation may be stratified by.
struct FactorLevels {
  std::string name;
  int n_levels = 1;
  std::vector<std::string> levels{};  // their names
};

// An arm of a design and its share.
struct ArmShare {
  int arm = 0;    // index into the study's arms
  int ratio = 1;  // 1 to 1000
};

// The ratios divided by their greatest common divisor.
std::vector<int> reduced_ratio(const std::vector<ArmShare>& arms);

// Whole numbers in the arms' ratio that sum to n: n r_a / R rounded by largest remainder (Hamilton),
// ties to the arm that stands first.
std::vector<int> arm_totals(int n, const std::vector<ArmShare>& arms);

// Reads `randomisation`: {method, block_size, strata, probability, imbalance} of a design's map;
// absent: `usual`. An option that the method does not use is a fault.
Randomisation read_randomisation(input::Reader& design, const std::vector<ArmShare>& arms,
                                 int n_patients, const std::vector<FactorLevels>& factors,
                                 RandomisationMethod usual = RandomisationMethod::random_allocation);

}  // namespace trialwright::design
