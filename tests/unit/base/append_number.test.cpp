#include "base/append_number.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <limits>

namespace trialwright::base {
namespace {

std::string printed(const char* format, int n_digits, double value) {
  char text[400];
  std::snprintf(text, sizeof text, format, n_digits, value);
  return text;
}

TEST(AppendNumber, WritesAsPrintf) {
  for (const double value :
       {0.0, 1.0, -2.5, 0.00004999, 12.34567891234, 1e22, -1e300, 5e-324, 0.1 + 0.2}) {
    std::string fixed, general;
    append_fixed(fixed, value, 4);
    append_general(general, value, 10);
    EXPECT_EQ(fixed, printed("%.*f", 4, value));
    EXPECT_EQ(general, printed("%.*g", 10, value));
  }
}

TEST(AppendNumber, TheShortestTextReadsBackToTheSameNumber) {
  for (const double value :
       {0.1, 0.1 + 0.2, 1.0 / 3, 1e-7, 123456789.125, -4e-311, 1.7976931348623157e308}) {
    std::string text;
    append_shortest(text, value);
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
  }
  std::string text;
  append_shortest(text, 0.1);
  text += ' ';
  append_shortest(text, -0.0);
  text += ' ';
  append_shortest(text, std::numeric_limits<double>::infinity());
  EXPECT_EQ(text, "0.1 0 inf");
}

TEST(AppendNumber, WritesEveryInteger) {
  std::string text;
  append_integer(text, std::numeric_limits<std::int64_t>::min());
  text += ' ';
  append_integer(text, std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(text, "-9223372036854775808 18446744073709551615");
}

}  // namespace
}  // namespace trialwright::base
