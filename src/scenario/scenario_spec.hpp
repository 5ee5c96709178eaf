// The scenarios of a study: named truths, each an effect scale, a draw from a prior, or overrides.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/named_table.hpp"
#include "input/reader.hpp"
#include "patient/patient_model.hpp"
#include "scenario/calibration_spec.hpp"

namespace trialwright::scenario {

enum class TruthDraw { log_odds_ratio, beta_rates, calibration_posterior };
std::span<const base::Named<TruthDraw>> truth_draw_table();

struct ScenarioSpec {
  std::string name;
  input::Position at;
  patient::Truth truth;
  std::vector<std::pair<std::string, input::Node>> overrides;  // path -> value, applied before reading
};

// What a scenario's `truth` may refer to.
struct TruthNames {
  const std::vector<std::string>& arms;
  int control_arm;
  const CalibrationSpec* calibration;  // null where the study has none
  const input::Node& root;             // of the study, whose paths may be overridden
};

// Reads one scenario: at most one of
//   effect: m                       multiplier of the calibrated log odds ratio (default 1)
//   odds_ratio: x                   a constant odds ratio in place of the calibrated shape
//   truth: {draw: log_odds_ratio, mean, sd, discount: 1, prior: {mean, sd},
//           control: [events, non_events]}
//   truth: {draw: beta_rates, arms: {placebo: [events, non_events], …}}
//   truth: {draw: calibration_posterior}
// and `overrides: {path: value}`. `prior` shrinks: the draw is the normal posterior of the estimate
// (mean, sd) under that prior; `discount` multiplies the mean after it.
ScenarioSpec read_scenario(const std::string& name, input::Reader& scenario, const TruthNames& names);

// The overrides alone, read off the tree before anything else of the scenario is.
std::vector<std::pair<std::string, input::Node>> overrides_of(const input::Node& scenario);

}  // namespace trialwright::scenario
