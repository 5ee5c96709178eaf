// Randomised withdrawal: responders of an induction phase are randomised again and followed for loss of
// response.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "analysis/binary_test.hpp"
#include "base/named_table.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

// What is compared between maintenance arms.
enum class MaintenanceOutcome { response_kept, time_to_loss, time_to_flare };

inline constexpr std::array<base::Named<MaintenanceOutcome>, 3> k_maintenance_outcomes{{
    {"response_kept", "in response at the last week, by the chi-square test; who left is not",
     "Simpson et al. 2020 (maintenance of response)", MaintenanceOutcome::response_kept},
    {"time_to_loss",
     "weeks to the first visit out of response, by the log-rank test; who left is censored",
     "Mantel 1966", MaintenanceOutcome::time_to_loss},
    {"time_to_flare",
     "weeks to the first flare, told on its day, by the log-rank test; who left is censored",
     "Mantel 1966", MaintenanceOutcome::time_to_flare},
}};

// A patient re-randomised is in response, loses it, may flare after that, and where flares are treated
// may come back to response: exponential times, of constant rates a week. (Out of response patients go
// on in the study.)
struct MaintenanceArm {
  std::string name;
  int ratio = 1;
  double loss_per_week = 0;
  double flare_per_week = 0;      // of those who have lost response
  double recapture_per_week = 0;  // of those in flare; 0: a flare is not treated
};

struct MaintenanceAnalysis {
  std::string name;
  MaintenanceOutcome outcome = MaintenanceOutcome::response_kept;
  analysis::Sides sides = analysis::Sides::two;
  double alpha = 0.05;
};

struct WithdrawalSpec {
  int responders = -1;     // the study's estimand whose value 1 lets a patient go on
  std::vector<int> from;   // arms of the induction whose responders are randomised again
  double until_week = 52;  // since the first randomisation
  double visit_every_weeks = 4;
  double dropout_per_week = 0;
  std::vector<MaintenanceArm> arms;
  int control = 0;  // index into `arms`
  std::vector<MaintenanceAnalysis> analyses;
};

// Reads `responders: {estimand, arms}` (default: every active arm's) and `maintenance: {until_week,
// visit_every_weeks (4), dropout_per_week (0), arms: {NAME: {ratio (1), control, loss_per_week,
// flare_per_week (0), recapture_per_week (0)}}, analyses: {NAME: {outcome, sides (2), alpha (0.05)}}}`.
WithdrawalSpec read_withdrawal(input::Reader& reader, const DesignSpec& spec, const StudyNames& names);

}  // namespace trialwright::design
