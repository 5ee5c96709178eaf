#include "input/number_text.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>

#include <gtest/gtest.h>

namespace trialwright::input {
namespace {

TEST(ParseNumber, reads_decimal_notation) {
  EXPECT_EQ(parse_number("0").value, 0.0);
  EXPECT_EQ(parse_number("-0.5").value, -0.5);
  EXPECT_EQ(parse_number("+300").value, 300.0);
  EXPECT_EQ(parse_number(".5").value, 0.5);
  EXPECT_EQ(parse_number("5.").value, 5.0);
  EXPECT_EQ(parse_number("1e5").value, 100000.0);
  EXPECT_EQ(parse_number("1.7976931348623157e308").value, 1.7976931348623157e308);
  EXPECT_EQ(parse_number("0.1").value, 0.1);
}

struct Refused {
  const char* text;
  const char* why;
  const char* hint;
};

class ParseNumberRefuses : public testing::TestWithParam<Refused> {};

TEST_P(ParseNumberRefuses, with_reason_and_hint) {
  const NumberText parsed = parse_number(GetParam().text);
  EXPECT_FALSE(parsed.value.has_value());
  EXPECT_EQ(parsed.why, GetParam().why);
  EXPECT_EQ(parsed.hint, GetParam().hint);
}

INSTANTIATE_TEST_SUITE_P(
    Spellings, ParseNumberRefuses,
    testing::Values(
        Refused{"010", "a leading zero, which some programs read as octal", "write 10"},
        Refused{"-007.5", "a leading zero, which some programs read as octal", "write -7.5"},
        Refused{"00", "a leading zero, which some programs read as octal", "write 0"},
        Refused{"0x10", "not in decimal notation", "write 16"},
        Refused{"0o17", "not in decimal notation", "write 15"},
        Refused{"0b101", "not in decimal notation", "write 5"},
        Refused{"0xzz", "not in decimal notation", ""},
        Refused{"1_000", "digits are not grouped", "write 1000"},
        Refused{"1 000", "digits are not grouped", "write 1000"},
        Refused{"0,58", "the decimal sign is a point", "write 0.58"},
        Refused{"58%", "a percentage", "write 0.58"}, Refused{"2.5 %", "a percentage", "write 0.025"},
        Refused{".nan", "not a finite number", ""}, Refused{"NaN", "not a finite number", ""},
        Refused{".inf", "not a finite number", ""}, Refused{"-.Inf", "not a finite number", ""},
        Refused{"NA", "not a finite number", ""},
        Refused{"1e400", "beyond the range of a double, 2.2e-308 to 1.8e308", ""},
        Refused{"1e-400", "beyond the range of a double, 2.2e-308 to 1.8e308", ""},
        Refused{"true", "a truth value", ""}, Refused{"many", "a text", ""}, Refused{"", "a text", ""},
        Refused{"%", "a text", ""}, Refused{"-", "a text", ""}, Refused{"1e", "a text", ""},
        Refused{"e5", "a text", ""}, Refused{"1.2.3", "a text", ""}, Refused{"0x", "a text", ""},
        Refused{"12 weeks", "a text", ""}));

TEST(FormatNumber, keeps_whole_numbers_whole) {
  EXPECT_EQ(format_number(300), "300");
  EXPECT_EQ(format_number(100000), "100000");
  EXPECT_EQ(format_number(-2), "-2");
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(0.025), "0.025");
  EXPECT_EQ(format_number(1e22), "1e+22");
  EXPECT_EQ(format_number(1e-7), "1e-07");
}

TEST(FormatNumber, reads_back_to_the_same_bits) {
  std::mt19937_64 bits(20261123);
  int n_checked = 0;
  while (n_checked < 20000) {
    const double value = std::bit_cast<double>(bits());
    if (!std::isnormal(value)) continue;
    const auto back = parse_number(format_number(value)).value;
    ASSERT_TRUE(back.has_value()) << value;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(*back), std::bit_cast<std::uint64_t>(value)) << value;
    ++n_checked;
  }
}

}  // namespace
}  // namespace trialwright::input
