#include "design/withdrawal.hpp"

#include "design/design_spec.hpp"

namespace trialwright::design {

WithdrawalSpec read_withdrawal(input::Reader&, const DesignSpec&, const StudyNames&) {
  return {};
}

}  // namespace trialwright::design
