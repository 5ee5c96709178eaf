#include "design/enrichment.hpp"

#include "design/design_spec.hpp"

namespace trialwright::design {

EnrichmentSpec read_enrichment(input::Reader&, const DesignSpec&, const StudyNames&) {
  return {};
}

std::shared_ptr<const StagedDesign> make_enrichment(const DesignSpec&, const EnrichmentSpec&,
                                                    const DesignContext&) {
  return nullptr;
}

}  // namespace trialwright::design
