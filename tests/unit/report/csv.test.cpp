#include "report/csv.hpp"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/report/sample.hpp"

namespace trialwright::report {
namespace {

TEST(Csv, golden) {
  Results results;
  Point first, second;
  first.design = "fixed, large";
  first.scenario = "reported";
  first.sweep = {{"designs.fixed.patients", "150"}};
  first.metrics = {metric("power", "easi50", 0.8123, 0.0012, 0.8099, 0.8147, 100000),
                   metric("exact_power", "easi50", 0.8126, 0, 0.8126, 0.8126, 0)};
  second.design = "sequential";
  second.scenario = "reported";
  second.sweep = {{"arms.hcmsc.dose", "low"}};
  Metric stop = metric("stop_probability", "", 0.1 + 0.2, 0, NAN, 1, 5);
  stop.look = 2;
  stop.reason = "futility";
  second.metrics = {stop, in_arm(metric("ae_rate", "", 1e-7, 0, 0, 1, 5), "hcmsc")};
  results.points = {first, second};
  EXPECT_EQ(write_csv(results),
            "design,scenario,designs.fixed.patients,arms.hcmsc.dose,metric,hypothesis,look,reason,arm,"
            "estimate,mcse,lower,upper,n_trials\n"
            "\"fixed, large\",reported,150,,power,easi50,,,,0.8123,0.0012,0.8099,0.8147,100000\n"
            "\"fixed, large\",reported,150,,exact_power,easi50,,,,0.8126,0,0.8126,0.8126,\n"
            "sequential,reported,,low,stop_probability,,2,futility,,0.30000000000000004,0,,1,5\n"
            "sequential,reported,,low,ae_rate,,,,hcmsc,1e-07,0,0,1,5\n");
}

std::size_t n_occurrences(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(Csv, marks_every_line_of_what_is_not_whole) {
  const std::string whole = write_csv(sample());
  EXPECT_EQ(whole.find("partial"), std::string::npos);
  Results interrupted = sample(), partial = sample();
  interrupted.interrupted = true;
  partial.partial = true;
  EXPECT_EQ(write_csv(interrupted), write_csv(partial));
  const std::string text = write_csv(partial);
  EXPECT_EQ(n_occurrences(text, ",n_trials,partial\n"), 1u);
  EXPECT_EQ(n_occurrences(text, ",true\n"), n_occurrences(text, "\n") - 1);
  EXPECT_EQ(n_occurrences(text, "\n"), n_occurrences(whole, "\n"));
}

TEST(Csv, every_line_has_as_many_fields) {
  const std::string text = write_csv(sample());
  std::size_t n_commas = 0, n_lines = 0;
  for (std::size_t begin = 0; begin < text.size(); ++n_lines) {
    const std::size_t end = text.find('\n', begin);
    const auto n =
        static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                            text.begin() + static_cast<std::ptrdiff_t>(end), ','));
    if (n_lines == 0) n_commas = n;
    EXPECT_EQ(n, n_commas);
    begin = end + 1;
  }
  EXPECT_EQ(n_lines, 1 + 4 * 12 + 1);
}

}  // namespace
}  // namespace trialwright::report
