#include "design/group_sequential.hpp"

#include "design/design_spec.hpp"

namespace trialwright::design {

GroupSequentialSpec read_group_sequential(input::Reader&, const DesignSpec&, const StudyNames&) {
  return {};
}

std::shared_ptr<const StagedDesign> make_group_sequential(const DesignSpec&, const GroupSequentialSpec&,
                                                          const DesignContext&) {
  return nullptr;
}

}  // namespace trialwright::design
