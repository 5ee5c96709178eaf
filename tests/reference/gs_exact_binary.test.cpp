// Operating characteristics of three-look designs with pooled z, by convolving the binomial counts from
// look to look and asking the design's own decide() about every table: all rows of gs_exact_binary.csv,
// and of gs_exact_rpact_w2.csv the columns that are exact (gs_exact_binary.R of the reference values:
// base R with rpact's O'Brien-Fleming spending bounds, written with 12 decimals).
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "design/design_spec.hpp"
#include "support/csv_rows.hpp"
#include "support/read_text.hpp"

namespace trialwright {
namespace {

using analysis::TwoByTwo;
using design::StopReason;

std::vector<std::string> parts_of(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, '/');) parts.push_back(part);
  return parts;
}

std::vector<int> sizes_of(const std::string& text) {
  std::vector<int> sizes;
  for (const auto& part : parts_of(text)) sizes.push_back(std::stoi(part));
  return sizes;
}

// futility: "-Inf/-Inf" or "0/0.5".
std::shared_ptr<const design::StagedDesign> make(const std::vector<int>& n_1,
                                                 const std::vector<int>& n_0,
                                                 const std::string& futility) {
  const analysis::TestSpec test{analysis::Method::z_pooled, analysis::Sides::one, 0.025, 0,
                                analysis::Direction::higher_is_better};
  design::StudyNames names{{"placebo", "hcmsc"}, 0, {"easi50"}, {}};
  names.tests = {test};
  std::string yaml =
      "kind: group_sequential\narms: {placebo: 1, hcmsc: 1}\nprimary: easi50\npatients: " +
      std::to_string(n_1[2] + n_0[2]) + "\nlooks:\n";
  for (std::size_t k = 0; k < 2; ++k)
    yaml += "  - {outcomes: " + std::to_string(n_1[k] + n_0[k]) + "}\n";
  const auto limits = parts_of(futility);
  if (limits[0] != "-Inf")
    yaml += "futility: {rule: z, below: [" + limits[0] + ", " + limits[1] + "]}\n";
  const auto got = test_support::read_text(
      yaml, [&](auto& reader) { return design::read_design("sequential", reader, names); });
  EXPECT_TRUE(got.faults.empty()) << got.text;
  design::DesignContext context;
  context.test = test;
  return design::make_staged_design(got.value, context);
}

std::vector<double> binomial(int n, double p) {
  std::vector<double> probability;
  for (int x = 0; x <= n; ++x)
    probability.push_back(std::exp(std::lgamma(n + 1) - std::lgamma(x + 1) - std::lgamma(n - x + 1) +
                                   x * std::log(p) + (n - x) * std::log1p(-p)));
  return probability;
}

// Probabilities of the counts (x_1, x_0) of the trials that go on.
struct Counts {
  int n_1 = 0;
  int n_0 = 0;
  std::vector<double> probability{1.0};
  double& at(int x_1, int x_0) { return probability[static_cast<std::size_t>(x_1 * (n_0 + 1) + x_0)]; }
};

Counts with_more(Counts before, int n_1, int n_0, double p_1, double p_0) {
  const auto more_1 = binomial(n_1 - before.n_1, p_1), more_0 = binomial(n_0 - before.n_0, p_0);
  Counts half{n_1, before.n_0, {}};
  half.probability.assign(static_cast<std::size_t>((n_1 + 1) * (before.n_0 + 1)), 0.0);
  for (int x_1 = 0; x_1 <= before.n_1; ++x_1)
    for (int x_0 = 0; x_0 <= before.n_0; ++x_0)
      for (std::size_t d = 0; d < more_1.size(); ++d)
        half.at(x_1 + static_cast<int>(d), x_0) += before.at(x_1, x_0) * more_1[d];
  Counts after{n_1, n_0, {}};
  after.probability.assign(static_cast<std::size_t>((n_1 + 1) * (n_0 + 1)), 0.0);
  for (int x_1 = 0; x_1 <= n_1; ++x_1)
    for (int x_0 = 0; x_0 <= before.n_0; ++x_0)
      for (std::size_t d = 0; d < more_0.size(); ++d)
        after.at(x_1, x_0 + static_cast<int>(d)) += half.at(x_1, x_0) * more_0[d];
  return after;
}

struct Characteristics {
  std::vector<double> efficacy, futility;
  double expected_patients = 0;
};

Characteristics enumerate(const design::StagedDesign& design, const std::vector<int>& n_1,
                          const std::vector<int>& n_0, double p_1, double p_0) {
  Characteristics found;
  Counts counts;
  design::TrialState before;
  design.start(before);
  for (std::size_t k = 0; k < n_1.size(); ++k) {
    counts = with_more(counts, n_1[k], n_0[k], p_1, p_0);
    found.efficacy.push_back(0);
    found.futility.push_back(0);
    std::vector<TwoByTwo> stages(k + 1);
    design::TrialState after_going_on;
    double stopped = 0;
    for (int x_1 = 0; x_1 <= n_1[k]; ++x_1)
      for (int x_0 = 0; x_0 <= n_0[k]; ++x_0) {
        stages[k] = {x_1, n_1[k], x_0, n_0[k]};
        design::LookData data;
        data.i_look = static_cast<int>(k);
        data.is_final = k + 1 == n_1.size();
        data.stages = stages;
        design::TrialState state = before;
        const auto reason = design.decide(data, state, nullptr).stop;
        double& probability = counts.at(x_1, x_0);
        if (reason == StopReason::none) {
          after_going_on = state;
          continue;
        }
        if (reason == StopReason::efficacy) found.efficacy.back() += probability;
        if (reason == StopReason::futility) found.futility.back() += probability;
        stopped += probability;
        probability = 0;
      }
    found.expected_patients += (n_1[k] + n_0[k]) * stopped;
    before = after_going_on;
  }
  return found;
}

void expect_row(const support::CsvRow& row, const std::vector<int>& n_1, const std::vector<int>& n_0,
                const std::string& power, const std::string& expected_patients) {
  const auto number = [&](const std::string& column) { return std::stod(row.at(column)); };
  const auto design = make(n_1, n_0, row.at("fut"));
  const auto found = enumerate(*design, n_1, n_0, number("p1"), number("p2"));
  const std::string name = row.at("p1") + " " + row.at("p2") + " " + row.at("fut");
  EXPECT_NEAR(found.efficacy[0] + found.efficacy[1] + found.efficacy[2], number(power), 1e-11) << name;
  for (std::size_t k = 0; k < 3; ++k)
    EXPECT_NEAR(found.efficacy[k], number("rej" + std::to_string(k + 1)), 1e-11) << name;
  for (std::size_t k = 0; k < 2; ++k)
    EXPECT_NEAR(found.futility[k], number("fut" + std::to_string(k + 1)), 1e-11) << name;
  EXPECT_NEAR(found.expected_patients, number(expected_patients), 1e-9) << name;
}

TEST(GroupSequentialBinary, DecidesAsTheExactReference) {
  const auto rows = support::csv_rows("tests/reference/gs_exact_binary.csv");
  EXPECT_EQ(rows.size(), 26u);
  for (const auto& row : rows) {
    const auto n = sizes_of(row.at("n_per_arm"));
    expect_row(row, n, n, "power", "EN");
  }
}

TEST(GroupSequentialBinary, DecidesAsTheExactReferenceInUnequalArms) {
  const auto rows = support::csv_rows("tests/reference/gs_exact_rpact_w2.csv");
  EXPECT_EQ(rows.size(), 8u);
  for (const auto& row : rows)
    expect_row(row, sizes_of(row.at("n1")), sizes_of(row.at("n2")), "power_exact", "EN_exact");
}

}  // namespace
}  // namespace trialwright
