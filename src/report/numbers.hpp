// How the machine-readable outputs write a number.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trialwright::report {

// The shortest text that reads back to the same double; whole numbers below 1e15 without a point. Empty
// for what is not finite.
std::string shortest(double value);

// The finite number that `text` writes in decimal notation, or nothing.
std::optional<double> number_in(std::string_view text);

}  // namespace trialwright::report
