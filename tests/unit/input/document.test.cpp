#include "input/document.hpp"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trialwright/error.hpp"

namespace trialwright::input {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// What a person is told about `text`; empty where it is sound.
std::string told(std::string_view text) {
  Diagnostics faults;
  const Document document = parse_document(text, "study.yaml", {}, faults);
  return faults.empty() ? "" : faults.text(document.sources);
}

TEST(Document, keeps_places_kinds_and_texts) {
  Diagnostics faults;
  const Document document = parse_document(
      "# a comment\nschema: 1\ndesigns:\n  fixed:\n    patients: 010\n    note: \"300\"\n    "
      "late:\nlist: [1,\n  2]\n",
      "study.yaml", {}, faults);
  ASSERT_TRUE(faults.empty()) << faults.text(document.sources);
  const Node* patients = find_path(document.root, "designs.fixed.patients");
  ASSERT_NE(patients, nullptr);
  EXPECT_EQ(patients->text, "010");
  EXPECT_EQ(patients->at.line, 5);
  EXPECT_EQ(patients->at.column, 15);
  EXPECT_TRUE(find_path(document.root, "designs.fixed.note")->quoted);
  const Node* late = find_path(document.root, "designs.fixed.late");
  EXPECT_EQ(late->kind, Node::Kind::null);
  EXPECT_EQ(late->at.line, 7);
  EXPECT_EQ(find_path(document.root, "list.1")->at.line, 9);
  EXPECT_EQ(find_path(document.root, "list.1")->at.column, 3);
}

TEST(Document, takes_the_word_null_for_a_name_where_a_key_stands) {
  Diagnostics faults;
  const Document document = parse_document(
      "scenarios:\n  null:     {effect: 0}\n  reported: {effect: null}\nflow: {null: 1}\n",
      "study.yaml", {}, faults);
  ASSERT_TRUE(faults.empty()) << faults.text(document.sources);
  EXPECT_EQ(find_path(document.root, "scenarios.null.effect")->text, "0");
  EXPECT_EQ(find_path(document.root, "scenarios.reported.effect")->kind, Node::Kind::null);
  EXPECT_EQ(find_path(document.root, "flow.null")->text, "1");
  const Document again = parse_document(to_yaml(document.root), "again.yaml", {}, faults);
  ASSERT_TRUE(faults.empty()) << faults.text(again.sources);
  EXPECT_EQ(to_yaml(again.root), to_yaml(document.root));
  EXPECT_THAT(told("? \n: 1\n"), HasSubstr("a key that is not a name"));
}

TEST(Document, accepts_byte_order_mark_crlf_and_a_document_start) {
  Diagnostics faults;
  const Document document = parse_document("\xef\xbb\xbf---\r\nschema: 1\r\na: two words\r\n\t\r\n",
                                           "study.yaml", {}, faults);
  ASSERT_TRUE(faults.empty()) << faults.text(document.sources);
  EXPECT_EQ(document.root.find("schema")->at.line, 2);
  EXPECT_EQ(document.root.find("a")->text, "two words");
}

TEST(Document, tells_both_places_of_a_duplicate_key) {
  EXPECT_EQ(told("schema: 1\na:\n  n: 1\n  m: 2\n  n: 3\n"),
            "study.yaml:5:3: error: \"n\" is written twice (first at line 3, column 3; a key stands "
            "once in a map)\n"
            "    n: 3\n"
            "    ^\n"
            "  hint: remove one of the two\n"
            "1 fault; nothing was run\n");
}

TEST(Document, refuses_what_a_study_file_does_not_use) {
  EXPECT_THAT(told("a: !!float 1\n"),
              HasSubstr("study.yaml:1:4: error: the tag !!float (a study file has no tags)"));
  EXPECT_THAT(told("a: !own {b: 1}\n"), HasSubstr("the tag !own"));
  EXPECT_THAT(told("a: &x {b: 1}\nc:\n  <<: *x\n"),
              HasSubstr("study.yaml:3:3: error: \"<<\" is a merge key"));
  EXPECT_THAT(told("a: 1\n---\nb: 2\n"),
              HasSubstr("study.yaml:2:1: error: a second document begins here"));
  EXPECT_THAT(told("[a, b]: 1\n"), HasSubstr("a key that is not a name"));
  EXPECT_THAT(told("{{a: 1}: 1}\n"), HasSubstr("a key that is not a name"));
  EXPECT_THAT(told("? \n: 1\n"), HasSubstr("a key that is not a name"));
  EXPECT_THAT(told("\"\": 1\n"), HasSubstr("a key that is not a name"));
}

TEST(Document, refuses_what_is_no_map) {
  EXPECT_THAT(told(""), HasSubstr("study.yaml:1:1: error: the file holds nothing"));
  EXPECT_THAT(told("# only a comment\n"), HasSubstr("the file holds nothing"));
  EXPECT_THAT(told("- a\n- b\n"), HasSubstr("the file is a list"));
  EXPECT_THAT(told("schema:1\n"), HasSubstr("write key: value, with a space after the colon"));
}

TEST(Document, says_what_is_wrong_with_the_bytes) {
  EXPECT_THAT(told("a: 1\nname: caf\xe9\n"),
              HasSubstr("study.yaml:2:10: error: byte 0xe9 (not UTF-8 text)"));
  EXPECT_THAT(told("a: \xed\xa0\x80\n"), HasSubstr("not UTF-8"));
  EXPECT_THAT(told("a: \xc0\xaf\n"), HasSubstr("not UTF-8"));
  EXPECT_THAT(told(std::string("\xff\xfe"
                               "a\0",
                               4)),
              HasSubstr("study.yaml: error: UTF-16 text"));
  EXPECT_THAT(told(std::string("a: b\0c\n", 7)),
              HasSubstr("study.yaml:1:5: error: control character 0x00"));
  EXPECT_THAT(told("a: b\x04"
                   "c\n"),
              HasSubstr("control character 0x04"));
  EXPECT_THAT(told("a:\n\tb: 1\n"), HasSubstr("study.yaml:2:1: error: a tab in the indentation"));
  EXPECT_THAT(told("a:\n  \tb: 1\n"), HasSubstr("study.yaml:2:3: error: a tab in the indentation"));
  EXPECT_THAT(told(std::string(9 << 20, ' ')), HasSubstr("at most 8 MiB"));
}

TEST(Document, words_faults_of_syntax) {
  EXPECT_THAT(told("a: {b: 1\n"), HasSubstr("a { without its }"));
  EXPECT_THAT(told("a: [1, 2\n"), HasSubstr("a [ without its ]"));
  EXPECT_THAT(told("a: b: c\n"), HasSubstr("study.yaml:1:5: error: a colon where no value can stand"));
  EXPECT_THAT(told("b: 1\na: \"open\nc: 3\n"),
              HasSubstr("study.yaml:2:4: error: a quote that is not closed"));
  EXPECT_THAT(told("a: \"open\\\""), HasSubstr("a quote that is not closed"));
  EXPECT_THAT(told("a: 'it''s\n"), HasSubstr("a quote that is not closed"));
  EXPECT_THAT(told("a: &x\n  \"open\n"), HasSubstr("a quote that is not closed"));
  EXPECT_EQ(told("é: 'it''s'\nb: \"a \\\" b\"\nc: &x 'two\n  lines'\n\"d\": |\n  'tis\n"), "");
  EXPECT_THAT(told("a: 1\n b: 2\n"), HasSubstr("error: "));
  EXPECT_THAT(told("a:\n    b: 1\n  c: 2\n"), HasSubstr("does not fit"));
  EXPECT_THAT(told("a: *nothing\n"), HasSubstr("an alias without its anchor"));
}

TEST(Document, expands_aliases_within_bounds) {
  Diagnostics faults;
  const Document document = parse_document("a: &x {b: 1}\nc: *x\n", "s", {}, faults);
  ASSERT_TRUE(faults.empty());
  EXPECT_EQ(find_path(document.root, "c.b")->text, "1");
  EXPECT_THAT(told("a: &x [*x]\n"), HasSubstr("an alias inside of what it names"));

  std::string bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string above = std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 9; ++k) bomb += "*a" + above + ", ";
    bomb += "*a" + above + "]\n";
  }
  EXPECT_THAT(told(bomb), HasSubstr("more than 100000 values"));
}

TEST(Document, bounds_the_depth) {
  EXPECT_THAT(told("a: " + std::string(70, '[') + std::string(70, ']') + "\n"),
              HasSubstr("nested deeper than 64"));
  EXPECT_THAT(told("a: " + std::string(100000, '[') + "\n"), HasSubstr("nested deeper than 64"));
}

// A folder of files that lives as long as the test.
class Folder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("trialwright_document_" +
               std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "library");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }

  // The text told, with the folder's own path taken out.
  std::string told_of(const std::string& name) {
    Diagnostics faults;
    const Document document = read_document(folder_ / name, faults);
    return faults.empty() ? "" : plain(faults.text(document.sources));
  }
  std::string plain(std::string text) {
    const std::string prefix = folder_.string() + "/";
    for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
    return text;
  }

  fs::path folder_;
};

TEST_F(Folder, extends_merges_maps_and_replaces_the_rest) {
  write("library/base.yaml",
        "schema: 1\narms: {placebo: {dose: 0}, hcmsc: {dose: 1, weeks: [0, 2, 4]}}\nnote: base\n");
  write("library/more.yaml", "extends: base.yaml\nnote: more\n");
  write("study.yaml",
        "extends: [library/base.yaml, library/more.yaml]\narms:\n  hcmsc: {weeks: [0]}\n  sham: {}\n");
  Diagnostics faults;
  const Document document = read_document(folder_ / "study.yaml", faults);
  ASSERT_TRUE(faults.empty()) << faults.text(document.sources);
  EXPECT_EQ(to_yaml(document.root),
            "schema: 1\narms:\n  placebo: {dose: 0}\n  hcmsc:\n    dose: 1\n    weeks: [0]\n  sham: "
            "{}\nnote: more\n");
  EXPECT_EQ(document.sources.name(0), (folder_ / "study.yaml").string());
  const Position dose = find_path(document.root, "arms.hcmsc.dose")->at;
  EXPECT_EQ(plain(document.sources.name(dose.source)), "library/base.yaml");
  EXPECT_EQ(dose.line, 2);
  EXPECT_EQ(find_path(document.root, "arms.hcmsc.weeks")->at.source, 0);
}

TEST_F(Folder, extends_replaces_a_map_that_becomes_another_kind_of_thing) {
  write("base.yaml",
        "same: {kind: exponential, nugget: 0.07}\nother: {kind: exponential, nugget: 0.07}\n");
  write(
      "study.yaml",
      "extends: base.yaml\nsame: {kind: exponential, floor: 0.5}\nother: {kind: compound_symmetry}\n");
  Diagnostics faults;
  const Document document = read_document(folder_ / "study.yaml", faults);
  ASSERT_TRUE(faults.empty()) << faults.text(document.sources);
  EXPECT_NE(find_path(document.root, "same.nugget"), nullptr);
  EXPECT_EQ(find_path(document.root, "other.nugget"), nullptr);
  EXPECT_EQ(find_path(document.root, "other.kind")->text, "compound_symmetry");
}

TEST_F(Folder, extends_keeps_a_map_whose_kind_is_misspelt_but_not_one_of_a_similar_kind) {
  write("base.yaml",
        "slip: {kind: exponential, nugget: 0.07}\nother: {distribution: normal, mean: 3}\n");
  write("study.yaml",
        "extends: base.yaml\nslip: {kind: exponentail}\nother: {distribution: lognormal, median: 3}\n");
  Diagnostics faults;
  const Document document = read_document(folder_ / "study.yaml", faults);
  ASSERT_TRUE(faults.empty()) << faults.text(document.sources);
  EXPECT_NE(find_path(document.root, "slip.nugget"), nullptr);
  EXPECT_EQ(find_path(document.root, "other.mean"), nullptr);
}

TEST_F(Folder, extends_tells_a_missing_file_with_its_place_and_the_near_one) {
  write("library/hcmsc.yaml", "schema: 1\n");
  write("study.yaml", "schema: 1\nextends: library/hcmsk.yaml\n");
  EXPECT_EQ(
      told_of("study.yaml"),
      "study.yaml:2:10: error: \"extends\" is library/hcmsk.yaml (library/hcmsk.yaml: no such file)\n"
      "    extends: library/hcmsk.yaml\n"
      "             ^\n"
      "  hint: did you mean \"library/hcmsc.yaml\"?\n"
      "1 fault; nothing was run\n");
  write("study.yaml", "extends: library\n");
  EXPECT_THAT(told_of("study.yaml"), HasSubstr("a directory, not a file"));
  write("study.yaml", "extends: {a: b}\n");
  EXPECT_THAT(told_of("study.yaml"),
              HasSubstr("\"extends\" is a map (a file or a list of files is needed)"));
  write("study.yaml", "extends: [[a]]\n");
  EXPECT_THAT(told_of("study.yaml"), HasSubstr("a file or a list of files is needed"));
}

TEST_F(Folder, extends_shows_a_circle) {
  write("a.yaml", "extends: library/b.yaml\n");
  write("library/b.yaml", "extends: ../a.yaml\n");
  EXPECT_THAT(told_of("a.yaml"), HasSubstr("library/b.yaml:1:10: error: \"extends\" runs in a circle "
                                           "(a.yaml -> library/b.yaml -> a.yaml)"));
  write("self.yaml", "extends: self.yaml\n");
  EXPECT_THAT(told_of("self.yaml"), HasSubstr("(self.yaml -> self.yaml)"));
}

TEST_F(Folder, extends_of_a_ladder_of_files_stays_linear) {
  for (int i = 0; i < 40; ++i) {
    const std::string next = fmt::format("f{}.yaml", i + 1);
    write(fmt::format("f{}.yaml", i), fmt::format("extends: [{0}, {0}]\n", next));
  }
  write("f40.yaml", "schema: 1\n");
  EXPECT_EQ(told_of("f0.yaml"), "");
}

TEST_F(Folder, faults_of_extended_files_point_into_them) {
  write("library/bad.yaml", "schema: 1\nschema: 2\n");
  write("study.yaml", "extends: library/bad.yaml\na: !x 1\n");
  const std::string text = told_of("study.yaml");
  EXPECT_THAT(text, HasSubstr("study.yaml:2:4: error: the tag !x"));
  EXPECT_THAT(text, HasSubstr("library/bad.yaml:2:1: error: \"schema\" is written twice"));
  EXPECT_THAT(text, HasSubstr("2 faults; nothing was run"));
}

TEST_F(Folder, an_unreadable_study_is_an_input_output_fault) {
  Diagnostics faults;
  try {
    read_document(folder_ / "nowhere.yaml", faults);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::io);
    EXPECT_EQ(plain(error.what()), "nowhere.yaml: no such file");
  }
  EXPECT_THROW(read_document(folder_, faults), Error);
}

std::string set(std::string_view text, std::string_view assignment, Document& document) {
  Diagnostics faults;
  document = parse_document(text, "study.yaml", {}, faults);
  apply_set(document, assignment, faults);
  return faults.empty() ? "" : faults.text(document.sources);
}

constexpr std::string_view k_study = "schema: 1\ndesigns:\n  fixed: {patients: 300, looks: [1, 2]}\n";

TEST(ApplySet, replaces_and_adds) {
  Document document;
  EXPECT_EQ(set(k_study, "designs.fixed.patients=150", document), "");
  const Node* patients = find_path(document.root, "designs.fixed.patients");
  EXPECT_EQ(patients->text, "150");
  EXPECT_EQ(document.sources.name(patients->at.source), "--set designs.fixed.patients=150");
  EXPECT_EQ(patients->at.column, 24);
  EXPECT_EQ(set(k_study, "designs.fixed.looks.1=3", document), "");
  EXPECT_EQ(find_path(document.root, "designs.fixed.looks.1")->text, "3");
  EXPECT_EQ(set(k_study, "simulation={trials: 100, seed: 1}", document), "");
  EXPECT_EQ(find_path(document.root, "simulation.seed")->text, "1");
  EXPECT_EQ(set(k_study, "designs.fixed.rescue=null", document), "");
  EXPECT_EQ(find_path(document.root, "designs.fixed.rescue")->kind, Node::Kind::null);
  EXPECT_EQ(set(k_study, "designs.fixed.note=a=b", document), "");
  EXPECT_EQ(find_path(document.root, "designs.fixed.note")->text, "a=b");
}

TEST(ApplySet, tells_what_is_wrong) {
  Document document;
  EXPECT_EQ(set(k_study, "designs.fixd.patients=150", document),
            "--set designs.fixd.patients=150: error: \"fixd\" is no part of \"designs\"\n"
            "    designs.fixd.patients=150\n"
            "            ^\n"
            "  hint: did you mean \"fixed\"?\n"
            "1 fault; nothing was run\n");
  EXPECT_THAT(set(k_study, "desings.fixed.patients=1", document),
              HasSubstr("did you mean \"designs\"?"));
  EXPECT_THAT(set(k_study, "designs.fixed.patients.x=1", document),
              HasSubstr("\"designs.fixed.patients\" has no part \"x\" (it is one value)"));
  EXPECT_THAT(set(k_study, "designs.fixed.looks.2=1", document),
              HasSubstr("\"designs.fixed.looks\" has no part \"2\" (it is a list of 2)"));
  EXPECT_THAT(set(k_study, "designs", document), HasSubstr("not of the form path=value"));
  EXPECT_THAT(set(k_study, "=3", document), HasSubstr("not of the form path=value"));
  EXPECT_THAT(set(k_study, "a..b=3", document), HasSubstr("not of the form path=value"));
  EXPECT_THAT(set(k_study, "designs.fixed.patients=", document), HasSubstr("is given no value"));
  EXPECT_THAT(set(k_study, "designs.fixed.patients=[1", document), HasSubstr("a [ without its ]"));
}

}  // namespace
}  // namespace trialwright::input
