// Treatment selection in a seamless phase 2/3 trial, with closed testing over the doses.
#pragma once

#include <memory>

#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

struct SelectionSpec {};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks.
SelectionSpec read_selection(input::Reader& reader, const DesignSpec& spec, const StudyNames& names);

std::shared_ptr<const StagedDesign> make_selection(const DesignSpec& spec, const SelectionSpec& rules,
                                                   const DesignContext& context);

}  // namespace trialwright::design
