#include "input/node.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <set>

#include "input/parse_yaml.hpp"

namespace trialwright::input {
namespace {

Node parse(const std::string& text) {
  Diagnostics faults;
  Node node = parse_yaml(text, 0, faults);
  EXPECT_TRUE(faults.empty()) << faults.text(Sources()) << text;
  return node;
}

bool same(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.quoted != b.quoted) return false;
  if (a.items.size() != b.items.size() || a.entries.size() != b.entries.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!same(a.items[i], b.items[i])) return false;
  for (std::size_t i = 0; i < a.entries.size(); ++i)
    if (a.entries[i].key != b.entries[i].key || !same(a.entries[i].value, b.entries[i].value))
      return false;
  return true;
}

TEST(Paths, join) {
  EXPECT_EQ(join_path("", "designs"), "designs");
  EXPECT_EQ(join_path("designs.fixed", "patients"), "designs.fixed.patients");
}

TEST(Paths, find_maps_items_and_keys_with_dots) {
  const Node root =
      parse("arms: {hcmsc: {weeks: [0, 2, 4]}}\nsweep:\n  designs.fixed.patients: [1, 2]\n");
  EXPECT_EQ(find_path(root, ""), &root);
  ASSERT_NE(find_path(root, "arms.hcmsc.weeks.1"), nullptr);
  EXPECT_EQ(find_path(root, "arms.hcmsc.weeks.1")->text, "2");
  EXPECT_EQ(find_path(root, "sweep.designs.fixed.patients.0")->text, "1");
  EXPECT_EQ(find_path(root, "arms.hcmsc.weeks.3"), nullptr);
  EXPECT_EQ(find_path(root, "arms.hcmsc.weeks.-1"), nullptr);
  EXPECT_EQ(find_path(root, "arms.hcmsc.weeks.1.x"), nullptr);
  EXPECT_EQ(find_path(root, "arms.placebo"), nullptr);
  EXPECT_EQ(find_path(root, "arms."), nullptr);
}

TEST(Paths, set_replaces_adds_and_refuses) {
  Node root = parse("a: {b: 1}\nweeks: [0, 2]\n");
  EXPECT_TRUE(set_path(root, "a.b", Node::scalar("2")));
  EXPECT_TRUE(set_path(root, "a.c.d", Node::scalar("3")));
  EXPECT_TRUE(set_path(root, "weeks.1", Node::scalar("4")));
  EXPECT_FALSE(set_path(root, "weeks.2", Node::scalar("4")));
  EXPECT_FALSE(set_path(root, "a.b.x", Node::scalar("4")));
  EXPECT_EQ(to_yaml(root), "a:\n  b: 2\n  c: {d: 3}\nweeks: [0, 4]\n");
}

TEST(ToYaml, golden) {
  const Node root = parse(
      "schema: 1\n"
      "title: 'How many: a question'\n"
      "empty:\n"
      "none: {}\n"
      "nothing: []\n"
      "number_as_text: \"300\"\n"
      "design: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 300}\n"
      "five: {a: 1, b: 2, c: 3, d: 4, e: 5}\n"
      "matrix: [[1, 0.5], [0.5, 1]]\n"
      "steps:\n- {at: 4, name: a b}\n- at: 8\n  list: [x, y]\n");
  EXPECT_EQ(to_yaml(root),
            "schema: 1\n"
            "title: \"How many: a question\"\n"
            "empty: null\n"
            "none: {}\n"
            "nothing: []\n"
            "number_as_text: \"300\"\n"
            "design:\n"
            "  kind: fixed\n"
            "  arms: {placebo: 1, hcmsc: 1}\n"
            "  patients: 300\n"
            "five:\n"
            "  a: 1\n"
            "  b: 2\n"
            "  c: 3\n"
            "  d: 4\n"
            "  e: 5\n"
            "matrix:\n"
            "  - [1, 0.5]\n"
            "  - [0.5, 1]\n"
            "steps:\n"
            "  - {at: 4, name: a b}\n"
            "  -\n"
            "    at: 8\n"
            "    list: [x, y]\n");
  EXPECT_TRUE(same(parse(to_yaml(root)), root));
}

TEST(ToYaml, awkward_texts_read_back) {
  Node root = Node::map();
  int n = 0;
  for (const char* text : {"",      "null",  "~",      "true",        "010",
                           "a: b",  "a #b",  "- x",    "-",           "---",
                           "...",   "<<",    "%x",     "@x",          "`x",
                           "'",     "\"",    "a\"b",   "back\\slash", "two\nlines\n",
                           "\ttab", " lead", "trail ", "[x",          "a, b",
                           "{",     "é — ü", "x:",     ":x",          "http://a/b?c=d",
                           "12:30", "\x01",  "? q",    "a?b",         "*a",
                           "&a",    "!a",    "|",      ">",           "=",
                           ".5",    "-.5",   "-a"}) {
    root.entries.push_back({fmt::format("k{}", n++), {}, Node::scalar(text, {}, true)});
    if (*text != '\0') root.entries.push_back({std::string("key ") + text, {}, Node::scalar("1")});
  }
  const Node back = parse(to_yaml(root));
  EXPECT_TRUE(same(back, root)) << to_yaml(root) << "\nversus\n" << to_yaml(back);
}

TEST(ToYaml, plain_texts_stay_plain) {
  const std::string text =
      "a: it's 5 % [of] {it}, mostly\nb: https://doi.org/10.1/x\nc: -0.5\nd: a-b_c.d/e\nf: [x y, -1, "
      "0.5]\n";
  EXPECT_EQ(to_yaml(parse(text)), text);
}

TEST(ToYaml, long_lists_and_maps_take_lines) {
  Node list = Node::sequence();
  for (int i = 0; i < 60; ++i) list.items.push_back(Node::scalar("0.125"));
  Node root = Node::map();
  root.entries.push_back({"weights", {}, list});
  EXPECT_TRUE(to_yaml(root).starts_with("weights:\n  - 0.125\n  - 0.125\n"));
  EXPECT_TRUE(same(parse(to_yaml(root)), root));
}

TEST(Fingerprint, is_fnv_1a_of_the_text) {
  // FNV-1a 64 of "a\n", by the reference recurrence worked in arbitrary-precision arithmetic.
  EXPECT_EQ(fingerprint(Node::scalar("a")), 0x089bdc07b544e7b2ULL);
  EXPECT_NE(fingerprint(parse("a: 1\n")), fingerprint(parse("a: 2\n")));
  EXPECT_EQ(fingerprint(parse("a: 1 # note\n")), fingerprint(parse("{a: 1}\n")));
}

TEST(QuickHash, tells_trees_apart_wherever_they_stand) {
  const std::vector<std::string> texts{"a: 1\n",
                                       "a: 2\n",
                                       "b: 1\n",
                                       "a: \"1\"\n",
                                       "a: [1]\n",
                                       "a: [1, 2]\n",
                                       "a: [2, 1]\n",
                                       "a: [[1], 2]\n",
                                       "a: [1, [2]]\n",
                                       "a: {b: 1}\n",
                                       "a: {b: 1}\nb: 1\n",
                                       "a:\n",
                                       "a: [12]\n",
                                       "b: 1\na: {b: 1}\n"};
  std::set<std::uint64_t> hashes;
  for (const auto& text : texts) hashes.insert(quick_hash(parse(text)));
  EXPECT_EQ(hashes.size(), texts.size());
  EXPECT_EQ(quick_hash(parse("a: 1 # note\n")), quick_hash(parse("\n{a: 1}\n")));
}

}  // namespace
}  // namespace trialwright::input
