// A fixed design whose patients are of a subgroup alone: the others are passed over at screening.
#pragma once

#include <memory>
#include <optional>

#include "design/staged_design.hpp"
#include "design/study_names.hpp"

namespace trialwright::design {

struct DesignSpec;

// A fixed design has no rules, but may say `subgroup: {factor, level}`.
struct FixedRules {
  std::optional<Subgroup> subgroup;
};

// Patients of a subgroup that are found among so many candidates (the share of whom is theirs) but in
// one trial in 10^11 (a Chernoff bound on the negative binomial distribution).
int candidates_for(int n_patients, double share);

// One look, the last one; the planned test decides. Null where everybody is recruited: then nothing has
// to be decided on the way.
std::shared_ptr<const StagedDesign> make_fixed_subgroup(const DesignSpec& spec, const FixedRules& rules,
                                                        const DesignContext& context);

}  // namespace trialwright::design
