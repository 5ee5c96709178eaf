#include "input/number_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/contract.hpp"

namespace trialwright::input {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::size_t skip_digits(std::string_view text, std::size_t from) {
  while (from < text.size() && is_digit(text[from])) ++from;
  return from;
}

struct Shape {
  bool decimal = false;       // the whole text is decimal notation
  bool leading_zero = false;  // ... with a zero before further digits
};

Shape shape_of(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const std::size_t whole = at;
  at = skip_digits(text, at);
  std::size_t n_digits = at - whole;
  const bool leading_zero = n_digits > 1 && text[whole] == '0';
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = ++at;
    at = skip_digits(text, at);
    n_digits += at - fraction;
  }
  if (n_digits == 0) return {};
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = at;
    at = skip_digits(text, at);
    if (at == exponent) return {};
  }
  return {at == text.size(), leading_zero};
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

std::string without(std::string_view text, std::string_view characters) {
  std::string out;
  for (const char c : text)
    if (characters.find(c) == std::string_view::npos) out += c;
  return out;
}

// The value of text that is known to be decimal notation; nothing where it overflows or underflows.
std::optional<double> convert(std::string_view text) {
  if (text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) return std::nullopt;
  return value;
}

std::string hint_to_write(std::string_view text) {
  return fmt::format("write {}", text);
}

NumberText refuse_in_another_base(std::string_view text) {
  const std::string lower = lower_case(without(text, "+-"));
  const int base = lower[1] == 'x' ? 16 : lower[1] == 'o' ? 8 : 2;
  unsigned long long value = 0;
  const auto result = std::from_chars(lower.data() + 2, lower.data() + lower.size(), value, base);
  const bool known = result.ec == std::errc() && result.ptr == lower.data() + lower.size();
  return {std::nullopt, "not in decimal notation",
          known ? hint_to_write(fmt::format("{}", value)) : ""};
}

NumberText refuse_percent(std::string_view text) {
  std::string_view number = text.substr(0, text.size() - 1);
  while (!number.empty() && number.back() == ' ') number.remove_suffix(1);
  const Shape shape = shape_of(number);
  if (!shape.decimal || shape.leading_zero) return {std::nullopt, "a text", ""};
  const auto value = convert(number);
  if (!value) return {std::nullopt, "a text", ""};
  // Rounded, so that 58% becomes 0.58 and not 0.57999999999999996.
  return {std::nullopt, "a percentage", hint_to_write(fmt::format("{:.12g}", *value / 100))};
}

// Digits with separators between them, "1_000", "1 000", "1'000" or "1,000".
std::optional<NumberText> refuse_separators(std::string_view text) {
  const std::string plain = without(text, "_ '");
  if (plain.size() != text.size() && shape_of(plain).decimal && is_digit(text.back()))
    return NumberText{std::nullopt, "digits are not grouped", hint_to_write(plain)};
  if (std::count(text.begin(), text.end(), ',') == 1) {
    std::string with_point(text);
    std::replace(with_point.begin(), with_point.end(), ',', '.');
    if (shape_of(with_point).decimal) {
      const bool may_be_thousands = text.size() - text.find(',') == 4;
      return NumberText{
          std::nullopt, "the decimal sign is a point",
          hint_to_write(may_be_thousands ? fmt::format("{} or {}", without(text, ","), with_point)
                                         : with_point)};
    }
  }
  return std::nullopt;
}

NumberText refuse(std::string_view text) {
  const std::string word = lower_case(without(text, "+-."));
  if (word == "nan" || word == "inf" || word == "infinity" || word == "na")
    return {std::nullopt, "not a finite number", ""};
  if (word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'o' || word[1] == 'b'))
    return refuse_in_another_base(text);
  if (text.size() > 1 && text.back() == '%') return refuse_percent(text);
  if (auto refused = refuse_separators(text)) return *refused;
  if (word == "true" || word == "false") return {std::nullopt, "a truth value", ""};
  return {std::nullopt, "a text", ""};
}

}  // namespace

NumberText parse_number(std::string_view text) {
  const Shape shape = shape_of(text);
  if (!shape.decimal) return refuse(text);
  if (shape.leading_zero) {
    const bool negative = text.front() == '-';
    std::string_view digits = text.substr(text.find('0'));
    while (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) digits.remove_prefix(1);
    return {std::nullopt, "a leading zero, which some programs read as octal",
            hint_to_write(fmt::format("{}{}", negative ? "-" : "", digits))};
  }
  const auto value = convert(text);
  if (!value) return {std::nullopt, "beyond the range of a double, 2.2e-308 to 1.8e308", ""};
  return {value, {}, {}};
}

std::string format_number(double value) {
  TRIALWRIGHT_EXPECT(std::isfinite(value));
  if (value == std::floor(value) && std::abs(value) < 1e15) return fmt::format("{:.0f}", value);
  return fmt::format("{}", value);
}

}  // namespace trialwright::input
