// The joint law of a trial's counts as numbers: who can be in which cell with what probability, and
// which counts a cell adds to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "design/allocation.hpp"

namespace trialwright::trial {

struct TrialPlan;

// What a count can be.
struct CountRange {
  std::int32_t lowest = 0;
  std::int32_t highest = 0;
  std::int32_t width() const { return highest - lowest + 1; }
};

// Patients enter in stages (of a fixed design: one; else one a look), independent of each other. Within
// a stage every patient of an arm falls into one of the arm's cells, independently.
struct CountLaw {
  struct Cell {
    double probability = 0;
    std::vector<std::size_t> columns;  // that each of its patients adds 1 to; ascending
  };
  struct Arm {
    int n_patients = 0;       // where the stage's sizes are fixed
    std::vector<Cell> cells;  // probabilities sum to 1
  };
  struct Stage {
    std::vector<Arm> arms;
    // Where the size of arms[0] is random; arms[1] then has the rest of n_patients. Else empty.
    std::vector<design::ArmSizeProbability> first_size;
    int n_patients = 0;
    // [i_arm]: the arms' sizes where each trial's are given when its stage is drawn, within these. Else
    // empty.
    std::vector<CountRange> given;
  };
  std::size_t n_columns = 0;
  std::vector<Stage> stages;
};

// The counts of one estimand in one arm, or in one stratum of it.
struct CountCell {
  std::size_t events = 0;    // column
  std::size_t patients = 0;  // column: those with a value
};
struct CountStratumCells {
  CountCell active;
  CountCell control;
};
struct PlanLaw {
  CountLaw law;
  std::vector<CountCell> arms;
  std::vector<std::vector<CountStratumCells>> strata;
};

// The exact law of all that the plan's analyses read of its patients; where there is none, the reason,
// in words that complete "patients are simulated: …".
std::variant<PlanLaw, std::string> count_law(const TrialPlan& plan);

}  // namespace trialwright::trial
