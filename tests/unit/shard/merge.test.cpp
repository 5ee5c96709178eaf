#include "shard/merge.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/durable_file.hpp"
#include "engine/run_study.hpp"
#include "report/json.hpp"
#include "shard/session.hpp"
#include "support/studies.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t k_trials = 9000;

std::string grid(const std::string& simulation) {
  return "designs: {fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 40, primary: "
         "easi50_superiority, secondary: [ae_noninferiority]}}\n"
         "scenarios: {null: {effect: 0}, reported: {effect: 1}}\n"
         "sweep: {designs.fixed.patients: [40, 60]}\n"
         "simulation: {seed: 5, truth_patients: 4096" +
         simulation + "}\n";
}

std::string of_patients(std::uint64_t n_trials = k_trials) {
  return grid(fmt::format(", engine: patients, trials: {}", n_trials));
}

class Merge : public testing::Test {
 protected:
  void SetUp() override {
    root_ =
        fs::path(testing::TempDir()) / (std::string("trialwright_merge_") +
                                        testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  // Its file.
  static fs::path run(const std::string& sections, const ShardId& shard, const fs::path& directory) {
    SessionOptions options;
    options.directory = directory;
    options.shard = shard;
    options.resume = true;
    const auto outcome = run_session(support::study(sections), options, nullptr);
    EXPECT_FALSE(outcome.interrupted);
    return outcome.shard_file;
  }
  static void run_all(const std::string& sections, std::uint32_t n, const fs::path& directory) {
    for (std::uint32_t i = n; i >= 1; --i) run(sections, {i, n}, directory);
  }
  static std::string whole(const std::string& sections) {
    return report::write_json(engine::run_study(support::study(sections), 1, nullptr));
  }
  static MergeOutcome merged(const std::vector<fs::path>& places,
                             std::optional<std::uint64_t> n_trials = {}) {
    return merge(places, n_trials, 1, nullptr);
  }
  static std::string fault_of(const std::vector<fs::path>& places) {
    try {
      merged(places);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::io);
      return error.what();
    }
    return "";
  }

  fs::path root_;
};

TEST_F(Merge, of_all_shards_of_any_cutting_is_the_whole) {
  const std::string wanted = whole(of_patients());
  for (const std::uint32_t n : {1U, 2U, 5U, 30U}) {
    const fs::path directory = root_ / std::to_string(n);
    run_all(of_patients(), n, directory);
    const auto outcome = merged({directory});
    EXPECT_TRUE(outcome.is_complete());
    EXPECT_EQ(outcome.n_trials_overlapping, 0u);
    EXPECT_EQ(outcome.files.size(), n);
    EXPECT_EQ(report::write_json(outcome.results), wanted);
  }
}

TEST_F(Merge, of_counts_is_the_whole) {
  const std::string sections = grid(", trials: 400000");
  run_all(sections, 3, root_);
  EXPECT_EQ(report::write_json(merged({root_}).results), whole(sections));
}

TEST_F(Merge, takes_files_and_directories_in_any_order_depth_and_cutting) {
  run(of_patients(), {2, 4}, root_ / "a" / "deep" / "down");
  run(of_patients(), {2, 8}, root_ / "a");
  const auto file = run(of_patients(), {1, 8}, root_ / "b");
  run(of_patients(), {2, 2}, root_ / "c" / "c");
  const auto outcome = merged({root_ / "c", file, root_ / "a", file});
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_EQ(outcome.n_trials_overlapping, 0u);
  EXPECT_EQ(report::write_json(outcome.results), whole(of_patients()));
}

TEST_F(Merge, counts_what_is_there_twice_once) {
  run_all(of_patients(), 3, root_ / "a");
  run_all(of_patients(), 7, root_ / "b");
  fs::copy(root_ / "a", root_ / "c", fs::copy_options::recursive);
  fs::remove(root_ / "a" / "shards" / "2-of-3.shard");
  fs::remove(root_ / "c" / "shards" / "2-of-3.shard");
  const auto outcome = merged({root_});
  EXPECT_TRUE(outcome.is_complete());
  EXPECT_GT(outcome.n_trials_overlapping, 4 * k_trials);
  EXPECT_THAT(outcome.notes, Contains(HasSubstr("each is counted once")));
  EXPECT_EQ(report::write_json(outcome.results), whole(of_patients()));
}

TEST_F(Merge, tells_what_is_missing_and_which_shards_make_it) {
  run_all(of_patients(), 7, root_);
  fs::remove(root_ / "shards" / "2-of-7.shard");
  fs::remove(root_ / "shards" / "6-of-7.shard");
  auto outcome = merged({root_});
  EXPECT_FALSE(outcome.is_complete());
  EXPECT_TRUE(outcome.results.partial);
  EXPECT_THAT(outcome.missing_shards, ElementsAre(2, 6));
  std::uint64_t n_missing = 0, n_used = 0;
  for (const auto& missing : outcome.missing)
    if (missing.track == engine::Track::trials) n_missing += missing.range.size();
  for (const auto& point : outcome.results.points) n_used += point.n_trials;
  EXPECT_EQ(n_missing + n_used, 4 * k_trials);
  for (const std::uint32_t i : outcome.missing_shards) run(of_patients(), {i, 7}, root_);
  EXPECT_EQ(report::write_json(merged({root_}).results), whole(of_patients()));
}

TEST_F(Merge, of_parts_merged_before_is_the_whole) {
  run_all(of_patients(), 4, root_ / "all");
  const fs::path shards = root_ / "all" / "shards";
  save_merged(merged({shards / "4-of-4.shard", shards / "1-of-4.shard"}), root_ / "first");
  save_merged(merged({shards / "3-of-4.shard", root_ / "first"}), root_ / "second");
  auto outcome = merged({root_ / "second"});
  EXPECT_FALSE(outcome.is_complete());
  EXPECT_EQ(outcome.files.size(), 1u);
  outcome = merged({root_ / "second", shards / "2-of-4.shard", root_ / "first"});
  EXPECT_EQ(report::write_json(outcome.results), whole(of_patients()));
}

TEST_F(Merge, leaves_what_a_run_of_more_trials_goes_on_from) {
  run_all(of_patients(), 4, root_ / "shards_of_4");
  save_merged(merged({root_ / "shards_of_4"}), root_ / "out");
  SessionOptions options;
  options.directory = root_ / "out";
  options.resume = true;
  const auto outcome = run_session(support::study(of_patients(2 * k_trials)), options, nullptr);
  EXPECT_GT(outcome.n_trials_resumed, 4 * k_trials / 2);
  EXPECT_EQ(report::write_json(*outcome.results), whole(of_patients(2 * k_trials)));
}

TEST_F(Merge, answers_for_the_trials_asked_for) {
  run_all(of_patients(), 2, root_);
  auto outcome = merged({root_}, 2 * k_trials);
  EXPECT_FALSE(outcome.is_complete());
  EXPECT_THAT(outcome.missing_shards, ElementsAre(1, 2));
  for (const auto& missing : outcome.missing) EXPECT_EQ(missing.range.to, 2 * k_trials);
  // 4096 trials are whole blocks of both points; more of what is there overlaps others or the end.
  outcome = merged({root_}, 100);
  EXPECT_FALSE(outcome.is_complete());
  EXPECT_THAT(outcome.notes, Contains(HasSubstr("are not used")));
  // Shards that were asked for more answer for it.
  run(of_patients(2 * k_trials), {1, 2}, root_);
  EXPECT_EQ(merged({root_}).header.n_trials, 2 * k_trials);
  run(of_patients(2 * k_trials), {2, 2}, root_);
  EXPECT_EQ(report::write_json(merged({root_}).results), whole(of_patients(2 * k_trials)));
}

TEST_F(Merge, refuses_other_studies_seeds_and_versions_by_name) {
  run_all(of_patients(), 3, root_ / "mine");
  const auto file = run(of_patients(), {1, 2}, root_ / "odd");
  const auto with = [&](auto change) {
    Content content = read_shard_file(file);
    change(content.header);
    write_shard_file(root_ / "odd.shard", content);
    return fault_of({root_ / "odd.shard", root_ / "mine"});
  };
  EXPECT_EQ(with([](Header&) {}), "");
  const std::string fault = with([](Header& header) { header.seed = 6; });
  EXPECT_THAT(fault,
              HasSubstr("odd.shard: does not belong to the other files: its seed is 6, theirs 5\n"));
  EXPECT_THAT(fault, HasSubstr("nothing was merged"));
  EXPECT_THAT(with([](Header& header) { header.version = "9.9.9"; }),
              HasSubstr("its version is 9.9.9, theirs 0."));
  EXPECT_THAT(with([](Header& header) { ++header.study_hash; }), HasSubstr("its study is \"study\" ("));
  EXPECT_THAT(with([](Header& header) { ++header.n_points; }), HasSubstr("it has 5 points, they 4"));

  Content content = read_shard_file(file);
  content.header.version = "9.9.9";
  write_shard_file(root_ / "odd.shard", content);
  EXPECT_THAT(fault_of({root_ / "odd.shard"}), HasSubstr("made by version 9.9.9"));
}

TEST_F(Merge, refuses_what_is_not_there_or_no_shard_file) {
  EXPECT_THAT(fault_of({root_ / "none"}), HasSubstr("none: there is no such file or directory"));
  EXPECT_THAT(fault_of({root_}), HasSubstr("no shard files (*.shard, *.journal) are there"));
  base::write_file(root_ / "x.shard", "a text of another program, and long enough for a header");
  EXPECT_THAT(fault_of({root_}), HasSubstr("x.shard: "));
}

TEST_F(Merge, uses_what_stands_before_a_tear) {
  run_all(of_patients(), 3, root_);
  const fs::path file = root_ / "shards" / "2-of-3.shard";
  const std::string bytes = base::read_file(file);
  for (const double part : {0.01, 0.5, 0.9}) {
    base::write_file(
        file, bytes.substr(0, static_cast<std::size_t>(part * static_cast<double>(bytes.size()))));
    const auto outcome = merged({root_});
    EXPECT_THAT(outcome.notes, Contains(HasSubstr("2-of-3.shard: torn at byte")));
    EXPECT_THAT(outcome.missing_shards, ElementsAre(2));
    EXPECT_EQ(outcome.header.shard.n, 3u);
  }
}

TEST_F(Merge, computes_values_that_no_file_tells) {
  const auto file = run(of_patients(), {1, 1}, root_);
  Content content = read_shard_file(file);
  content.values.erase(content.values.begin());
  content.values.back().calculated.clear();
  write_shard_file(file, content);
  EXPECT_EQ(report::write_json(merged({root_}).results), whole(of_patients()));
}

TEST_F(Merge, leaves_out_pieces_that_do_not_belong) {
  const auto file = run(of_patients(), {1, 1}, root_);
  Content content = read_shard_file(file);
  content.pieces.front().sum.analyses.clear();
  write_shard_file(file, content);
  const auto outcome = merged({root_});
  EXPECT_FALSE(outcome.is_complete());
  EXPECT_FALSE(outcome.missing.empty());
  EXPECT_EQ(outcome.missing.front().i_point, 0u);
}

// Rounds of a study that stops on precision, until it is complete; returns their number.
std::uint64_t run_rounds(const std::string& sections, std::uint32_t n, const fs::path& directory,
                         std::optional<MergeOutcome>& last) {
  for (std::uint64_t i_round = 0;; ++i_round) {
    for (std::uint32_t i = 1; i <= n; ++i) {
      SessionOptions options;
      options.directory = directory;
      options.shard = ShardId{i, n};
      options.resume = true;
      run_session(support::study(sections), options, nullptr);
      auto outcome = merge({directory}, {}, 1, nullptr);
      if (i < n && !outcome.is_complete() && !outcome.missing.empty()) {
        EXPECT_EQ(outcome.i_round, i_round);
        EXPECT_FALSE(outcome.missing_shards.empty());
        EXPECT_GT(outcome.missing_shards.front(), i);
      }
      if (i == n) last.emplace(std::move(outcome));
    }
    EXPECT_TRUE(last->rounds);
    write_rounds(shards_directory(directory), *last->rounds);
    if (last->is_complete() || i_round > 20) return i_round + 1;
    EXPECT_THAT(last->missing, IsEmpty());
    EXPECT_EQ(last->i_round, i_round + 1);
    EXPECT_EQ(last->rounds->open.size(), i_round + 1);
    EXPECT_EQ(last->rounds->open.back(), last->open_points);
  }
}

TEST_F(Merge, of_rounds_stops_where_the_whole_study_does) {
  const std::string sections = grid(
      ", engine: patients, trials: 30000, precision: {metric: power, mcse: 0.0035, round_trials: 4096}");
  const std::string wanted = whole(sections);
  for (const std::uint32_t n : {1U, 4U}) {
    std::optional<MergeOutcome> last;
    const auto n_rounds = run_rounds(sections, n, root_ / std::to_string(n), last);
    EXPECT_GT(n_rounds, 2u);
    EXPECT_TRUE(last->is_complete());
    EXPECT_EQ(report::write_json(last->results), wanted);
  }
}

}  // namespace
}  // namespace trialwright::shard
