// Adaptive enrichment: a look may restrict recruitment to a subgroup, with closed testing over the populations.
#pragma once

#include <memory>

#include "design/staged_design.hpp"
#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

struct EnrichmentSpec {};

// Reads what the kind has beside the keys of every design; `spec` has those and the looks.
EnrichmentSpec read_enrichment(input::Reader& reader, const DesignSpec& spec, const StudyNames& names);

std::shared_ptr<const StagedDesign> make_enrichment(const DesignSpec& spec, const EnrichmentSpec& rules,
                                                    const DesignContext& context);

}  // namespace trialwright::design
