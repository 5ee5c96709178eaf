// One field of a CSV file.
#pragma once

#include <string>
#include <string_view>

namespace trialwright::base {

// `field` as it stands in a CSV line: in quotes, inner quotes doubled, where it holds a comma, a quote,
// a line break or a blank at its ends (RFC 4180, section 2).
std::string csv_field(std::string_view field);

}  // namespace trialwright::base
