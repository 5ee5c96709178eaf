// Shipped studies with random mistakes: each ends in faults or in a study whose
// first trial runs, and soon.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "scenario/study.hpp"
#include "trial/simulate_trial.hpp"
#include "trial/staged_trial.hpp"
#include "trialwright/error.hpp"

namespace trialwright {
namespace {

const std::string k_configs = TRIALWRIGHT_SOURCE_DIR "/configs";

constexpr std::array<std::string_view, 40> k_odd{
    "-1",    "0",      "1",      "2",           "0.5",       "1.5",     "5",     "100",
    "1e308", "-1e308", "1e-308", "99999999999", "1e9",       "-0.0001", "1e400", "nan",
    ".inf",  "010",    "0x10",   "1_000",       "58%",       "null",    "~",     "[]",
    "{}",    "true",   "\"1\"",  "x",           "[1, 2]",    "{a: 1}",  "*a",    "&a 1",
    "!!int", "easi",   "hcmsc",  "placebo",     "composite", "- 1",     "?",     "0.999999999"};

using Random = std::mt19937;

std::size_t below(Random& random, std::size_t n) {
  return random() % n;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// The places of the numbers of `text`, each with its length.
std::vector<std::pair<std::size_t, std::size_t>> numbers_in(const std::string& text) {
  std::vector<std::pair<std::size_t, std::size_t>> found;
  for (std::size_t at = 1; at < text.size(); ++at) {
    const bool begins =
        is_digit(text[at]) && (text[at - 1] == ' ' || text[at - 1] == '[' || text[at - 1] == '-');
    if (!begins) continue;
    std::size_t end = at;
    while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
    found.emplace_back(at, end - at);
    at = end;
  }
  return found;
}

std::size_t line_start(const std::string& text, std::size_t at) {
  const auto end = text.rfind('\n', at == 0 ? 0 : at - 1);
  return end == std::string::npos ? 0 : end + 1;
}

void mutate(std::string& text, Random& random) {
  const auto odd = std::string(k_odd[below(random, k_odd.size())]);
  const auto numbers = numbers_in(text);
  const auto start = line_start(text, below(random, text.size()));
  const auto end = std::min(text.find('\n', start), text.size() - 1);
  const auto colon = text.find(": ", start);
  switch (below(random, 8)) {
    case 0:  // a line left out
      text.erase(start, end + 1 - start);
      break;
    case 1:  // a line twice
      text.insert(start, text.substr(start, end + 1 - start));
      break;
    case 2:  // another value behind a key
      if (colon < end) text.replace(colon + 2, end - colon - 2, odd);
      break;
    case 3:  // a slip of the pen
      text.erase(below(random, text.size()), 1);
      break;
    case 4: {  // a line at another place
      const auto line = text.substr(start, end + 1 - start);
      text.erase(start, end + 1 - start);
      text.insert(line_start(text, below(random, text.size())), line);
      break;
    }
    case 5: {  // two numbers exchanged
      const auto [at, length] = numbers[below(random, numbers.size())];
      const auto [from, n] = numbers[below(random, numbers.size())];
      text.replace(at, length, text.substr(from, n));
      break;
    }
    default: {  // another number
      const auto [at, length] = numbers[below(random, numbers.size())];
      text.replace(at, length, odd);
      break;
    }
  }
}

// True where the study was sound.
bool is_sound(const std::string& text) {
  try {
    auto study = scenario::Study::parse(text, "study.yaml", k_configs, {});
    // Two of each design.
    auto points = study.points();
    std::map<std::string, int> n_points;
    std::erase_if(points, [&](const auto& point) { return ++n_points[point.design] > 2; });
    trial::Workspace workspace;
    trial::StagedOutcome outcome;
    for (const auto& plan : study.plans(points)) {
      constexpr int k_most_patients = 2000;
      if (plan->n_patients > k_most_patients) continue;
      workspace.prepare(*plan);
      if (plan->staged)
        trial::simulate_staged(*plan, 0, workspace, outcome, nullptr);
      else
        trial::simulate_trial(*plan, 0, workspace);
    }
    study.resolved_yaml();
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::bad_input) << error.what();
    EXPECT_NE(std::string(error.what()).find(": error: "), std::string::npos) << error.what();
    return false;
  }
}

class Mutations : public testing::TestWithParam<std::string> {};

// TRIALWRIGHT_MUTATIONS asks for more than the test's own, with other mistakes.
TEST_P(Mutations, EndInFaultsOrInAStudy) {
  const char* asked = std::getenv("TRIALWRIGHT_MUTATIONS");
  const int n = asked ? std::atoi(asked) : 30;
  constexpr double k_longest_seconds = 5;
  const auto shipped = scenario::Study::load(k_configs + "/" + GetParam(), {}).resolved_yaml();
  Random random(asked ? static_cast<unsigned>(n) : 20261123u);
  int n_sound = 0;
  for (int i = 0; i < n; ++i) {
    auto text = shipped;
    for (std::size_t k = 1 + below(random, 2); k > 0; --k) mutate(text, random);
    const auto begun = std::clock();
    try {
      n_sound += is_sound(text) ? 1 : 0;
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    EXPECT_LT(static_cast<double>(std::clock() - begun) / CLOCKS_PER_SEC, k_longest_seconds);
    if (HasFailure()) {
      std::printf("mutation %d:\n%s\n", i, text.c_str());
      return;
    }
  }
  // Both ends are tried.
  EXPECT_GT(n_sound, 0);
  EXPECT_LT(n_sound, n);
}

INSTANTIATE_TEST_SUITE_P(Shipped, Mutations,
                         testing::Values("phase2.yaml", "phase3_power.yaml", "phase3_sweep.yaml",
                                         "assurance.yaml", "type1_error.yaml", "group_sequential.yaml",
                                         "promising_zone.yaml", "seamless_selection.yaml",
                                         "enrichment.yaml", "enrichment_prevalence.yaml",
                                         "regional_bridging.yaml", "maintenance.yaml",
                                         "adaptive_error.yaml", "compare_designs.yaml"),
                         [](const auto& config) {
                           return config.param.substr(0, config.param.find('.'));
                         });

}  // namespace
}  // namespace trialwright
