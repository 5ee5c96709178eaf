// Randomised withdrawal: responders of an induction phase are randomised again and followed for loss of response.
#pragma once

#include "design/study_names.hpp"
#include "input/reader.hpp"

namespace trialwright::design {

struct DesignSpec;

struct WithdrawalSpec {};

// Reads what the kind has beside the keys of every design.
WithdrawalSpec read_withdrawal(input::Reader& reader, const DesignSpec& spec, const StudyNames& names);

}  // namespace trialwright::design
