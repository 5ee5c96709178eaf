// Whatever bytes come in, reading ends with a tree or with faults, and what was written reads back.
#include <random>

#include <gtest/gtest.h>

#include "input/document.hpp"
#include "input/reader.hpp"

namespace trialwright::input {
namespace {

constexpr std::string_view k_study =
    "# How many patients?\n"
    "schema: 1\n"
    "title: \"a: \\\"question\\\"\\n\"\n"
    "arms: &arms {placebo: {weeks: [0, 2, 4]}, hcmsc: {dose: 1.0e6, note: 'it''s'}}\n"
    "copy: *arms\n"
    "designs:\n"
    "  fixed:\n"
    "    kind: fixed\n"
    "    patients: 300\n"
    "    list:\n"
    "    - 1\n"
    "    - {a: b}\n"
    "    text: |\n"
    "      two\n"
    "      lines\n"
    "sweep:\n"
    "  designs.fixed.patients: [100, 150]\n"
    "simulation: {trials: 100000, seed: 20261123}\n";

void ask_everything(const Node& node, Reader& reader) {
  for (const Entry& entry : node.entries) {
    reader.number(entry.key, k_probability, 0.5);
    reader.integer(entry.key, 1, 100);
    reader.boolean(entry.key, false);
    reader.text(entry.key, "x");
    reader.reference(entry.key, {"a", "b"}, "thing");
    reader.numbers(entry.key, k_positive);
    reader.texts(entry.key, {});
    reader.references(entry.key, {"a", "b"}, "thing");
    reader.number_by_name(entry.key, {"a", "b"}, "thing", k_positive);
    if (entry.value.kind == Node::Kind::map) {
      Reader inner = reader.map(entry.key);
      ask_everything(entry.value, inner);
    }
  }
  for (auto& [name, thing] : reader.named("designs")) thing.keys();
}

bool same(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.text != b.text) return false;
  if (a.items.size() != b.items.size() || a.entries.size() != b.entries.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i)
    if (!same(a.items[i], b.items[i])) return false;
  for (std::size_t i = 0; i < a.entries.size(); ++i)
    if (a.entries[i].key != b.entries[i].key || !same(a.entries[i].value, b.entries[i].value))
      return false;
  return true;
}

// True where the text was sound.
bool check(const std::string& text, const std::string& assignment) {
  Diagnostics faults;
  Document document = parse_document(text, "study.yaml", {}, faults);
  const bool sound = faults.empty();
  if (sound) {
    Diagnostics more;
    const std::string yaml = to_yaml(document.root);
    const Document back = parse_document(yaml, "echo", {}, more);
    EXPECT_TRUE(more.empty()) << more.text(back.sources) << "\nfrom\n"
                              << text << "\nwritten as\n"
                              << yaml;
    EXPECT_TRUE(same(back.root, document.root)) << text << "\nwritten as\n" << yaml;
  }
  apply_set(document, assignment, faults);
  Node echo;
  {
    Reader reader(document.root, "", faults, echo);
    ask_everything(document.root, reader);
  }
  to_yaml(echo);
  EXPECT_FALSE(!sound && faults.text(document.sources).empty());
  return sound;
}

TEST(Fuzz, random_bytes) {
  std::mt19937 random(20261123);
  constexpr std::string_view k_telling = ":-{}[],&*!|>'\"#%@`?<=~. \n\n\tab01\r\xc3\xa9";
  for (int i = 0; i < 4000; ++i) {
    std::string text(random() % 60, ' ');
    for (char& c : text)
      c = random() % 20 == 0 ? static_cast<char>(random()) : k_telling[random() % k_telling.size()];
    check(text, text);
    if (HasFailure()) return;
  }
}

TEST(Fuzz, mutations_of_a_study) {
  std::mt19937 random(4179760);
  constexpr std::string_view k_telling = ":-{}[],&*!|>'\"#%@`?<=~. \n ab01";
  int n_sound = 0;
  for (int i = 0; i < 6000; ++i) {
    std::string text(k_study);
    for (int n = 1 + static_cast<int>(random() % 3); n > 0; --n) {
      const std::size_t at = random() % text.size();
      const std::size_t length = 1 + random() % 8;
      switch (random() % 5) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text[at] = k_telling[random() % k_telling.size()];
          break;
        case 2:
          text.insert(at, 1, k_telling[random() % k_telling.size()]);
          break;
        case 3:
          text.erase(at, length);
          break;
        default:
          text.insert(random() % text.size(), text.substr(at, length));
          break;
      }
    }
    n_sound += check(text, "designs.fixed.patients=" + text.substr(random() % text.size(), 5)) ? 1 : 0;
    if (HasFailure()) return;
  }
  // Mutations that leave the text sound try the round trip; mutations that do not try the faults.
  EXPECT_GT(n_sound, 600);
  EXPECT_LT(n_sound, 5400);
}

}  // namespace
}  // namespace trialwright::input
