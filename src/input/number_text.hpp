// Numbers as text: what a study file may write, and how the resolved echo writes it back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trialwright::input {

// What a scalar's text means as a number: either a finite `value`, or `why` it is none and a `hint`,
// the nearest spelling that would do (may be empty).
struct NumberText {
  std::optional<double> value;
  std::string why;
  std::string hint;
};

// Decimal notation only: an optional sign, digits without leading zeros, an optional point and
// fraction, an optional exponent. Refused, each with its reason: nan and inf, 1e400, 010, 0x10, 1_000,
// 1,5, 58%, words.
NumberText parse_number(std::string_view text);

// The shortest text that parse_number reads back to the same bits; whole numbers below 1e15 without a
// point or an exponent. `value` is finite.
std::string format_number(double value);

}  // namespace trialwright::input
