#include "report/text_table.hpp"

#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/grid.hpp"
#include "unit/report/sample.hpp"

namespace trialwright::report {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = text.find('\n', begin);
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

TEST(TextTable, golden) {
  EXPECT_EQ(
      text_table(sample()),
      "study phase3, seed 20261123, 100000 trials for each row, design fixed\n"
      "\n"
      "scenario    patients  hypothesis  quantity      probability ± MCSE      95% interval   exact    "
      "mean estimate\n"
      "----------  --------  ----------  ------------  ------------------  ----------------  ------  "
      "---------------\n"
      "null_truth       150  easi50      type I error     0.0251 ± 0.0012  [0.0227, 0.0275]  0.0254  "
      "0.0000 ± 0.0003\n"
      "null_truth       150  easi90      power            0.0126 ± 0.0011  [0.0103, 0.0148]\n"
      "null_truth       300  easi50      type I error     0.0249 ± 0.0012  [0.0225, 0.0273]  0.0252  "
      "0.0000 ± 0.0003\n"
      "null_truth       300  easi90      power            0.0124 ± 0.0011  [0.0102, 0.0146]\n"
      "\n"
      "reported         150  easi50      power            0.8123 ± 0.0012  [0.8099, 0.8147]  0.8126  "
      "0.2523 ± 0.0003\n"
      "reported         150  easi90      power            0.4062 ± 0.0011  [0.4040, 0.4083]\n"
      "reported         300  easi50      power            0.9876 ± 0.0012  [0.9852, 0.9900]  0.9879  "
      "0.2523 ± 0.0003\n"
      "reported         300  easi90      power            0.4938 ± 0.0011  [0.4916, 0.4960]\n"
      "\n"
      "scenario    patients  hypothesis             bias         coverage     rate placebo       rate "
      "hcmsc\n"
      "----------  --------  ----------  ---------------  ---------------  ---------------  "
      "---------------\n"
      "null_truth       150  easi50      0.0001 ± 0.0003  0.9512 ± 0.0007  0.3235 ± 0.0002  0.5758 ± "
      "0.0002\n"
      "null_truth       300  easi50      0.0001 ± 0.0003  0.9512 ± 0.0007  0.3235 ± 0.0002  0.5758 ± "
      "0.0002\n"
      "\n"
      "reported         150  easi50      0.0001 ± 0.0003  0.9512 ± 0.0007  0.3235 ± 0.0002  0.5758 ± "
      "0.0002\n"
      "reported         300  easi50      0.0001 ± 0.0003  0.9512 ± 0.0007  0.3235 ± 0.0002  0.5758 ± "
      "0.0002\n"
      "\n"
      "scenario    patients  hypothesis       AE placebo         AE hcmsc  study months  failed "
      "analyses\n"
      "----------  --------  ----------  ---------------  ---------------  ------------  "
      "---------------\n"
      "null_truth       150  easi50      0.2220 ± 0.0002  0.2780 ± 0.0002  23.46 ± 0.01                "
      "0\n"
      "null_truth       300  easi50      0.2220 ± 0.0002  0.2780 ± 0.0002  23.46 ± 0.01                "
      "0\n"
      "\n"
      "reported         150  easi50      0.2220 ± 0.0002  0.2780 ± 0.0002  23.46 ± 0.01                "
      "0\n"
      "reported         300  easi50      0.2220 ± 0.0002  0.2780 ± 0.0002  23.46 ± 0.01                "
      "7\n"
      "\n"
      "scenario  patients  metric            look  reason    estimate ± MCSE      95% interval\n"
      "--------  --------  ----------------  ----  --------  ---------------  ----------------\n"
      "reported       300  stop_probability     1  efficacy  0.2100 ± 0.0013  [0.2075, 0.2125]\n"
      "\n"
      "Note: 7 trials had an empty stratum; they count as no rejection (1 of 4 points)\n"
      "\n"
      "± is the Monte Carlo standard error (MCSE); intervals are 95%: Wilson for proportions of "
      "trials, normal "
      "for means and rates.\n"
      "Type I error: the probability to reject a hypothesis whose null is true, where power has no "
      "meaning.\n"
      "Exact: by enumeration of all outcomes, free of Monte Carlo error.\n");
}

TEST(TextTable, stays_within_its_width_and_keeps_every_number) {
  for (const std::size_t width : {90u, 100u, 120u, 200u}) {
    const std::string text = text_table(sample(), {.width = width});
    for (const std::string& line : lines_of(text.substr(0, text.find("± is"))))
      EXPECT_LE(n_characters(line), width) << line;
    for (const char* number : {"0.9876", "0.9879", "0.9512", "0.5758", "0.2780", "23.46", "0.2100"})
      EXPECT_THAT(text, HasSubstr(number));
  }
}

TEST(TextTable, one_point_needs_no_names) {
  Results results = sample();
  results.points = {sample_point("reported", "150", 0.8123)};
  results.points[0].sweep.clear();
  results.points[0].metrics.resize(1);
  results.points[0].metrics.push_back(
      metric("expected_patients", "", 212.34, 0.21, 211.9, 212.8, 100000));
  EXPECT_THAT(text_table(results),
              HasSubstr("study phase3, seed 20261123, 100000 trials, design fixed, hypothesis "
                        "easi50\n\n"
                        "scenario            N  quantity  probability ± MCSE      95% interval\n"
                        "--------  -----------  --------  ------------------  ----------------\n"
                        "reported  212.3 ± 0.2  power        0.8123 ± 0.0012  [0.8099, 0.8147]\n"));
}

TEST(TextTable, a_long_sweep_stays_aligned) {
  Results results = sample();
  results.points.clear();
  for (const char* scenario : {"null_truth", "reported"})
    for (int n = 50; n <= 1000; n += 50) {
      results.points.push_back(sample_point(scenario, "150", 0.5));
      results.points.back().sweep = {{"designs.fixed.patients", fmt::format("{}", n)},
                                     {"scenarios.reported.effect", "0.7"}};
    }
  const auto lines = lines_of(text_table(results));
  EXPECT_EQ(lines[2].substr(0, 38), "scenario    patients  effect  hypothes");
  const std::size_t end_of_probability = n_characters(lines[2].substr(0, lines[2].find("MCSE") + 4));
  std::size_t n_rows = 0;
  for (std::size_t i = 4; i < lines.size() && lines[i] != lines[2]; ++i) {
    if (!lines[i].starts_with("null_truth") && !lines[i].starts_with("reported")) continue;
    const std::size_t bracket = lines[i].find("  [");
    if (bracket == std::string::npos) continue;
    EXPECT_EQ(n_characters(lines[i].substr(0, bracket)), end_of_probability) << lines[i];
    ++n_rows;
  }
  EXPECT_EQ(n_rows, 80u);
}

TEST(TextTable, shows_what_is_missing_or_unusual) {
  Results results = sample();
  results.interrupted = true;
  results.points[1].n_trials = 50000;
  results.points[0].metrics[0].estimate = NAN;
  results.points[0].metrics[0].mcse = NAN;
  results.points[0].metrics.push_back(metric("power_any", "", 0.03, 0.001, 0.028, 0.032, 100000));
  results.points[0].metrics.push_back(metric("power", "easi50", 0.5, 0, 0.5, 0.5, 100000));
  const std::string text = text_table(results);
  EXPECT_THAT(text, HasSubstr("INTERRUPTED: not every trial asked for was simulated."));
  EXPECT_THAT(text, HasSubstr("trials"));
  EXPECT_THAT(text, HasSubstr(" 50000 "));
  EXPECT_THAT(text, HasSubstr("n/a"));
  EXPECT_THAT(text, HasSubstr("(any)       "));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  results.points.clear();
  EXPECT_THAT(text_table(results), HasSubstr("no results"));
}

TEST(TextTable, shows_of_the_distribution_its_middle) {
  Results results = sample();
  for (const auto& [name, value] :
       {std::pair{"0.025", 0.0712}, {"0.25", 0.1}, {"0.5", 0.2}, {"0.975", 0.4349}})
    results.points[0].metrics.push_back(metric(fmt::format("estimate_quantile_{}", name), "easi50",
                                               value, 0.001, value, value, 100000));
  const std::string text = text_table(results, {.width = 250});
  EXPECT_THAT(text, HasSubstr("95% of estimates"));
  EXPECT_THAT(text, HasSubstr("0.071 to 0.435"));
  EXPECT_THAT(text, Not(HasSubstr("estimate_quantile")));
}

TEST(TextTable, axes_of_one_name_are_told_apart) {
  Results results = sample();
  for (Point& point : results.points) point.sweep.push_back({"designs.sequential.patients", "1"});
  EXPECT_THAT(text_table(results), HasSubstr("fixed.patients  sequential.patients"));
}

}  // namespace
}  // namespace trialwright::report
