#include "input/diagnostics.hpp"

#include <gtest/gtest.h>

namespace trialwright::input {
namespace {

TEST(Diagnostics, sorts_by_place_and_keeps_a_fault_once) {
  Sources sources;
  const int study = sources.add("study.yaml", "a: 1\n  bb: 2\n");
  const int library = sources.add("library.yaml", "c: 3\n");
  Diagnostics faults;
  faults.add({library, 1, 1}, "last");
  faults.add({study, 2, 7}, "second", "a way out");
  faults.add({study, 1, 4}, "first");
  faults.add({study, 1, 4}, "first");
  EXPECT_EQ(faults.size(), 3u);
  EXPECT_EQ(faults.text(sources),
            "study.yaml:1:4: error: first\n"
            "    a: 1\n"
            "       ^\n"
            "study.yaml:2:7: error: second\n"
            "    bb: 2\n"
            "        ^\n"
            "  hint: a way out\n"
            "library.yaml:1:1: error: last\n"
            "    c: 3\n"
            "    ^\n"
            "3 faults; nothing was run\n");
}

TEST(Diagnostics, caret_counts_characters_and_keeps_tabs) {
  Sources sources;
  sources.add("s", "é\tü: 1");
  Diagnostics faults;
  faults.add({0, 1, 6}, "here");
  EXPECT_EQ(faults.text(sources),
            "s:1:6: error: here\n    é\tü: 1\n     \t   ^\n1 fault; nothing was run\n");
}

TEST(Diagnostics, shows_a_window_of_a_long_line) {
  Sources sources;
  sources.add("s", std::string(500, 'a') + 'X' + std::string(500, 'b'));
  Diagnostics faults;
  faults.add({0, 1, 501}, "here");
  EXPECT_EQ(faults.text(sources), "s:1:501: error: here\n    ..." + std::string(60, 'a') + 'X' +
                                      std::string(59, 'b') + "...\n" + std::string(4 + 3 + 60, ' ') +
                                      "^\n1 fault; nothing was run\n");
}

TEST(Diagnostics, tells_faults_without_a_place) {
  Diagnostics faults;
  faults.add({}, "nowhere");
  EXPECT_EQ(faults.text(Sources()), "error: nowhere\n1 fault; nothing was run\n");
}

TEST(Sources, lines_beyond_the_text_are_empty) {
  Sources sources;
  const int s = sources.add("s", "one\r\ntwo");
  EXPECT_EQ(sources.line({s, 1, 1}), "one");
  EXPECT_EQ(sources.line({s, 2, 1}), "two");
  EXPECT_EQ(sources.line({s, 3, 1}), "");
  EXPECT_EQ(sources.line({7, 1, 1}), "");
}

}  // namespace
}  // namespace trialwright::input
