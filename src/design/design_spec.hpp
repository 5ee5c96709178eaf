// What a study file says of a design: how many patients, in which arms, the analyses, and the rules of
// its kind.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/named_table.hpp"
#include "design/enrichment.hpp"
#include "design/fixed_subgroup.hpp"
#include "design/group_sequential.hpp"
#include "design/looks.hpp"
#include "design/multi_stage.hpp"
#include "design/randomisation.hpp"
#include "design/reestimation.hpp"
#include "design/selection.hpp"
#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "design/withdrawal.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

enum class DesignKind {
  fixed,
  group_sequential,
  sample_size_reestimation,
  treatment_selection,
  multi_arm_multi_stage,
  enrichment,
  randomised_withdrawal,
};

inline constexpr std::array<base::Named<DesignKind>, 7> k_design_kinds{{
    {"fixed", "a fixed number of patients, analysed once when all have been followed",
     "ICH E9 (1998), section 3.1.1", DesignKind::fixed},
    {"group_sequential", "looks before the end that may stop for efficacy, futility or harm",
     "Jennison & Turnbull 2000", DesignKind::group_sequential},
    {"sample_size_reestimation", "one look that may enlarge the trial, blinded or by conditional power",
     "Mehta & Pocock 2011; Cui, Hung & Wang 1999", DesignKind::sample_size_reestimation},
    {"treatment_selection",
     "several doses against a control; a look chooses those that go on (seamless 2/3)",
     "Bretz et al. 2006; Posch et al. 2005", DesignKind::treatment_selection},
    {"multi_arm_multi_stage",
     "several doses against a control; every look stops those below its boundary",
     "Magirr, Jaki & Whitehead 2012", DesignKind::multi_arm_multi_stage},
    {"enrichment", "a look may restrict recruitment to a subgroup",
     "Brannath et al. 2009; Jenkins et al. 2011", DesignKind::enrichment},
    {"randomised_withdrawal",
     "responders are randomised again to continue, to be treated at flare, or to placebo",
     "ICH E10 (2000), section 2.1.5.2.4", DesignKind::randomised_withdrawal},
}};

inline constexpr int k_minimum_patients = 2;
inline constexpr int k_maximum_patients = 10'000'000;

// One entry of the section `designs`.
struct DesignSpec {
  std::string name;
  std::vector<ArmShare> arms;  // in the study's order; the control and at least one active arm
  int patients = 0;            // randomised, all arms together; as planned, where looks may change it
  Randomisation randomisation;
  int primary = 0;  // index into the study's analyses
  std::vector<int> secondary;
  // Of designs that look before the end; absent of a fixed one.
  std::optional<LookPlan> looks;
  std::variant<FixedRules, GroupSequentialSpec, ReestimationSpec, SelectionSpec, MultiStageSpec,
               EnrichmentSpec, WithdrawalSpec>
      rules;

  DesignKind kind() const { return static_cast<DesignKind>(rules.index()); }

  bool has_arm(int arm) const;
  // That recruitment is, or may be, restricted to.
  std::optional<Subgroup> subgroup() const;
};

// Reads one entry of the section `designs`: {kind, arms: {placebo: 1, hcmsc: 1}, patients, primary,
// secondary, randomisation} and what its kind has beside. Faults go to the reader's diagnostics.
DesignSpec read_design(std::string name, input::Reader& reader, const StudyNames& names);

// The rules as the simulation uses them; null for a fixed design and for randomised_withdrawal (whose
// looks are none).
std::shared_ptr<const StagedDesign> make_staged_design(const DesignSpec& spec,
                                                       const DesignContext& context);

}  // namespace trialwright::design
