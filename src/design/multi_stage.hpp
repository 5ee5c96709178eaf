// Multi-arm multi-stage designs: arms stop at boundaries that keep the familywise error.
#pragma once

#include <memory>
#include <vector>

#include "design/selection.hpp"
#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"
#include "sequential/multi_arm.hpp"

namespace trialwright::design {

struct DesignSpec;

struct MultiStageSpec {
  sequential::MultiArmShape shape = sequential::MultiArmShape::obrien_fleming;
  sequential::MultiArmFutility futility = sequential::MultiArmFutility::zero;
  StopWhen stop_when = StopWhen::any;
  std::vector<double> information;  // planned at each look, the last one 1
  double control_ratio = 1;         // control patients to one of each active arm
  int i_control = 0;                // index into the design's arms
};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks. `patients`
// are those of all arms if none stops.
//   boundary (obrien_fleming), futility (zero; of the triangular boundary triangular), stop_when (any),
//   planned_information (where the looks are not at numbers of outcomes)
MultiStageSpec read_multi_stage(input::Reader& reader, const DesignSpec& spec, const StudyNames& names);

// Magirr, Jaki & Whitehead 2012. Every look holds the planned test's z of all patients so far, arm by
// arm, against the boundary: above the upper value the hypothesis is rejected and the arm stops, at or
// below the lower one the arm stops. The critical values are those of the planned looks, also where
// patients are missing. With stop_when any the first rejection ends the trial, with all the other arms
// go on. Later looks wait for the planned number of patients in the arms that go on. naive_rejections
// tests every arm at every look it was in at the full level.
//
// Inference: the p-value is adjusted for all arms and looks (sequential::MultiArmPValues; an arm is
// rejected where it is below alpha). The interval is the repeated one of the last look that tested the
// arm: estimate -+ standard error times the critical value of the same boundary without futility, so
// that with probability 1 - 2 alpha all arms' intervals at all looks hold their truths, whichever arms
// were stopped or chosen and why (Jennison & Turnbull 2000, chapter 9). The estimate is median unbiased
// by the stagewise ordering of the arm's own path, not adjusted for the other arms.
std::shared_ptr<const StagedDesign> make_multi_stage(const DesignSpec& spec,
                                                     const MultiStageSpec& rules,
                                                     const DesignContext& context);

}  // namespace trialwright::design
