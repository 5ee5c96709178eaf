// Sample size re-estimation at one look, blinded or by conditional power.
#pragma once

#include <array>
#include <memory>
#include <optional>

#include "design/reestimation_rule.hpp"
#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"
#include "sequential/boundary.hpp"
#include "sequential/combination.hpp"

namespace trialwright::design {

struct DesignSpec;

// When the look stops a trial that is not going to succeed; never binding.
enum class StopRule { conditional_power, z };

inline constexpr std::array<base::Named<StopRule>, 2> k_reestimation_stops{{
    {"conditional_power", "stop where conditional power with the planned number is below `below`",
     "Lan, Simon & Halperin 1982", StopRule::conditional_power},
    {"z", "stop where z at the look is not above `below`", "", StopRule::z},
}};

struct ReestimationSpec {
  std::shared_ptr<const ReestimationRule> rule;
  int fewest_patients = 0;
  int most_patients = 0;
  sequential::Combination combination = sequential::Combination::inverse_normal;
  std::optional<sequential::BoundarySpec> efficacy;
  struct Futility {
    StopRule rule = StopRule::conditional_power;
    double below = 0;
  };
  std::optional<Futility> futility;
  // The share of the planned information that the look is planned at, which weights the stages.
  double information = 0.5;
  // Patients whose outcome is due at the look; 0 where the look is not triggered by outcomes.
  int n_interim = 0;
  int control_arm = 0;  // index into the study's arms
};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks:
// `reestimation` (a rule with its keys, most_patients, fewest_patients), `combination`
// (inverse_normal), `efficacy` and `futility` ({rule: conditional_power, below}; both absent: the look
// never stops), and `planned_information` ([0.5]) where the look is not triggered by a number of
// outcomes.
ReestimationSpec read_reestimation(input::Reader& reader, const DesignSpec& spec,
                                   const StudyNames& names);

// Rejects on the z of each stage's patients with a value (of unweighted: of all patients); of two-sided
// tests on either side. The look leaves in the state, at its place [1], what the end is held against:
// efficacy_z, above which the second stage's z (of unweighted: that of all patients) rejects, and of a
// two-sided test futility_z, below which it rejects for harm. So a look's table decides all but that
// one z. A size is rounded up to whole blocks (of permuted_block without strata; else to the allocation
// ratio).
std::shared_ptr<const StagedDesign> make_reestimation(const DesignSpec& spec,
                                                      const ReestimationSpec& rules,
                                                      const DesignContext& context);

}  // namespace trialwright::design
