// What a closed test in stages says of an effect: p-value, estimate and interval.
#pragma once

#include <array>
#include <span>

#include "design/closed_test.hpp"

namespace trialwright::design {

// Of one stage: what one unit of effect, on the scale of the estimates and towards benefit, adds to
// each hypothesis's z.
using StagePrecision = std::array<double, k_most_closed>;

// p-value of the closed test. Lower limit and estimate: the effect which, taken off every hypothesis,
// makes the closed test's p-value of this one (1 - level) / 2 and 1/2; upper limit: the same of this
// hypothesis's own combination, at 1 - (1 - level) / 2 (Posch et al. 2005, section 4; the p-value
// function of Brannath, Posch & Bauer 2002). The lower limit errs with at most its level whatever was
// chosen by whatever rule, and the estimate exceeds the truth with probability at most 1/2; the upper
// limit is conservative where better results are chosen. On the scale of `precision`, positive is
// benefit. Undefined where the hypothesis is not tested in all stages, or a precision of one tested is
// not positive.
Inference closed_inference(const ClosedTest& test, std::span<const StageEvidence> stages,
                           std::span<const StagePrecision> precision, int i_hypothesis,
                           double confidence_level);

}  // namespace trialwright::design
