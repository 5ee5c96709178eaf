#include "design/reestimation.hpp"

#include "design/design_spec.hpp"

namespace trialwright::design {

ReestimationSpec read_reestimation(input::Reader&, const DesignSpec&, const StudyNames&) {
  return {};
}

std::shared_ptr<const StagedDesign> make_reestimation(const DesignSpec&, const ReestimationSpec&,
                                                      const DesignContext&) {
  return nullptr;
}

}  // namespace trialwright::design
