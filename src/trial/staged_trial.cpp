#include "trial/staged_trial.hpp"

namespace trialwright::trial {

void simulate_staged(const TrialPlan&, std::uint64_t, Workspace&, StagedOutcome&,
                     std::vector<LookRecord>*) {}

}  // namespace trialwright::trial
