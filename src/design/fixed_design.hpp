// The fixed design: how many patients, in which arms, and the analyses done once at the end.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "base/named_table.hpp"
#include "design/randomisation.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

enum class DesignKind { fixed };

inline constexpr std::array<base::Named<DesignKind>, 1> k_design_kinds{{
    {"fixed", "a fixed number of patients, analysed once when all have been followed",
     "ICH E9 (1998), section 3.1.1", DesignKind::fixed},
}};

inline constexpr int k_minimum_patients = 2;
inline constexpr int k_maximum_patients = 10'000'000;

// The names in a study's other sections that designs refer to.
struct StudyNames {
  std::vector<std::string> arms;
  int control_arm = 0;
  std::vector<std::string> analyses;
  std::vector<FactorLevels> factors;  // as PatientModel::factors(): the study's, then region and site
};

struct FixedDesignSpec {
  std::string name;
  std::vector<ArmShare> arms;  // in the study's order; the control and at least one active arm
  int patients = 0;            // randomised, all arms together
  Randomisation randomisation;
  int primary = 0;  // index into the study's analyses
  std::vector<int> secondary;

  bool has_arm(int arm) const;
};

// Reads one entry of the section `designs`: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients,
// primary, secondary, randomisation}. Faults go to the reader's diagnostics.
FixedDesignSpec read_fixed_design(std::string name, input::Reader& reader, const StudyNames& names);

}  // namespace trialwright::design
