// Sample size re-estimation at one look, blinded or by conditional power.
#pragma once

#include <memory>

#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

struct ReestimationSpec {};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks.
ReestimationSpec read_reestimation(input::Reader& reader, const DesignSpec& spec,
                                   const StudyNames& names);

std::shared_ptr<const StagedDesign> make_reestimation(const DesignSpec& spec,
                                                      const ReestimationSpec& rules,
                                                      const DesignContext& context);

}  // namespace trialwright::design
