#include "base/named_table.hpp"

#include <gtest/gtest.h>

#include <array>

namespace {

namespace base = trialwright::base;

enum class Colour { red, green, blue };

constexpr std::array<base::Named<Colour>, 2> k_colours = {
    {{"red", "like a rash", "", Colour::red}, {"green", "like a leaf", "Goethe 1810", Colour::green}}};
constexpr std::span<const base::Named<Colour>> k_table = k_colours;

TEST(NamedTable, FindsByNameAndByValue) {
  static_assert(base::find(k_table, "green")->value == Colour::green);
  EXPECT_EQ(base::find(k_table, "green")->source, "Goethe 1810");
  EXPECT_EQ(base::find(k_table, "Green"), nullptr);
  EXPECT_EQ(base::name_of(k_table, Colour::red), "red");
  EXPECT_EQ(base::name_of(k_table, Colour::blue), "?");
}

std::string closest(std::string_view name) {
  return base::closest(name, {"patients", "primary", "chi_square", "arms", "n", "non_inferiority"});
}

TEST(Closest, ForgivesOneEditOfEachKind) {
  EXPECT_EQ(closest("patiens"), "patients");
  EXPECT_EQ(closest("pattients"), "patients");
  EXPECT_EQ(closest("patients"), "patients");
  EXPECT_EQ(closest("pazients"), "patients");
  EXPECT_EQ(closest("aptients"), "patients");
}

TEST(Closest, IgnoresCaseAndDashes) {
  EXPECT_EQ(closest("Chi-Square"), "chi_square");
  EXPECT_EQ(closest("NON-INFERIORTY"), "non_inferiority");
}

TEST(Closest, ASwapOfNeighboursIsOneEdit) {
  EXPECT_EQ(closest("amrs"), "arms");
  EXPECT_EQ(closest("smra"), "");
}

TEST(Closest, SaysNothingWhereNothingIsNear) {
  EXPECT_EQ(closest("randomisation"), "");
  EXPECT_EQ(closest("pat"), "");
  EXPECT_EQ(base::closest("x", std::vector<std::string>{}), "");
}

TEST(Closest, TakesTheNearestAndTheFirstOfEquals) {
  const std::array<std::string_view, 3> candidates = {"lower", "upper", "power"};
  EXPECT_EQ(base::closest("poewr", candidates), "power");
  EXPECT_EQ(base::closest("xower", candidates), "lower");
}

}  // namespace
