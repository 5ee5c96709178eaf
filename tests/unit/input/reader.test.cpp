#include "input/reader.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "input/document.hpp"

namespace trialwright::input {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

enum class Kind { fixed, group_sequential };
constexpr std::array<base::Named<Kind>, 2> k_kinds{
    {{"fixed", "one look", "", Kind::fixed}, {"group_sequential", "many", "", Kind::group_sequential}}};
constexpr std::span<const base::Named<Kind>> k_kind_table(k_kinds);

// A study text under a reader; after `ask`, what was told and what was echoed.
struct Answer {
  std::string told;
  std::string echo;
};

template <class Ask>
Answer answer(std::string_view text, Ask ask) {
  Diagnostics faults;
  Document document = parse_document(text, "study.yaml", {}, faults);
  Node echo;
  {
    Reader reader(document.root, "", faults, echo);
    ask(reader);
  }
  return {faults.empty() ? "" : faults.text(document.sources), to_yaml(echo)};
}

std::string told_of_number(const std::string& value, const Bounds& bounds) {
  return answer("x: " + value + "\n",
                [&](Reader& reader) { EXPECT_TRUE(std::isfinite(reader.number("x", bounds))); })
      .told;
}

TEST(Reader, number_in_bounds_is_echoed_as_read) {
  double x = 0;
  const Answer got =
      answer("x: 2.50e-1\n", [&](Reader& reader) { x = reader.number("x", k_probability); });
  EXPECT_EQ(x, 0.25);
  EXPECT_EQ(got.told, "");
  EXPECT_EQ(got.echo, "x: 0.25\n");
}

TEST(Reader, exact_text_of_a_number_out_of_bounds) {
  EXPECT_EQ(answer("designs:\n  fixed:\n    patients: 0\n",
                   [](Reader& reader) {
                     for (auto& [name, design] : reader.named("designs"))
                       EXPECT_GE(design.integer("patients", 2, 1000000000000), 2);
                   })
                .told,
            "study.yaml:3:15: error: \"patients\" is 0 (a whole number of at least 2 is needed)\n"
            "    patients: 0\n"
            "              ^\n"
            "1 fault; nothing was run\n");
  EXPECT_EQ(told_of_number("58", k_probability),
            "study.yaml:1:4: error: \"x\" is 58 (a probability from 0 to 1 is needed)\n"
            "    x: 58\n"
            "       ^\n"
            "  hint: 58% is written 0.58\n"
            "1 fault; nothing was run\n");
}

TEST(Reader, numbers_that_are_none) {
  EXPECT_THAT(told_of_number("010", k_positive),
              HasSubstr("\"x\" is 010 (a leading zero, which some programs read as octal; a number "
                        "above 0 is needed)"));
  EXPECT_THAT(told_of_number(".inf", k_any_number),
              HasSubstr("\"x\" is .inf (not a finite number; a number is needed)"));
  EXPECT_THAT(told_of_number("nan", k_any_number), HasSubstr("not a finite number"));
  EXPECT_THAT(told_of_number("1e400", k_any_number), HasSubstr("beyond the range of a double"));
  EXPECT_THAT(told_of_number("1_000", k_any_number), HasSubstr("hint: write 1000"));
  EXPECT_THAT(told_of_number("0x10", k_any_number), HasSubstr("hint: write 16"));
  EXPECT_THAT(told_of_number("58%", k_probability), HasSubstr("hint: write 0.58"));
  EXPECT_THAT(told_of_number("\"0.5\"", k_probability),
              HasSubstr("\"x\" is \"0.5\" (a text in quotes; a probability from 0 to 1 is needed)"));
  EXPECT_THAT(told_of_number("'0.5'", k_probability), HasSubstr("hint: write 0.5 without quotes"));
  EXPECT_THAT(told_of_number("[1, 2]", k_any_number),
              HasSubstr("\"x\" is a list (a number is needed)"));
  EXPECT_THAT(told_of_number("{a: 1}", k_any_number), HasSubstr("\"x\" is a map (a number is needed)"));
  EXPECT_THAT(told_of_number("", k_any_number), HasSubstr("\"x\" is empty (a number is needed)"));
  EXPECT_THAT(told_of_number("0", {.minimum = 0, .open_minimum = true, .meaning = "weeks"}),
              HasSubstr("(a number of weeks above 0 is needed)"));
  EXPECT_THAT(told_of_number("1", k_open_probability),
              HasSubstr("(a probability above 0 and below 1 is needed)"));
}

TEST(Reader, integers) {
  const auto integer = [](const std::string& value) {
    std::int64_t got = 0;
    const Answer all = answer("n: " + value + "\n", [&](Reader& reader) {
      got = reader.integer("n", 2, 2000000000000000000);
    });
    return all.told.empty() ? std::to_string(got) + ' ' + all.echo : all.told;
  };
  EXPECT_EQ(integer("300"), "300 n: 300\n");
  EXPECT_EQ(integer("1e5"), "100000 n: 100000\n");
  EXPECT_EQ(integer("300.0"), "300 n: 300\n");
  EXPECT_EQ(integer("1234567890123456789"), "1234567890123456789 n: 1234567890123456789\n");
  EXPECT_THAT(integer("2.5"),
              HasSubstr("\"n\" is 2.5 (not a whole number; a whole number of at least 2 is needed)"));
  EXPECT_THAT(integer("99999999999999999999"), HasSubstr("too large"));
  EXPECT_THAT(integer("1900000000000000001000"), HasSubstr("too large"));
  EXPECT_THAT(integer("2000000000000000001"), HasSubstr("too large"));
  EXPECT_THAT(integer("-3"), HasSubstr("a whole number of at least 2 is needed"));
  EXPECT_THAT(integer("010"), HasSubstr("hint: write 10"));
  EXPECT_THAT(answer("schema: 2\n", [](Reader& reader) { reader.integer("schema", 1, 1); }).told,
              HasSubstr("\"schema\" is 2 (the number 1 is needed)"));
}

TEST(Reader, defaults_are_written_out_in_the_order_asked) {
  const Answer got = answer("b: true\n", [](Reader& reader) {
    EXPECT_EQ(reader.number("a", k_probability, 0.025), 0.025);
    EXPECT_TRUE(reader.boolean("b", false));
    EXPECT_FALSE(reader.boolean("c", false));
    EXPECT_EQ(reader.integer("n", 0, 10, 7), 7);
    EXPECT_EQ(reader.text("note", ""), "");
    EXPECT_EQ(reader.text("version", "1.0"), "1.0");
    EXPECT_EQ(reader.choice("kind", k_kind_table, Kind::group_sequential), Kind::group_sequential);
    EXPECT_EQ(reader.numbers("weeks", k_non_negative, std::vector<double>{0, 2, 4}).size(), 3u);
    EXPECT_EQ(reader.texts("names", {"x", "y"}).size(), 2u);
    EXPECT_EQ(reader.number("none", k_any_number, std::numeric_limits<double>::infinity()),
              std::numeric_limits<double>::infinity());
    EXPECT_EQ(reader.optional_number("absent", k_any_number), std::nullopt);
    Reader inner = reader.map_or_defaults("inner");
    inner.number("p", k_probability, 0.5);
  });
  EXPECT_EQ(got.told, "");
  EXPECT_EQ(got.echo,
            "a: 0.025\nb: true\nc: false\nn: 7\nnote: \"\"\nversion: \"1.0\"\nkind: group_sequential\n"
            "weeks: [0, 2, 4]\nnames: [x, y]\ninner: {p: 0.5}\n");
}

TEST(Reader, booleans_are_true_or_false_only) {
  const auto told = [](const std::string& value) {
    return answer("b: " + value + "\n", [](Reader& reader) { reader.boolean("b", false); }).told;
  };
  EXPECT_EQ(told("false"), "");
  EXPECT_THAT(
      told("yes"),
      HasSubstr("\"b\" is yes (true or false is needed)\n    b: yes\n       ^\n  hint: write true"));
  EXPECT_THAT(told("Off"), HasSubstr("hint: write false"));
  EXPECT_THAT(told("\"true\""), HasSubstr("hint: write true"));
  EXPECT_THAT(told("[true]"), HasSubstr("\"b\" is a list (true or false is needed)"));
}

TEST(Reader, choices_and_references_tell_the_near_name_or_all) {
  const auto kind = [](const std::string& value) {
    return answer("kind: " + value + "\n", [](Reader& reader) { reader.choice("kind", k_kind_table); })
        .told;
  };
  EXPECT_EQ(kind("fixed"), "");
  EXPECT_THAT(kind("fixd"), HasSubstr("\"kind\" is fixd (not one of the names known here)"));
  EXPECT_THAT(kind("fixd"), HasSubstr("hint: did you mean \"fixed\"?"));
  EXPECT_THAT(kind("bayesian"), HasSubstr("hint: known: fixed, group_sequential"));
  EXPECT_THAT(kind("[fixed]"),
              HasSubstr("\"kind\" is a list (one of fixed, group_sequential is needed)"));
  EXPECT_THAT(kind(""), HasSubstr("\"kind\" is empty (one of fixed, group_sequential is needed)"));

  const std::vector<std::string> arms{"placebo", "hcmsc"};
  const Answer got =
      answer("a: hcmsc\nb: placbo\nc: [placebo, hcmsc, placebo, x]\nd: placebo\n", [&](Reader& reader) {
        EXPECT_EQ(reader.reference("a", arms, "arm"), 1);
        EXPECT_EQ(reader.reference("b", arms, "arm"), -1);
        EXPECT_THAT(reader.references("c", arms, "arm"), ElementsAre(0, 1));
        EXPECT_TRUE(reader.references("d", arms, "arm").empty());
        EXPECT_EQ(reader.optional_reference("e", arms, "arm"), std::nullopt);
        EXPECT_EQ(reader.reference("f", arms, "arm"), -1);
      });
  EXPECT_THAT(got.told, HasSubstr("study.yaml:2:4: error: \"b\" is placbo (no arm has this name)"));
  EXPECT_THAT(got.told, HasSubstr("did you mean \"placebo\"?"));
  EXPECT_THAT(got.told, HasSubstr("3:21: error: \"c\" names arm \"placebo\" twice"));
  EXPECT_THAT(got.told, HasSubstr("\"c.3\" is x (no arm has this name)"));
  EXPECT_THAT(got.told, HasSubstr("hint: known: placebo, hcmsc"));
  EXPECT_THAT(got.told,
              HasSubstr("\"d\" is placebo (a text; a list, each item the name of one arm, is needed)"));
  EXPECT_THAT(got.told, HasSubstr("hint: write [placebo]"));
  EXPECT_THAT(got.told, HasSubstr("\"f\" is missing (the name of one arm is needed)"));
  EXPECT_THAT(got.told, HasSubstr("5 faults"));
}

TEST(Reader, lists_of_numbers) {
  const Answer got =
      answer("a: [1, 2]\nb: 4\nc: [0.5, 1.5, x]\nd: []\ne: [1]\nf: []\n", [](Reader& reader) {
        EXPECT_THAT(reader.numbers("a", k_positive, 2), ElementsAre(1, 2));
        EXPECT_EQ(reader.numbers("b", k_positive).size(), 0u);
        EXPECT_EQ(reader.numbers("c", k_probability).size(), 3u);
        EXPECT_EQ(reader.numbers("d", k_positive).size(), 0u);
        EXPECT_EQ(reader.numbers("e", k_positive, 2).size(), 2u);
        EXPECT_EQ(reader.numbers("f", k_positive, std::vector<double>{1}).size(), 0u);
        EXPECT_EQ(reader.numbers("g", k_positive, 3).size(), 3u);
      });
  EXPECT_THAT(got.told, HasSubstr("\"b\" is 4 (a number; a list of numbers is needed)"));
  EXPECT_THAT(got.told, HasSubstr("hint: write [4]"));
  EXPECT_THAT(got.told, HasSubstr("3:10: error: \"c.1\" is 1.5 (a probability from 0 to 1 is needed)"));
  EXPECT_THAT(got.told,
              HasSubstr("3:15: error: \"c.2\" is x (a text; a probability from 0 to 1 is needed)"));
  EXPECT_THAT(got.told, HasSubstr("\"d\" is an empty list (a list of numbers is needed)"));
  EXPECT_THAT(got.told, HasSubstr("\"e\" is a list of 1 (a list of 2 numbers is needed)"));
  EXPECT_THAT(got.told, HasSubstr("\"g\" is missing (a list of 3 numbers is needed)"));
  EXPECT_EQ(got.echo, "a: [1, 2]\nf: []\n");
}

TEST(Reader, numbers_by_name) {
  const std::vector<std::string> arms{"placebo", "low", "high"};
  const Answer got =
      answer("a: {high: 2, placebo: 1}\nb: {placebo: 0, sham: 1}\nc: 3\n", [&](Reader& reader) {
        EXPECT_THAT(reader.number_by_name("a", arms, "arm", k_positive),
                    ElementsAre(1, std::nullopt, 2));
        reader.number_by_name("b", arms, "arm", k_positive);
        reader.number_by_name("c", arms, "arm", k_positive);
        reader.number_by_name("d", arms, "arm", k_positive);
        reader.number_by_name("e", arms, "arm", k_positive, false);
      });
  EXPECT_THAT(got.told, HasSubstr("2:14: error: \"b.placebo\" is 0 (a number above 0 is needed)"));
  EXPECT_THAT(got.told, HasSubstr("2:17: error: \"b\" holds sham (no arm has this name)"));
  EXPECT_THAT(got.told, HasSubstr("\"c\" is 3 (a map that gives each arm a number above 0 is needed)"));
  EXPECT_THAT(got.told, HasSubstr("\"d\" is missing"));
  EXPECT_THAT(got.told, HasSubstr("4 faults"));
  EXPECT_THAT(got.echo, HasSubstr("a: {high: 2, placebo: 1}\n"));
}

TEST(Reader, lists_of_maps) {
  const auto ask = [](Reader& reader) {
    for (auto& look : reader.maps("looks")) {
      look.number("outcomes", k_positive, 7);
      if (!look.has("first_of")) continue;
      for (auto& part : look.maps("first_of")) {
        EXPECT_EQ(part.path(), "looks.1.first_of.0");
        part.number("months", k_positive);
      }
    }
  };
  const Answer sound =
      answer("looks: [{outcomes: 0.5}, {outcomes: 3, first_of: [{months: 2}]}, {}]\n", ask);
  EXPECT_EQ(sound.told, "");
  EXPECT_EQ(sound.echo,
            "looks:\n  - {outcomes: 0.5}\n  -\n    outcomes: 3\n    first_of:\n      - {months: 2}\n"
            "  - {outcomes: 7}\n");
  EXPECT_EQ(answer(sound.echo, ask).echo, sound.echo);
  EXPECT_EQ(answer("looks:\n  - {outcomes: -1}\n  - 3\n  - {outcome: 2}\n", ask).told,
            "study.yaml:2:16: error: \"outcomes\" is -1 (a number above 0 is needed)\n"
            "    - {outcomes: -1}\n"
            "                 ^\n"
            "study.yaml:3:5: error: \"looks.1\" is 3 (a map is needed)\n"
            "    - 3\n"
            "      ^\n"
            "study.yaml:4:6: error: \"outcome\" is not a known key of \"looks.2\"\n"
            "    - {outcome: 2}\n"
            "       ^\n"
            "  hint: did you mean \"outcomes\"?\n"
            "3 faults; nothing was run\n");
  EXPECT_THAT(answer("a: 1\n", ask).told, HasSubstr("\"looks\" is missing (a list of maps is needed)"));
  EXPECT_THAT(answer("looks: []\n", ask).told, HasSubstr("\"looks\" is an empty list"));
  EXPECT_THAT(answer("looks: {outcomes: 1}\n", ask).told,
              HasSubstr("\"looks\" is a map (a list of maps is needed)"));
}

TEST(Reader, unknown_keys_are_told_with_the_near_one) {
  const Answer got = answer("designs:\n  fixed:\n    patinets: 300\n    zzz: 1\n", [](Reader& reader) {
    for (auto& [name, design] : reader.named("designs")) {
      design.integer("patients", 2, 1000);
      design.number("alpha", k_probability, 0.05);
    }
  });
  EXPECT_EQ(got.told,
            "study.yaml:2:3: error: \"patients\" is missing in \"designs.fixed\" (a whole number from "
            "2 to 1000 is needed)\n"
            "    fixed:\n"
            "    ^\n"
            "study.yaml:3:5: error: \"patinets\" is not a known key of \"designs.fixed\"\n"
            "    patinets: 300\n"
            "    ^\n"
            "  hint: did you mean \"patients\"?\n"
            "study.yaml:4:5: error: \"zzz\" is not a known key of \"designs.fixed\"\n"
            "    zzz: 1\n"
            "    ^\n"
            "  hint: known: patients, alpha\n"
            "3 faults; nothing was run\n");
}

TEST(Reader, after_a_faulty_choice_only_likely_misspellings_are_unknown) {
  const Answer got = answer("kind: grup\nlooks: [1]\nalhpa: 1\n", [](Reader& reader) {
    reader.choice("kind", k_kind_table);
    reader.number("alpha", k_probability, 0.05);
  });
  EXPECT_THAT(got.told, Not(HasSubstr("\"looks\"")));
  EXPECT_THAT(got.told, HasSubstr("did you mean \"alpha\"?"));
}

TEST(Reader, a_missing_map_gives_one_fault_and_a_harmless_reader) {
  const auto ask = [](Reader& reader) {
    Reader outer = reader.map("outer");
    EXPECT_EQ(outer.path(), "outer");
    EXPECT_TRUE(outer.number("x", k_open_probability) > 0);
    EXPECT_EQ(outer.integer("n", 5, 9), 5);
    EXPECT_EQ(outer.choice("kind", k_kind_table), Kind::fixed);
    EXPECT_EQ(outer.reference("arm", {"a"}, "arm"), -1);
    EXPECT_TRUE(outer.named("things").empty());
    EXPECT_EQ(outer.raw("raw"), nullptr);
    Reader inner = outer.map("inner");
    EXPECT_EQ(inner.text("t"), "");
    Reader defaults = outer.map_or_defaults("defaults");
    EXPECT_EQ(defaults.text("t"), "");
    outer.fault("x", "nobody is told");
    outer.faults().add({}, "nobody is told");
  };
  const Answer missing = answer("a: 1\n", [&](Reader& reader) {
    reader.number("a", k_any_number);
    ask(reader);
  });
  EXPECT_THAT(missing.told, HasSubstr("\"outer\" is missing (a map is needed)"));
  EXPECT_THAT(missing.told, HasSubstr("1 fault;"));
  EXPECT_EQ(missing.echo, "a: 1\n");
  EXPECT_THAT(answer("outer: [1]\n", ask).told, HasSubstr("\"outer\" is a list (a map is needed)"));
}

TEST(Reader, named_things) {
  const Answer got =
      answer("scenarios:\n  null_truth: {effect: 0}\n  2x: {effect: 2}\n  reported:\n  odd: 3\n",
             [](Reader& reader) {
               auto scenarios = reader.named("scenarios");
               EXPECT_EQ(scenarios.size(), 4u);
               for (auto& [name, scenario] : scenarios) scenario.number("effect", k_any_number);
             });
  EXPECT_THAT(got.told,
              HasSubstr("3:3: error: \"2x\" is not a name (letters, digits and _, not a digit first)"));
  EXPECT_THAT(got.told, HasSubstr("4:3: error: \"reported\" is empty (a map is needed)"));
  EXPECT_THAT(got.told, HasSubstr("hint: write {} where every key keeps its default"));
  EXPECT_THAT(got.told, HasSubstr("5:8: error: \"odd\" is 3 (a map is needed)"));
  EXPECT_THAT(got.told, HasSubstr("3 faults"));
}

TEST(Reader, readers_may_outlive_their_parents_and_end_in_any_order) {
  Diagnostics faults;
  Document document = parse_document("a: {b: {x: 1}}\nd: {e: {y: 2}}\nz: 3\n", "s", {}, faults);
  Node echo;
  {
    std::vector<Reader> kept;
    {
      Reader root(document.root, "", faults, echo);
      Reader a = root.map("a");
      kept.push_back(a.map("b"));
      kept.push_back(root.map("d").map("e"));
      for (int i = 0; i < 50; ++i) root.integer(fmt::format("n{}", i), 0, 100, i);
      root.number("z", k_any_number);
      Reader moved = std::move(root);
    }
    kept[1].number("y", k_any_number);
    kept[0].number("x", k_any_number);
  }
  EXPECT_TRUE(faults.empty()) << faults.text(document.sources);
  EXPECT_TRUE(to_yaml(echo).starts_with("a:\n  b: {x: 1}\nd:\n  e: {y: 2}\nn0: 0\n"));
}

TEST(Reader, the_echo_reads_back_to_the_same_echo) {
  const auto ask = [](Reader& reader) {
    reader.number("third", k_any_number);
    reader.number("tenth", k_any_number, 0.1 + 0.2);
    reader.text("id");
    reader.text("note", "a: b # c");
    reader.raw("sweep");
    for (auto& [name, arm] : reader.named("arms")) {
      arm.numbers("weeks", k_non_negative, std::vector<double>{0, 1.0 / 3});
      arm.optional_map("off");
    }
    reader.map_or_defaults("simulation").integer("trials", 1, 1000000000, 100000);
  };
  const Answer first = answer(
      "third: 0.33333333333333331\nid: '007'\nsweep: {a.b: [1, 2, 1e3], 'c d': ['1', x]}\narms: {p: "
      "{}, q: {}}\n",
      ask);
  EXPECT_EQ(first.told, "");
  const Answer second = answer(first.echo, ask);
  EXPECT_EQ(second.told, "");
  EXPECT_EQ(second.echo, first.echo);
  EXPECT_THAT(first.echo, HasSubstr("tenth: 0.30000000000000004\n"));
  EXPECT_THAT(first.echo, HasSubstr("id: \"007\"\n"));
}

TEST(Reader, faults_of_a_set_value_point_into_the_assignment) {
  Diagnostics faults;
  Document document = parse_document("simulation: {trials: 5}\n", "study.yaml", {}, faults);
  apply_set(document, "simulation.trials=many", faults);
  apply_set(document, "simulation.trails=7", faults);
  Node echo;
  {
    Reader root(document.root, "", faults, echo);
    Reader simulation = root.map("simulation");
    simulation.integer("trials", 1, 100);
  }
  EXPECT_EQ(faults.text(document.sources),
            "--set simulation.trials=many: error: \"trials\" is many (a text; a whole number from 1 to "
            "100 is needed)\n"
            "    simulation.trials=many\n"
            "                      ^\n"
            "--set simulation.trails=7: error: \"trails\" is not a known key of \"simulation\"\n"
            "    simulation.trails=7\n"
            "               ^\n"
            "  hint: did you mean \"trials\"?\n"
            "2 faults; nothing was run\n");
}

}  // namespace
}  // namespace trialwright::input
