// The published rates as data: their values and their sampling covariance.
#pragma once

#include "calibrate/small_matrix.hpp"
#include "scenario/study_spec.hpp"

namespace trialwright::calibrate {

// events / patients of every target.
Vector published_rates(const scenario::CalibrationSpec& calibration);

// The covariance of the published rates p = events / patients: p (1 - p) / n each. Two responder
// endpoints that are nested (of one measure and visit, under the same strategies for intercurrent
// events, one reduction deeper than the other) in the same arm and the same n patients are multinomial:
// p_deep (1 - p_shallow) / n. All other pairs are taken as independent, which the publication's margins
// cannot tell.
Matrix published_covariance(const scenario::StudySpec& spec);

// Throws bad_input, naming the target, for what no parameter can reach whatever the model: a rate of
// exactly 0 or 1, or a deeper response in as many patients as the shallower one, or in more.
void check_published(const scenario::StudySpec& spec);

}  // namespace trialwright::calibrate
