// Multi-arm multi-stage designs: arms stop at boundaries that keep the familywise error.
#pragma once

#include <memory>

#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

struct MultiStageSpec {};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks.
MultiStageSpec read_multi_stage(input::Reader& reader, const DesignSpec& spec, const StudyNames& names);

std::shared_ptr<const StagedDesign> make_multi_stage(const DesignSpec& spec,
                                                     const MultiStageSpec& rules,
                                                     const DesignContext& context);

}  // namespace trialwright::design
