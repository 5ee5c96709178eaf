// The names in a study's other sections that designs refer to.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analysis/binary_test.hpp"
#include "design/randomisation.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct StudyNames {
  std::vector<std::string> arms;
  int control_arm = 0;
  std::vector<std::string> analyses;
  std::vector<FactorLevels> factors;  // as PatientModel::factors(): the study's, then region and site
  std::vector<std::string> estimands{};
  std::vector<analysis::TestSpec> tests{};  // [i_analysis]
  std::vector<int> estimand_of{};           // [i_analysis], -1 where it is faulty
};

// The patients at one level of a factor.
struct Subgroup {
  int factor = 0;  // index into StudyNames::factors
  int level = 0;
  bool operator==(const Subgroup&) const = default;
};

// Reads `subgroup: {factor: severity, level: "iga >= 4"}`; nullopt where it is absent or faulty.
std::optional<Subgroup> read_subgroup(input::Reader& reader, const std::vector<FactorLevels>& factors);

}  // namespace trialwright::design
