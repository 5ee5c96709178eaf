// Group sequential designs: boundaries for efficacy, futility and harm.
#pragma once

#include <memory>

#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

struct GroupSequentialSpec {};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks.
GroupSequentialSpec read_group_sequential(input::Reader& reader, const DesignSpec& spec,
                                          const StudyNames& names);

std::shared_ptr<const StagedDesign> make_group_sequential(const DesignSpec& spec,
                                                          const GroupSequentialSpec& rules,
                                                          const DesignContext& context);

}  // namespace trialwright::design
