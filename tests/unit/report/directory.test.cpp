#include "report/directory.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/durable_file.hpp"
#include "report/csv.hpp"
#include "report/json.hpp"
#include "support/file_faults.hpp"
#include "trialwright/error.hpp"
#include "unit/report/sample.hpp"

namespace trialwright::report {
namespace {

namespace fs = std::filesystem;
using support::fault_of;
using support::n_files;
using testing::HasSubstr;

class Directory : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            ("trialwright_directory_" +
             std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  static std::string content(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }

  fs::path root_;
};

TEST_F(Directory, holds_four_files_and_may_be_written_again) {
  const fs::path directory = root_ / "a" / "b";
  const Manifest manifest{{"host", std::string("node7")},
                          {"threads", std::int64_t{8}},
                          {"seconds", 1.5},
                          {"resumed", false}};
  write_directory(directory, sample(), "schema: 1\n", manifest);
  write_directory(directory, sample(), "schema: 1\n", manifest);
  EXPECT_EQ(n_files(directory), 4u);
  EXPECT_EQ(content(directory / "results.json"), write_json(sample()));
  EXPECT_EQ(content(directory / "results.csv"), write_csv(sample()));
  EXPECT_EQ(content(directory / "resolved.yaml"), "schema: 1\n");
  EXPECT_EQ(
      content(directory / "manifest.json"),
      "{\n \"study\": \"phase3\",\n \"study_hash\": \"0123456789abcdef\",\n \"version\": \"0.1.0\",\n"
      " \"host\": \"node7\",\n \"threads\": 8,\n \"seconds\": 1.5,\n \"resumed\": false\n}\n");
}

TEST_F(Directory, keeps_what_holds_more_than_an_interrupted_run) {
  EXPECT_EQ(write_directory(root_, sample(), "", {}), root_);
  const std::string complete = content(root_ / "results.json");
  Results stopped = sample();
  stopped.interrupted = true;
  stopped.points.resize(1);
  EXPECT_EQ(write_directory(root_, stopped, "", {}), root_ / "interrupted");
  EXPECT_EQ(content(root_ / "interrupted" / "results.json"), write_json(stopped));
  EXPECT_EQ(n_files(root_ / "interrupted"), 4u);
  stopped.points[0].n_trials /= 2;
  EXPECT_EQ(write_directory(root_, stopped, "", {}), root_ / "interrupted-2");
  // More of the same takes the place of less.
  stopped.points[0].n_trials = 100000;
  EXPECT_EQ(write_directory(root_, stopped, "", {}), root_ / "interrupted");
  EXPECT_EQ(content(root_ / "results.json"), complete);
}

TEST_F(Directory, takes_a_longer_run_in_place_of_an_interrupted_one_and_not_the_other_way) {
  Results stopped = sample();
  stopped.interrupted = true;
  stopped.points.resize(2);
  // Written otherwise than read back, and the same value.
  stopped.points[0].sweep[0].value = "1.5e2";
  EXPECT_EQ(write_directory(root_, stopped, "", {}), root_);
  Results longer = stopped;
  longer.points = sample().points;
  EXPECT_EQ(write_directory(root_, longer, "", {}), root_);
  EXPECT_EQ(write_directory(root_, stopped, "", {}), root_ / "interrupted");
  EXPECT_EQ(write_directory(root_, sample(), "", {}), root_);
}

TEST_F(Directory, keeps_partial_results_apart_from_whole_ones) {
  Results partial = sample();
  partial.partial = true;
  partial.points.resize(2);
  EXPECT_EQ(claim_place(root_, partial), root_ / "partial");
  EXPECT_EQ(write_directory(root_, partial, "", {}), root_ / "partial");
  EXPECT_FALSE(fs::exists(root_ / "results.json"));
  EXPECT_EQ(content(root_ / "partial" / "results.json"), write_json(partial));
  // Others go beside, more of the same in their place.
  Results other = partial;
  other.points[0].n_trials /= 2;
  EXPECT_EQ(write_directory(root_, other, "", {}), root_ / "partial-2");
  partial.points = sample().points;
  EXPECT_EQ(write_directory(root_, partial, "", {}), root_ / "partial");
  EXPECT_EQ(write_directory(root_, sample(), "", {}), root_);
  EXPECT_EQ(content(root_ / "partial" / "results.json"), write_json(partial));
}

TEST_F(Directory, refuses_a_run_of_fewer_trials) {
  refuse_fewer_trials(root_, 1);
  write_directory(root_, sample(), "", {});
  refuse_fewer_trials(root_, 100000);
  EXPECT_EQ(
      fault_of([&] { refuse_fewer_trials(root_, 99999); }),
      root_.string() +
          ": holds 100000 trials a point of this study, which 99999 trials would replace (nothing that "
          "is there is thrown away); choose another directory with -o DIR");
  base::write_file(root_ / "results.json", "{\"study_hash\": \"01");
  EXPECT_THAT(fault_of([&] { refuse_fewer_trials(root_, 1000000); }), HasSubstr("cut short"));
}

TEST_F(Directory, of_another_study_is_refused_and_stays_as_it_was) {
  write_directory(root_, sample(), "schema: 1\n", {});
  const std::string before = content(root_ / "results.json");
  Results other = sample();
  other.study_hash = "fedcba9876543210";
  const std::string fault = fault_of([&] { write_directory(root_, other, "", {}); });
  EXPECT_EQ(
      fault,
      root_.string() +
          ": holds the results of another study (manifest.json says study_hash 0123456789abcdef, this "
          "study has fedcba9876543210); choose another directory or empty this one");
  EXPECT_EQ(content(root_ / "results.json"), before);
  EXPECT_EQ(n_files(root_), 4u);

  fs::remove(root_ / "manifest.json");
  EXPECT_THAT(fault_of([&] { claim_directory(root_, "fedcba9876543210"); }),
              HasSubstr("results.json says study_hash"));
  EXPECT_EQ(fault_of([&] { claim_directory(root_, "0123456789abcdef"); }), "");
  fs::remove(root_ / "results.json");
  EXPECT_THAT(fault_of([&] { claim_directory(root_, "0123456789abcdef"); }),
              HasSubstr("without a manifest.json"));
}

TEST_F(Directory, of_something_else_is_refused) {
  base::write_file(root_ / "manifest.json", "{\"name\": \"a web page\"}");
  EXPECT_THAT(fault_of([&] { claim_directory(root_, "0"); }),
              HasSubstr("holds a manifest.json that is not from a run of this program"));
  base::write_file(root_ / "manifest.json", "{\"study_hash\": \"01");
  EXPECT_THAT(fault_of([&] { claim_directory(root_, "0"); }),
              HasSubstr("not from a run of this program"));
}

TEST_F(Directory, with_other_files_is_fine) {
  base::write_file(root_ / "notes.txt", "mine");
  write_directory(root_, sample(), "", {});
  EXPECT_EQ(content(root_ / "notes.txt"), "mine");
}

TEST_F(Directory, that_cannot_be_made_or_written_is_told_with_the_reason) {
  base::write_file(root_ / "file", "");
  EXPECT_THAT(fault_of([&] { claim_directory(root_ / "file" / "below", "0"); }),
              HasSubstr("Not a directory"));
  EXPECT_THAT(fault_of([&] { claim_directory(root_ / "file", "0"); }), HasSubstr("file: cannot be "));
  EXPECT_THAT(fault_of([&] { base::write_file(root_ / "absent" / "x", "y"); }),
              HasSubstr("absent/x: cannot be written (No such file or directory)"));
  EXPECT_THAT(fault_of([&] { claim_directory("/proc/trialwright", "0"); }),
              HasSubstr("/proc/trialwright: cannot be"));
}

}  // namespace
}  // namespace trialwright::report
