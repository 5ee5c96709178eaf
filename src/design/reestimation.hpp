// Sample size re-estimation, blinded or by conditional power, at one look or at several.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "design/looks.hpp"
#include "design/reestimation_rule.hpp"
#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"
#include "sequential/boundary.hpp"
#include "sequential/combination.hpp"

namespace trialwright::design {

struct DesignSpec;

// When a look stops a trial that is not going to succeed; never binding.
enum class StopRule { conditional_power, z };

inline constexpr std::array<base::Named<StopRule>, 2> k_reestimation_stops{{
    {"conditional_power", "stop where conditional power with the planned number is below `below`",
     "Lan, Simon & Halperin 1982", StopRule::conditional_power},
    {"z", "stop where z at the look is not above `below`", "", StopRule::z},
}};

// What a re-estimation sets, of a trial with several looks.
enum class Resizes { end, next_stage };

inline constexpr std::array<base::Named<Resizes>, 2> k_resizes{{
    {"end",
     "the number of patients at the end, by the critical value there; looks at a fraction of the "
     "outcomes move with it",
     "Mehta & Pocock 2011", Resizes::end},
    {"next_stage",
     "the patients until the next look, by its critical value; the stages after it stay as planned",
     "Wassmer & Brannath 2016", Resizes::next_stage},
}};

struct ReestimationSpec {
  std::shared_ptr<const ReestimationRule> rule;
  Bits at = 1;  // bit i: the size is re-estimated at look i
  Resizes resizes = Resizes::end;
  int fewest_patients = 0;  // of end
  int most_patients = 0;
  // Patients of the stages after the first, of next_stage. [i_stage - 1]
  struct Stage {
    int planned = 0;
    int fewest = 0;
    int most = 0;
  };
  std::vector<Stage> stages;
  sequential::Combination combination = sequential::Combination::inverse_normal;
  std::optional<sequential::BoundarySpec> efficacy;
  struct Futility {
    StopRule rule = StopRule::conditional_power;
    std::vector<double> below;  // [i_look] of those before the end
  };
  std::optional<Futility> futility;
  // The shares of the planned information that the looks are planned at, the last one's 1: they weight
  // the stages.
  std::vector<double> information{0.5, 1.0};
  // The outcomes that the looks before the end wait for; none where something else triggers them.
  std::vector<std::optional<Amount>> awaited;
  int control_arm = 0;  // index into the study's arms
};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks:
// `reestimation` (a rule with its keys, most_patients, fewest_patients; with several looks `at`, the
// looks counted from 1 that re-estimate: the last one before the end, of next_stage all of them; and
// `resizes`: end, or next_stage with fewest_patients_per_stage and most_patients_per_stage in place of
// fewest_patients), `combination` (inverse_normal), `efficacy` and `futility` ({rule:
// conditional_power, below: one for all looks or one each}; both absent: no look stops), and
// `planned_information` (one a look before the end) where a look is not triggered by a number of
// outcomes.
ReestimationSpec read_reestimation(input::Reader& reader, const DesignSpec& spec,
                                   const StudyNames& names);

// Rejects on the z of each stage's patients with a value (of unweighted: of all patients); of two-sided
// tests on either side. A look leaves in the state, at its own place, what its stage's z was held
// against: efficacy_z, above which it rejects, and of a two-sided test futility_z, below which it
// rejects for harm (of unweighted at the end: that of all patients); and at the next one's place what
// the end will be held against if it is the next. So the last look before the end decides all but one
// z. A size is rounded up to whole blocks (of permuted_block without strata; else to the allocation
// ratio), a stage's to the common divisor of these and the planned looks. Futility is judged at every
// look before the end by what the end holds.
std::shared_ptr<const StagedDesign> make_reestimation(const DesignSpec& spec,
                                                      const ReestimationSpec& rules,
                                                      const DesignContext& context);

}  // namespace trialwright::design
