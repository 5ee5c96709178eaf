#include "report/json.hpp"

#include <cmath>
#include <limits>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "trialwright/error.hpp"
#include "unit/report/sample.hpp"

namespace trialwright::report {
namespace {

using testing::HasSubstr;

std::string fault_of(std::string_view text) {
  try {
    read_json(text, "results.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::io);
    return error.what();
  }
  return "";
}

TEST(Json, tells_the_scale_of_logarithms) {
  Results results = sample();
  Metric bias = metric("bias", "easi50", 0.01, 0.001, 0.008, 0.012, 100000);
  bias.scale = "log";
  results.points[0].metrics.push_back(bias);
  const std::string text = write_json(results);
  EXPECT_THAT(text, HasSubstr("\"scale\": \"log\",\n     \"estimate\": 0.01"));
  EXPECT_EQ(read_json(text).points[0].metrics.back().scale, "log");
  EXPECT_EQ(write_json(read_json(text)), text);
}

TEST(Json, tells_the_engine) {
  Results results = sample();
  results.points[0].engine = "counts";
  const std::string text = write_json(results);
  EXPECT_THAT(text, HasSubstr("\"n_trials\": 100000,\n   \"engine\": \"counts\","));
  EXPECT_EQ(read_json(text).points[0].engine, "counts");
  EXPECT_EQ(read_json(text).points[1].engine, "");
  EXPECT_EQ(write_json(read_json(text)), text);
}

TEST(Json, golden) {
  Results results;
  results.study = "phase3";
  results.study_hash = "0123456789abcdef";
  results.seed = 18446744073709551615ULL;
  results.version = "0.1.0";
  Point point;
  point.design = "fixed";
  point.scenario = "reported";
  point.sweep = {
      {"designs.fixed.patients", "150"}, {"arms.hcmsc.dose", "1.5"}, {"analyses.a.method", "fisher"}};
  point.n_trials = 100000;
  point.metrics = {metric("power", "easi50", 0.8123, 0.0012, 0.8099, 0.8147, 100000)};
  Metric stop = metric("stop_probability", "", 0.21, 0.0013, 0.2075, 0.2125, 99000);
  stop.look = 1;
  stop.reason = "efficacy";
  point.metrics.push_back(stop);
  point.metrics.push_back(in_arm(metric("ae_rate", "", NAN, 0, 1, 1e300, 100000), "placebo"));
  results.points = {point};
  EXPECT_EQ(write_json(results),
            "{\n"
            " \"format\": \"trialwright-results/1\",\n"
            " \"study\": \"phase3\",\n"
            " \"study_hash\": \"0123456789abcdef\",\n"
            " \"seed\": 18446744073709551615,\n"
            " \"version\": \"0.1.0\",\n"
            " \"points\": [\n"
            "  {\n"
            "   \"design\": \"fixed\",\n"
            "   \"scenario\": \"reported\",\n"
            "   \"sweep\": {\n"
            "    \"designs.fixed.patients\": 150,\n"
            "    \"arms.hcmsc.dose\": 1.5,\n"
            "    \"analyses.a.method\": \"fisher\"\n"
            "   },\n"
            "   \"n_trials\": 100000,\n"
            "   \"n_failed_analyses\": 0,\n"
            "   \"metrics\": [\n"
            "    {\n"
            "     \"metric\": \"power\",\n"
            "     \"hypothesis\": \"easi50\",\n"
            "     \"estimate\": 0.8123,\n"
            "     \"mcse\": 0.0012,\n"
            "     \"lower\": 0.8099,\n"
            "     \"upper\": 0.8147\n"
            "    },\n"
            "    {\n"
            "     \"metric\": \"stop_probability\",\n"
            "     \"look\": 1,\n"
            "     \"reason\": \"efficacy\",\n"
            "     \"estimate\": 0.21,\n"
            "     \"mcse\": 0.0013,\n"
            "     \"lower\": 0.2075,\n"
            "     \"upper\": 0.2125,\n"
            "     \"n_trials\": 99000\n"
            "    },\n"
            "    {\n"
            "     \"metric\": \"ae_rate\",\n"
            "     \"arm\": \"placebo\",\n"
            "     \"estimate\": null,\n"
            "     \"mcse\": 0,\n"
            "     \"lower\": 1,\n"
            "     \"upper\": 1e+300\n"
            "    }\n"
            "   ]\n"
            "  }\n"
            " ]\n"
            "}\n");
}

TEST(Json, optional_keys_stand_only_where_they_say_something) {
  Results results = sample();
  EXPECT_THAT(write_json(results), testing::Not(HasSubstr("interrupted")));
  results.interrupted = true;
  EXPECT_THAT(write_json(results), HasSubstr("\"interrupted\": true"));
  EXPECT_THAT(write_json(results), testing::Not(HasSubstr("partial")));
  results.partial = true;
  EXPECT_THAT(write_json(results), HasSubstr("\"partial\": true"));
  EXPECT_TRUE(read_json(write_json(results)).partial);
  EXPECT_THAT(write_json(results), HasSubstr("\"null_hypotheses\": [\n    \"easi50\"\n   ],"));
  EXPECT_THAT(write_json(results), HasSubstr("\"notes\": [\n    \"7 trials had an empty stratum;"));
}

TEST(Json, what_is_read_writes_the_same_bytes) {
  Results results = sample();
  results.interrupted = true;
  results.study = "quote \" and é";
  std::mt19937_64 random(20261123);
  for (int i = 0; i < 2000; ++i) {
    const double scale = std::ldexp(1.0, static_cast<int>(random() % 600) - 300);
    const double x = scale * static_cast<double>(random()) / 1e19;
    results.points[0].metrics.push_back(metric("m", "", x, -x, x / 3, 1 / x, random() % 5));
  }
  results.points[0].metrics.push_back(metric("m", "", -0.0, NAN, 0, 0, 1));
  const std::string text = write_json(results);
  const Results back = read_json(text);
  EXPECT_EQ(write_json(back), text);
  ASSERT_EQ(back.points.size(), results.points.size());
  for (std::size_t i = 0; i + 1 < results.points[0].metrics.size(); ++i) {
    ASSERT_EQ(back.points[0].metrics[i].estimate, results.points[0].metrics[i].estimate);
    ASSERT_EQ(back.points[0].metrics[i].n_trials, results.points[0].metrics[i].n_trials);
  }
  EXPECT_TRUE(std::isnan(back.points[0].metrics.back().mcse));
  EXPECT_EQ(back.points[0].null_hypotheses, results.points[0].null_hypotheses);
  EXPECT_TRUE(back.interrupted);
  EXPECT_EQ(back.study, results.study);
  EXPECT_EQ(back.points[3].metrics.back().look, 1);
  EXPECT_EQ(back.points[3].metrics.back().reason, "efficacy");
  EXPECT_EQ(back.points[3].notes, results.points[3].notes);
  EXPECT_EQ(back.points[0].sweep[0].value, "150");
}

TEST(Json, texts_that_are_not_utf8_do_not_break_it) {
  Results results = sample();
  results.study = "caf\xe9";
  EXPECT_EQ(read_json(write_json(results)).study, "caf\xef\xbf\xbd");
}

TEST(Json, tells_what_is_wrong) {
  const std::string good = write_json(sample());
  const auto with = [&](std::string_view from, std::string_view to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return fault_of(text.replace(at, from.size(), to));
  };
  EXPECT_EQ(fault_of(good), "");
  EXPECT_EQ(fault_of(""), "results.json: cut short at line 1 (not whole JSON)");
  EXPECT_THAT(fault_of(good.substr(0, good.size() / 2)), HasSubstr("results.json: cut short at line "));
  EXPECT_THAT(fault_of("{\"format\": nonsense, \"a\": 1}"),
              HasSubstr("results.json: not JSON from line 1, byte"));
  EXPECT_EQ(fault_of("[]"), "results.json: the whole is not an object");
  EXPECT_EQ(fault_of("{}"), "results.json: format is missing");
  EXPECT_EQ(
      with("results/1", "results/2"),
      "results.json: its format is trialwright-results/2 (this program reads trialwright-results/1)");
  EXPECT_EQ(with("\"seed\": 20261123", "\"seed\": -1"), "results.json: seed is not a count");
  EXPECT_EQ(with("\"estimate\": 0.0251", "\"estimate\": \"high\""),
            "results.json: points[0].metrics[0].estimate is not a number or null");
  EXPECT_EQ(with("\"mcse\": 0.0012", "\"msce\": 0.0012"),
            "results.json: points[0].metrics[0].mcse is missing");
  EXPECT_EQ(with("\"n_failed_analyses\": 0", "\"n_failed_analyses\": 0, \"more\": 1"),
            "results.json: points[0].more is not a known key");
  EXPECT_EQ(with("[\n    \"easi50\"\n   ]", "[1]"),
            "results.json: points[0].null_hypotheses is not an array of texts");
  EXPECT_EQ(with("\"look\": 1", "\"look\": 0"),
            "results.json: points[3].metrics[12].look is not a look, counted from 1");
  EXPECT_EQ(with("\"designs.fixed.patients\": 150", "\"designs.fixed.patients\": [1]"),
            "results.json: points[0].sweep.designs.fixed.patients is neither a number nor a text");
}

TEST(Json, every_cut_of_a_file_is_a_clear_fault) {
  const std::string good = write_json(sample());
  for (std::size_t size = 0; size + 1 < good.size(); size += 7)
    EXPECT_NE(fault_of(good.substr(0, size)), "");
}

}  // namespace
}  // namespace trialwright::report
