// The names in a study's other sections that designs refer to.
#pragma once

#include <string>
#include <vector>

#include "design/randomisation.hpp"

namespace trialwright::design {

struct StudyNames {
  std::vector<std::string> arms;
  int control_arm = 0;
  std::vector<std::string> analyses;
  std::vector<FactorLevels> factors;  // as PatientModel::factors(): the study's, then region and site
  std::vector<std::string> estimands{};
};

}  // namespace trialwright::design
