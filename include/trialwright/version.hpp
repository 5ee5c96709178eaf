// The version of trialwright, on which results depend beside the resolved study and the seed.
#pragma once

#include <string_view>

namespace trialwright {

// MAJOR.MINOR.PATCH, semver.org 2.0.0; what may change with which part stands in CHANGELOG.md.
inline constexpr std::string_view k_version = "0.1.0";

}  // namespace trialwright
