// From a study's sections to the trial plan of one design under one truth.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analysis/exact_z.hpp"
#include "scenario/study_spec.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::scenario {

// The design's hypotheses (of several doses or populations one for each), its secondary analyses, and
// what they need of patients; exact rates are not found yet. `exact_z` is shared by a study's plans.
std::shared_ptr<trial::TrialPlan> make_plan(const StudySpec& spec, const design::DesignSpec& design,
                                            const std::string& scenario,
                                            std::shared_ptr<const patient::PatientModel> model,
                                            std::shared_ptr<const analysis::ExactZ> exact_z = nullptr);

// A plan without analyses: every arm of the study with `patients_per_arm` patients, as calibrated, for
// the counts of the given estimands (indices into spec.estimands, each once).
std::shared_ptr<trial::TrialPlan> make_estimand_plan(const StudySpec& spec,
                                                     const std::vector<int>& estimands,
                                                     int patients_per_arm);

}  // namespace trialwright::scenario
