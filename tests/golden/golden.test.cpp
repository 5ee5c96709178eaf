// Golden results: small studies whose results.json is kept beside them, byte for byte. A difference is
// a change of results: raise the version, tell it in CHANGELOG.md, and run this program with
// TRIALWRIGHT_UPDATE=1.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "report/json.hpp"
#include "trialwright/run.hpp"

namespace trialwright {
namespace {

namespace fs = std::filesystem;

std::string read_text(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Golden, ResultsAreWhatTheyWere) {
  int n_studies = 0;
  for (const auto& entry : fs::directory_iterator(TRIALWRIGHT_SOURCE_DIR "/tests/golden")) {
    if (entry.path().extension() != ".yaml") continue;
    ++n_studies;
    const std::string results = report::write_json(run(entry.path()));
    const fs::path kept = fs::path(entry.path()).replace_extension(".results.json");
    if (std::getenv("TRIALWRIGHT_UPDATE")) std::ofstream(kept, std::ios::binary) << results;
    EXPECT_EQ(results, read_text(kept)) << entry.path();
  }
  EXPECT_GT(n_studies, 0);
}

}  // namespace
}  // namespace trialwright
