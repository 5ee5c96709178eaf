// From a study's sections to the trial plan of one design under one truth.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scenario/study_spec.hpp"
#include "trial/trial_plan.hpp"

namespace trialwright::scenario {

// The design's hypotheses (of several doses or populations one for each), its secondary analyses, and
// what they need of patients; exact rates are not found yet.
std::shared_ptr<trial::TrialPlan> make_plan(const StudySpec& spec, const design::DesignSpec& design,
                                            const std::string& scenario,
                                            std::shared_ptr<const patient::PatientModel> model);

// A plan without analyses: every arm of the study with `patients_per_arm` patients, as calibrated, for
// the counts of the given estimands (indices into spec.estimands, each once).
std::shared_ptr<trial::TrialPlan> make_estimand_plan(const StudySpec& spec,
                                                     const std::vector<int>& estimands,
                                                     int patients_per_arm);

}  // namespace trialwright::scenario
