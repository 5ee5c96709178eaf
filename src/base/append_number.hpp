// Numbers appended to a text, without a locale and without memory but the text's own.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <string>

namespace trialwright::base {

namespace detail {

// Enough for every double in fixed notation, and for every integer.
using NumberText = std::array<char, 352>;

template <class... Arguments>
void append_chars(std::string& out, Arguments... arguments) {
  NumberText text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), arguments...);
  out.append(text.data(), result.ptr);
}

}  // namespace detail

template <std::integral Integer>
void append_integer(std::string& out, Integer value) {
  detail::append_chars(out, value);
}

// The shortest text that reads back to the same double; "inf", "nan". A zero has no sign.
inline void append_shortest(std::string& out, double value) {
  detail::append_chars(out, value + 0.0);
}

// As printf's %.Nf and %.Ng.
inline void append_fixed(std::string& out, double value, int n_digits) {
  detail::append_chars(out, value, std::chars_format::fixed, n_digits);
}
inline void append_general(std::string& out, double value, int n_digits) {
  detail::append_chars(out, value, std::chars_format::general, n_digits);
}

}  // namespace trialwright::base
