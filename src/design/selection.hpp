// Treatment selection in a seamless phase 2/3 trial, with closed testing over the doses.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <variant>

#include "design/closed_test.hpp"
#include "design/selection_rules.hpp"
#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

// When a look that may reject ends the trial: with any hypothesis rejected, or only with all of them.
enum class StopWhen { any, all };

inline constexpr std::array<base::Named<StopWhen>, 2> k_stop_when{{
    {"any", "a trial ends with the first rejection", "", StopWhen::any},
    {"all", "a trial ends early only where every hypothesis is rejected", "", StopWhen::all},
}};

// Patients of the second stage: as many to every arm that stays (times its share of the ratio), or so
// many in all, so that what dropped arms would have had goes to those that stay.
struct PatientsPerArm {
  int patients = 0;
};
struct PatientsInAll {
  int patients = 0;
};
using SecondStage = std::variant<PatientsPerArm, PatientsInAll>;

// An arm stays only where its rate of an event exceeds the control's by no more than this.
struct SafetyLimit {
  int estimand = -1;  // index into the study's
  double at_most = 0;
};

struct SelectionSpec {
  SelectionRule rule;
  int count = 1;
  double within = 0;
  double at_least = -std::numeric_limits<double>::infinity();  // merit of an arm that goes on
  Ties ties = Ties::first;
  int on = -1;  // estimand of the merits, index into the study's; -1: the primary's
  std::optional<SafetyLimit> safety;
  SecondStage second_stage;
  ClosedTestSpec closed_test;
  StopWhen stop_when = StopWhen::any;
  double information = 0.5;  // planned at the look, of a comparison that goes on
  // By randomisation where the choice reads patients whose primary outcome is not known yet.
  StageBy stages_by = StageBy::outcome;
  int i_control = 0;  // index into the design's arms
};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks, of which
// there is one. `patients` are those of the first stage.
//   selection: {rule, count, at_least, within, ties (first), on (the primary's estimand),
//     safety: {estimand, at_most}}
//   stage_2: {patients_per_arm} or {patients}
//   intersection (dunnett), combination (inverse_normal), efficacy (absent: none), stop_when (any),
//   interim_information (the planned share at the look, where the sizes do not say it)
SelectionSpec read_selection(input::Reader& reader, const DesignSpec& spec, const StudyNames& names);

// Bretz et al. 2006; Posch et al. 2005. naive_rejections is the ordinary test at the full level of the
// arms that were chosen, on all their patients. Inference: p-value of the closed test; lower limit and
// estimate are where that p-value, of all effects shifted alike, is (1 - confidence) / 2 and 1/2, the
// upper limit where the arm's own combination's is 1 - (1 - confidence) / 2 (Posch et al. 2005, section
// 4): adjusted for the choice, hence conservative; the estimate is median-conservative. Shifts are by
// the stage's Wald standard error.
std::shared_ptr<const StagedDesign> make_selection(const DesignSpec& spec, const SelectionSpec& rules,
                                                   const DesignContext& context);

}  // namespace trialwright::design
