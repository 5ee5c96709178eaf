#include "base/csv_field.hpp"

#include <gtest/gtest.h>

namespace trialwright::base {
namespace {

TEST(CsvField, IsQuotedWhereRfc4180Asks) {
  EXPECT_EQ(csv_field("plain text"), "plain text");
  EXPECT_EQ(csv_field(""), "");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("say \"no\""), "\"say \"\"no\"\"\"");
  EXPECT_EQ(csv_field("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(csv_field("cr\r"), "\"cr\r\"");
  EXPECT_EQ(csv_field(" blank"), "\" blank\"");
}

}  // namespace
}  // namespace trialwright::base
