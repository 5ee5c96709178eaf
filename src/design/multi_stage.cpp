#include "design/multi_stage.hpp"

#include "design/design_spec.hpp"

namespace trialwright::design {

MultiStageSpec read_multi_stage(input::Reader&, const DesignSpec&, const StudyNames&) {
  return {};
}

std::shared_ptr<const StagedDesign> make_multi_stage(const DesignSpec&, const MultiStageSpec&,
                                                     const DesignContext&) {
  return nullptr;
}

}  // namespace trialwright::design
