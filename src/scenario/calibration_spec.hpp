// The calibration section: published counts, and the parameters that are fitted to them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "design/study_names.hpp"
#include "input/reader.hpp"
#include "patient/patient_model.hpp"

namespace trialwright::scenario {

// A published count: `events` of `patients` in `arm` had the estimand's endpoint.
struct CalibrationTarget {
  std::string name;
  int estimand = -1;
  int arm = -1;
  double events = 0;
  double patients = 0;
  // The endpoint's ratio to baseline where it is a response of the driving measure at the week when its
  // course is reached, or later; else nullopt.
  std::optional<double> response_ratio;
};

struct CalibrationSpec {
  std::string source;
  std::vector<CalibrationTarget> targets;
  std::vector<std::string> fitted;  // paths of the parameters that are solved for

  // The published rate of responders at this ratio to baseline in an arm;
  // nullopt where no target or more than one tells it.
  std::optional<double> published_rate(int arm, double ratio) const;
  // The two response counts of every arm as a draw of the truth;
  // nullopt where an arm has not exactly two.
  std::optional<patient::PosteriorDraw> posterior(const std::vector<std::string>& arms) const;
};

struct CalibrationNames {
  const design::EstimandNames& estimands;
  const std::vector<std::string>& arms;
  const std::vector<std::optional<double>>& response_ratios;  // by estimand
};

// Reads `calibration`; nullopt where the study has none.
std::optional<CalibrationSpec> read_calibration(input::Reader& study, const CalibrationNames& names,
                                                const input::Node& root);

}  // namespace trialwright::scenario
