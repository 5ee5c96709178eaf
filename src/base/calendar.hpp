// Units of calendar time.
#pragma once

namespace trialwright::base {

// Of the Julian year's twelfth.
inline constexpr double k_weeks_per_month = 365.25 / 12 / 7;

}  // namespace trialwright::base
