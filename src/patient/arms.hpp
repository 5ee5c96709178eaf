// The study's arms and their infusions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "input/reader.hpp"

namespace trialwright::patient {

// The most arms a study may have; what a trial draws for each arm stands in arrays of this size.
inline constexpr std::size_t k_most_arms = 16;

struct Arm {
  std::string name;
  bool is_control = false;
  std::optional<double> dose_cells_per_kg;
  std::vector<double> infusion_weeks;  // increasing, from 0
};

// Reads the section `arms`: at most k_most_arms, exactly one of them with `control: true`.
std::vector<Arm> read_arms(input::Reader& study);
std::size_t control_of(const std::vector<Arm>& arms);
std::vector<std::string> names_of(const std::vector<Arm>& arms);

}  // namespace trialwright::patient
