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

TEST(TextTable, tells_logarithms_of_ratios_from_differences) {
  Results results = sample();
  for (auto& made : results.points[2].metrics)
    if (made.metric == "bias") made.scale = "log";
  const std::string text = text_table(results);
  EXPECT_THAT(text, HasSubstr("bias (log) ± MCSE"));
  EXPECT_THAT(text_table(sample()), Not(HasSubstr("(log)")));
}

TEST(TextTable, golden) {
  EXPECT_EQ(text_table(sample()), R"(study phase3, seed 20261123, 100000 trials a point, design fixed

Probability to reject
scenario    patients  hypothesis  quantity      probability ± MCSE      95% interval   exact
----------  --------  ----------  ------------  ------------------  ----------------  ------
null_truth       150  easi50      type I error     0.0251 ± 0.0012  [0.0227, 0.0275]  0.0254
null_truth       150  easi90      power            0.0126 ± 0.0011  [0.0103, 0.0148]
null_truth       300  easi50      type I error     0.0249 ± 0.0012  [0.0225, 0.0273]  0.0252
null_truth       300  easi90      power            0.0124 ± 0.0011  [0.0102, 0.0146]

reported         150  easi50      power            0.8123 ± 0.0012  [0.8099, 0.8147]  0.8126
reported         150  easi90      power            0.4062 ± 0.0011  [0.4040, 0.4083]
reported         300  easi50      power            0.9876 ± 0.0012  [0.9852, 0.9900]  0.9879
reported         300  easi90      power            0.4938 ± 0.0011  [0.4916, 0.4960]

How trials end, look by look (probabilities)
scenario  patients  look  efficacy
--------  --------  ----  --------
reported       300     1    0.2100
MCSE at most 0.0013.

Estimates, and observed rates by arm
scenario    patients  hypothesis  mean estimate ± MCSE        bias ± MCSE  coverage  placebo   hcmsc
----------  --------  ----------  --------------------  -----------------  --------  -------  ------
null_truth       150  easi50        -0.00001 ± 0.00030  0.00010 ± 0.00030    0.9512   0.3235  0.5758
null_truth       300  easi50        -0.00001 ± 0.00030  0.00010 ± 0.00030    0.9512   0.3235  0.5758

reported         150  easi50         0.25230 ± 0.00030  0.00010 ± 0.00030    0.9512   0.3235  0.5758
reported         300  easi50         0.25230 ± 0.00030  0.00010 ± 0.00030    0.9512   0.3235  0.5758

(all)            150  ae                                                              0.2220  0.2780
(all)            300  ae                                                              0.2220  0.2780
MCSE at most 0.00070 (coverage), 0.00020 (placebo), 0.00020 (hcmsc).

Conduct of the trial
scenario    patients  months to decision ± MCSE  failed analyses
----------  --------  -------------------------  ---------------
null_truth       300               23.46 ± 0.01                0
reported         300               23.46 ± 0.01                7
(all)            150               23.46 ± 0.01                0

Note (1 of 4 points): 7 trials had an empty stratum; they count as no rejection

± is the Monte Carlo standard error (MCSE); intervals are 95%: Wilson for proportions of trials, normal for
means and rates. Type I error: the probability to reject a hypothesis whose null is true, where power has no
meaning. Exact: by enumeration of all outcomes, free of Monte Carlo error.
)");
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

Metric at_look(Metric made, int look, std::string reason, std::string arm = {}) {
  made.look = look;
  made.reason = std::move(reason);
  made.arm = std::move(arm);
  return made;
}

// A design with a look, beside the same with two doses of which one is chosen, under a null.
Results with_looks() {
  constexpr std::uint64_t n = 100000;
  Results results = sample();
  results.points.resize(1);
  results.points[0].design = "sequential";
  results.points[0].sweep.clear();
  results.points[0].null_hypotheses = {"easi50"};
  const auto reason = [](Metric made, std::string text) {
    made.reason = std::move(text);
    return made;
  };
  results.points[0].metrics = {
      metric("power", "easi50", 0.0244, 0.0005, 0.0234, 0.0254, n),
      metric("naive_power", "easi50", 0.0388, 0.0006, 0.0376, 0.04, n),
      metric("exact_power", "easi50", 0.0246, 0, 0.0246, 0.0246, 0),
      metric("bias", "easi50", -0.0091, 0.0002, -0.0095, -0.0087, 65536),
      metric("coverage", "easi50", 0.9432, 0.0009, 0.9414, 0.945, 65536),
      metric("adjusted_bias", "easi50", -0.0012, 0.0002, -0.0016, -0.0008, 65536),
      metric("adjusted_coverage", "easi50", 0.9488, 0.0009, 0.947, 0.9506, 65536),
      metric("familywise_error", "", 0.0244, 0.0005, 0.0234, 0.0254, n),
      metric("naive_familywise_error", "", 0.0388, 0.0006, 0.0376, 0.04, n),
      at_look(metric("stop_probability", "", 0.0016, 0.0001, 0.0014, 0.0018, n), 1, "efficacy"),
      at_look(metric("exact_stop_probability", "", 0.0015, 0, 0.0015, 0.0015, 0), 1, "efficacy"),
      at_look(metric("stop_probability", "", 0.6523, 0.0015, 0.6493, 0.6553, n), 1, "futility"),
      at_look(metric("stop_probability", "", 0.0228, 0.0005, 0.0218, 0.0238, n), 2, "efficacy"),
      at_look(metric("stop_probability", "", 0.3233, 0.0015, 0.3203, 0.3263, n), 2, "completed"),
      metric("expected_patients", "", 296.61, 0.21, 296.2, 297, n),
      reason(metric("patients_quantile", "", 412, 0, 412, 412, 4096), "0.9"),
      metric("expected_patients_analysed", "", 277.21, 0.31, 276.6, 277.8, n),
      metric("overrun_patients", "", 19.44, 0.21, 19, 19.9, 4096),
      metric("duration_months", "", 33.94, 0.11, 33.7, 34.2, 4096),
      reason(metric("duration_quantile", "", 51.5, 0.2, 51.1, 51.9, 4096), "0.9"),
      metric("p_stop_harm", "", 0, 0, 0, 0.0001, n),
  };
  auto doses = results.points[0];
  doses.design = "selection";
  doses.null_hypotheses = {"easi50[low]", "easi50[high]"};
  doses.metrics = {
      metric("power", "easi50[low]", 0.0131, 0.0004, 0.0123, 0.0139, n),
      metric("naive_power", "easi50[low]", 0.0211, 0.0005, 0.0201, 0.0221, n),
      metric("power", "easi50[high]", 0.0129, 0.0004, 0.0121, 0.0137, n),
      metric("naive_power", "easi50[high]", 0.0205, 0.0004, 0.0197, 0.0213, n),
      metric("power_any", "", 0.025, 0.0005, 0.024, 0.026, n),
      metric("familywise_error", "", 0.025, 0.0005, 0.024, 0.026, n),
      metric("naive_familywise_error", "", 0.0401, 0.0006, 0.0389, 0.0413, n),
      at_look(metric("stop_probability", "", 0, 0, 0, 0.0001, n), 1, "efficacy"),
      at_look(metric("stop_probability", "", 0.025, 0.0005, 0.024, 0.026, n), 2, "efficacy"),
      at_look(metric("stop_probability", "", 0.975, 0.0005, 0.974, 0.976, n), 2, "completed"),
      at_look(metric("selection_probability", "easi50[low]", 0.4997, 0.0016, 0.4966, 0.5028, n), 2, "",
              "low"),
      at_look(metric("selection_probability", "easi50[high]", 0.5003, 0.0016, 0.4972, 0.5034, n), 2, "",
              "high"),
      metric("expected_patients", "", 460, 0, 460, 460, n),
  };
  results.points.push_back(doses);
  return results;
}

TEST(TextTable, tells_designs_with_looks_side_by_side) {
  EXPECT_EQ(text_table(with_looks(), {.width = 104}),
            R"(study phase3, seed 20261123, 100000 trials a point, scenario null_truth

Probability to reject
design      hypothesis       quantity          probability ± MCSE        95% interval   exact   naive
----------  ---------------  ----------------  ------------------  ------------------  ------  ------
sequential  easi50           type I error       0.02440 ± 0.00050  [0.02340, 0.02540]  0.0246  0.0388

selection   easi50[low]      type I error       0.01310 ± 0.00040  [0.01230, 0.01390]          0.0211
selection   easi50[high]     type I error       0.01290 ± 0.00040  [0.01210, 0.01370]          0.0205
selection   (any true null)  familywise error   0.02500 ± 0.00050  [0.02400, 0.02600]          0.0401
MCSE at most 0.00060 (naive).

How trials end and what they select, look by look (probabilities)
design      look  efficacy   exact  futility  completed  selected: low  selected: high
----------  ----  --------  ------  --------  ---------  -------------  --------------
sequential     1    0.0016  0.0015    0.6523
sequential     2    0.0228                       0.3233

selection      1    0.0000
selection      2    0.0250                       0.9750         0.4997          0.5003
MCSE at most 0.0016.

Estimates, and observed rates by arm
design      hypothesis         bias ± MCSE  adjusted bias  coverage  adjusted coverage
----------  ----------  ------------------  -------------  --------  -----------------
sequential  easi50      -0.00910 ± 0.00020        -0.0012    0.9432             0.9488
MCSE at most 0.00020 (adjusted bias), 0.00090 (coverage), 0.00090 (adjusted coverage).

Conduct of the trial
design                N  N 90%  analysed ± MCSE  over-run ± MCSE  months to decision ± MCSE  months 90%
----------  -----------  -----  ---------------  ---------------  -------------------------  ----------
sequential  296.6 ± 0.2    412      277.2 ± 0.3       19.4 ± 0.2                 33.9 ± 0.1  51.5 ± 0.2
Months are of the first 4096 trials a point.

± is the Monte Carlo standard error (MCSE); intervals are 95%: Wilson for proportions of trials, normal
for means and rates. Type I error: the probability to reject a hypothesis whose null is true, where
power has no meaning. Familywise error: to reject any hypothesis whose null is true. Naive: by an
analysis that takes no account of the looks and of what they changed. Exact: by enumeration of all
outcomes, free of Monte Carlo error. Selected: still tested at that look. Adjusted: estimates and
intervals that allow for the looks; estimates of a hypothesis are of the trials that tested it at their
last look. 90%: the 90th percentile over trials. Over-run: enrolled when a trial ended, but not known to
its last decision.
)");
}

TEST(TextTable, what_has_no_place_stands_below) {
  Results results = sample();
  Metric other = metric("half_life", "", 0.25, 0.01, 0.23, 0.27, 100);
  results.points[0].metrics.push_back(other);
  EXPECT_THAT(text_table(results), HasSubstr("Further metrics\n"));
  EXPECT_THAT(text_table(results), HasSubstr("half_life    0.250 ± 0.010  [0.230, 0.270]"));
}

TEST(TextTable, counts_the_randomised_again_by_arm) {
  Results results = sample();
  for (Point& point : results.points)
    for (const char* arm : {"stop", "keep"})
      point.metrics.push_back(
          in_arm(metric("rerandomised_patients", "", 26.4, 0.05, 26.3, 26.5, 100000), arm));
  const std::string text = text_table(results);
  EXPECT_THAT(text, HasSubstr("  randomised again: stop  randomised again: keep"));
  EXPECT_THAT(text, HasSubstr("            26.40 ± 0.05            26.40 ± 0.05"));
  EXPECT_THAT(text, Not(HasSubstr("Further metrics")));
}

TEST(TextTable, one_point_needs_no_names) {
  Results results = sample();
  results.points = {sample_point("reported", "150", 0.8123)};
  results.points[0].sweep.clear();
  results.points[0].metrics.resize(1);
  results.points[0].metrics.push_back(
      metric("expected_patients", "", 212.34, 0.21, 211.9, 212.8, 100000));
  EXPECT_THAT(text_table(results),
              HasSubstr("study phase3, seed 20261123, 100000 trials, design fixed, scenario reported, "
                        "hypothesis easi50\n\n"
                        "Probability to reject\n"
                        "          N  quantity  probability ± MCSE      95% interval\n"
                        "-----------  --------  ------------------  ----------------\n"
                        "212.3 ± 0.2  power        0.8123 ± 0.0012  [0.8099, 0.8147]\n\n±"));
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
  ASSERT_EQ(lines[3].substr(0, 30), "scenario    patients  hypothes");
  const std::size_t end_of_probability = n_characters(lines[3].substr(0, lines[3].find("MCSE") + 4));
  std::size_t n_rows = 0;
  for (std::size_t i = 5; i < lines.size(); ++i) {
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
  EXPECT_THAT(text, Not(HasSubstr("PARTIAL")));
  results.partial = true;
  EXPECT_THAT(text_table(results), HasSubstr("\nPARTIAL: shards are missing, and with them some of"));
  EXPECT_THAT(text, HasSubstr("trials"));
  EXPECT_THAT(text, HasSubstr(" 50000 "));
  EXPECT_THAT(text, HasSubstr("n/a"));
  EXPECT_THAT(text, HasSubstr("(any)       "));
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  results.points.clear();
  EXPECT_THAT(text_table(results), HasSubstr("no results"));
}

TEST(TextTable, shows_the_distribution_where_something_was_published) {
  Results results = sample();
  for (const auto& [name, value] :
       {std::pair{"0.025", 0.0712}, {"0.25", 0.1}, {"0.5", 0.2}, {"0.975", 0.4349}})
    results.points[0].metrics.push_back(metric(fmt::format("estimate_quantile_{}", name), "easi50",
                                               value, 0.001, value, value, 100000));
  EXPECT_THAT(text_table(results), Not(HasSubstr("0.435")));
  results.points[0].metrics.push_back(
      metric("published_estimate", "easi50", 0.2522, 0, 0.2522, 0.2522, 0));
  results.points[0].metrics.push_back(
      metric("published_percentile", "easi50", 0.5198, 0.0112, 0.49, 0.54, 100000));
  const std::string text = text_table(results);
  EXPECT_THAT(text, HasSubstr("0.252         52.0 ± 1.1           0.071 to 0.435"));
  EXPECT_THAT(text, Not(HasSubstr("estimate_quantile")));
}

TEST(TextTable, rejecting_several_is_an_error_where_all_are_null) {
  Results results = sample();
  Point& point = results.points[0];
  point.metrics.push_back(metric("power_any", "", 0.03, 0.001, 0.028, 0.032, 100000));
  EXPECT_THAT(text_table(results), testing::ContainsRegex("\\(any\\) +power "));
  point.null_hypotheses = {"easi50", "easi90"};
  EXPECT_THAT(text_table(results), testing::ContainsRegex("\\(any\\) +type I error "));
  // The same number, under the name that is meant.
  point.metrics.push_back(metric("familywise_error", "", 0.03, 0.001, 0.028, 0.032, 100000));
  EXPECT_THAT(text_table(results), testing::ContainsRegex("\\(any true null\\) +familywise error "));
  EXPECT_THAT(text_table(results), Not(HasSubstr("(any) ")));
}

TEST(TextTable, says_once_what_several_scenarios_share) {
  Results results = sample();
  results.points[3].n_failed_analyses = 0;
  Point slow = sample_point("slow", "150", 0.8);
  slow.metrics[11].estimate = 30;
  results.points.push_back(slow);
  results.points.push_back(sample_point("slow", "300", 0.9));
  const std::string text = text_table(results);
  const std::string conduct = text.substr(text.find("Conduct of the trial"));
  EXPECT_THAT(conduct, HasSubstr("slow                       150               30.00 ± 0.01"));
  EXPECT_THAT(conduct, HasSubstr("null_truth, reported       150               23.46 ± 0.01"));
  EXPECT_THAT(conduct, HasSubstr("(all)                      300               23.46 ± 0.01"));
}

TEST(TextTable, prints_the_digits_that_the_error_supports) {
  Results results = sample();
  for (Point& point : results.points)
    for (Metric& each : point.metrics) each.mcse *= 10;
  const std::string text = text_table(results);
  EXPECT_THAT(text, HasSubstr("0.812 ± 0.012"));
  EXPECT_THAT(text, HasSubstr("23.5 ± 0.1"));
  EXPECT_THAT(text, HasSubstr("MCSE at most 0.0070 (coverage), 0.0020 (placebo), 0.0020 (hcmsc)."));
}

TEST(TextTable, notes_of_one_reason_are_one) {
  Results results = sample();
  for (Point& point : results.points) {
    point.notes = {"easi50: no exact power (sites differ)", "easi90: no exact power (sites differ)"};
    if (point.scenario == "reported") point.notes.push_back("easi90: nothing else");
  }
  results.points[0].notes.push_back("a remark: of another kind");
  const std::string text = text_table(results);
  EXPECT_THAT(text, HasSubstr("\nNote (easi50, easi90): no exact power (sites differ)\n"
                              "Note (1 of 4 points): a remark: of another kind\n"
                              "Note (easi90; scenario reported): nothing else\n\n"));
}

TEST(TextTable, axes_of_one_name_are_told_apart) {
  Results results = sample();
  for (Point& point : results.points)
    point.sweep.push_back({"designs.sequential.patients", point.scenario == "reported" ? "1" : "2"});
  EXPECT_THAT(text_table(results), HasSubstr("scenario    fixed.patients  sequential.patients  "));
}

TEST(TextTable, what_is_the_same_everywhere_stands_in_the_heading) {
  Results results = sample();
  for (Point& point : results.points) point.sweep.push_back({"designs.sequential.patients", "1"});
  EXPECT_THAT(text_table(results), HasSubstr("a point, design fixed, sequential.patients 1\n"));
}

}  // namespace
}  // namespace trialwright::report
