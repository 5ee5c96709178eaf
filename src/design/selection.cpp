#include "design/selection.hpp"

#include "design/design_spec.hpp"

namespace trialwright::design {

SelectionSpec read_selection(input::Reader&, const DesignSpec&, const StudyNames&) {
  return {};
}

std::shared_ptr<const StagedDesign> make_selection(const DesignSpec&, const SelectionSpec&,
                                                   const DesignContext&) {
  return nullptr;
}

}  // namespace trialwright::design
