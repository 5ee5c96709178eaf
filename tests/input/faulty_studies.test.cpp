// Every faulty study of this folder is refused with exactly the faults that its head expects: exit
// status, place, message and hint, all in one go.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "engine/point_engine.hpp"
#include "scenario/study.hpp"
#include "trialwright/error.hpp"

namespace trialwright {
namespace {

namespace fs = std::filesystem;

const fs::path k_folder = fs::path(TRIALWRIGHT_SOURCE_DIR) / "tests" / "input";

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Expectations stand in the study's first comments; where its bytes allow none, in a file beside it.
fs::path file_of_expectations(const fs::path& study) {
  const fs::path beside = fs::path(study).replace_extension(".expect");
  return fs::exists(beside) ? beside : study;
}

bool is_expectation(const std::string& line) {
  return line.starts_with("# expect ") || line.starts_with("#   hint: ");
}

std::string expected_faults(const fs::path& study) {
  std::string expected;
  for (const auto& line : lines_of(bytes_of(file_of_expectations(study)))) {
    if (!line.starts_with('#')) break;
    if (is_expectation(line)) expected += line + '\n';
  }
  return expected;
}

std::vector<std::string> assignments_of(const fs::path& study) {
  constexpr std::string_view k_mark = "# set ";
  std::vector<std::string> assignments;
  for (const auto& line : lines_of(bytes_of(study)))
    if (line.starts_with(k_mark)) assignments.push_back(line.substr(k_mark.size()));
  return assignments;
}

// What the program would say: all faults of reading, of planning and of the engine asked for. Empty
// where it finds none.
std::string complaint(const fs::path& study, int& status) {
  try {
    auto read = scenario::Study::load(study, assignments_of(study));
    engine::engines_of(read, read.plans(read.points()), 1);
    status = 0;
    return {};
  } catch (const Error& error) {
    status = static_cast<int>(error.status());
    return error.what();
  }
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

// The complaint as expectations: places in the study itself without its name,
// other files relative to its folder.
std::string as_expectations(const std::string& text, const fs::path& study, int status) {
  const std::string folder = study.parent_path().string() + "/";
  const std::string library = (fs::path(TRIALWRIGHT_SOURCE_DIR) / "configs").string();
  constexpr std::string_view k_hint = "  hint: ";
  std::string expectations;
  for (auto line : lines_of(text)) {
    line = replaced(line, folder + study.filename().string() + ": ", "file: ");
    line = replaced(line, folder + study.filename().string() + ":", "");
    line = replaced(replaced(line, folder, ""), library, "configs");
    // Where a fault stands in a shipped file may move with that file.
    line =
        std::regex_replace(line, std::regex("^(configs/[a-z0-9_/]+[.]yaml):[0-9]+:[0-9]+: "), "$1: ");
    if (const auto at = line.find(": error: "); at != std::string::npos)
      expectations += "# expect " + std::to_string(status) + ' ' + line.substr(0, at) + ' ' +
                      line.substr(at + 9) + '\n';
    else if (line.starts_with(k_hint))
      expectations += "#   hint: " + line.substr(k_hint.size()) + '\n';
  }
  return expectations;
}

// Puts what was found in place of what was expected.
void rewrite_expectations(const fs::path& study, const std::string& found) {
  const fs::path file = file_of_expectations(study);
  std::string text;
  bool is_head = true, is_written = false;
  for (const auto& line : lines_of(bytes_of(file))) {
    is_head = is_head && line.starts_with('#');
    if (is_head && is_expectation(line)) continue;
    if (!is_head && !is_written) {
      text += found;
      is_written = true;
    }
    text += line + '\n';
  }
  if (!is_written) text += found;
  std::ofstream(file, std::ios::binary) << text;
}

std::vector<std::string> sections() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(k_folder))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<fs::path> studies_of(const std::string& section) {
  std::vector<fs::path> studies;
  for (const auto& entry : fs::directory_iterator(k_folder / section)) {
    const fs::path& file = entry.path();
    if (file.extension() == ".yaml" && !file.stem().string().ends_with(".part"))
      studies.push_back(file);
  }
  std::sort(studies.begin(), studies.end());
  return studies;
}

// Places are shown, not only told: below every place stand its line and a caret.
bool shows_every_place(const std::string& text) {
  const auto lines = lines_of(text);
  for (std::size_t i = 0; i < lines.size(); ++i)
    if (lines[i].find(": error: ") != std::string::npos &&
        lines[i].find(".yaml: error: ") == std::string::npos &&
        (i + 2 >= lines.size() || !lines[i + 2].ends_with('^')))
      return false;
  return true;
}

class FaultyStudies : public testing::TestWithParam<std::string> {};

// TRIALWRIGHT_UPDATE=1 rewrites the expectations: read the difference before it is committed.
TEST_P(FaultyStudies, AreRefusedAsExpected) {
  const bool update = std::getenv("TRIALWRIGHT_UPDATE") != nullptr;
  for (const auto& study : studies_of(GetParam())) {
    int status = 0;
    std::string text = complaint(study, status);
    if (update) {
      // Twice: expectations of another length move the lines that they tell of.
      for (int pass = 0; pass < 2; ++pass) {
        rewrite_expectations(study, as_expectations(text, study, status));
        text = complaint(study, status);
      }
    }
    EXPECT_NE(expected_faults(study), "") << study << " expects nothing";
    EXPECT_EQ(as_expectations(text, study, status), expected_faults(study)) << study << '\n' << text;
    EXPECT_TRUE(shows_every_place(text)) << study << '\n' << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Input, FaultyStudies, testing::ValuesIn(sections()),
                         [](const auto& section) { return section.param; });

TEST(FaultyStudiesFolder, HoldsAtLeastSixty) {
  std::size_t n = 0;
  for (const auto& section : sections()) n += studies_of(section).size();
  EXPECT_GE(n, 60u);
}

}  // namespace
}  // namespace trialwright
