// A trial made again, in words and as JSON: its looks, decisions and results.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "trial/staged_trial.hpp"

namespace trialwright::app {

struct ReplayedTrial {
  const trial::TrialPlan& plan;
  const trial::Workspace& workspace;
  // Of a design that looks before the end; else empty.
  const trial::StagedOutcome& staged;
  const std::vector<trial::LookRecord>& looks;
};

// A paragraph a look: when, on whom, what was read, what was decided and why; then every analysis at
// the end.
std::string decisions_of(const ReplayedTrial& trial);

nlohmann::ordered_json as_json(const ReplayedTrial& trial, std::int64_t number,
                               const std::filesystem::path& directory);

}  // namespace trialwright::app
