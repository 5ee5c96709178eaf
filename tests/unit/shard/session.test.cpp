#include "shard/session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "base/durable_file.hpp"
#include "engine/run_study.hpp"
#include "report/json.hpp"
#include "shard/merge.hpp"
#include "shard/shard_file.hpp"
#include "shard/store.hpp"
#include "support/studies.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

scenario::Study study_of(std::uint64_t trials, std::uint64_t seed = 7) {
  return support::study(support::sections(60) +
                        "sweep: {designs.fixed.patients: [40, 60]}\n"
                        "simulation: {trials: " +
                        std::to_string(trials) + ", engine: patients, seed: " + std::to_string(seed) +
                        "}\n");
}

// Asks for a stop once so many trials are done; 0: never.
class StoppingMonitor final : public engine::Monitor {
 public:
  explicit StoppingMonitor(std::uint64_t after = 0) : after_(after) {}
  void begin(Phase phase) override { phase_ = phase; }
  void progress(std::uint64_t done, std::uint64_t) override {
    if (after_ > 0 && phase_ == Phase::trials && done >= after_) stopped_ = true;
  }
  bool stop_requested() override { return stopped_; }

 private:
  std::uint64_t after_;
  Phase phase_ = Phase::true_values;
  bool stopped_ = false;
};

class Session : public testing::Test {
 protected:
  Session()
      : directory_(fs::path(testing::TempDir()) /
                   testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(directory_);
  }
  ~Session() override { fs::remove_all(directory_); }

  SessionOptions options(bool resume = false, std::optional<ShardId> shard = std::nullopt) const {
    return {directory_, shard, resume, std::chrono::milliseconds(1), 2, {}};
  }
  SessionOutcome run(const scenario::Study& study, const SessionOptions& how,
                     std::uint64_t stop_after = 0) const {
    StoppingMonitor monitor(stop_after);
    return run_session(study, how, &monitor);
  }
  std::string fault_of(const scenario::Study& study, const SessionOptions& how) const {
    try {
      run(study, how);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::io);
      return error.what();
    }
    return "no fault";
  }
  static std::string undisturbed(const scenario::Study& study) {
    return report::write_json(engine::run_study(study, 1, nullptr));
  }
  fs::path journal() const { return directory_ / "shards" / "1-of-1.journal"; }
  fs::path whole() const { return directory_ / "shards" / "1-of-1.shard"; }

  fs::path directory_;
};

TEST_F(Session, StoppedAndGoneOnWithAsOftenAsOneLikesGivesTheSameBytes) {
  const auto study = study_of(20000);
  std::uint64_t n_simulated = 0;
  auto outcome = run(study, options(), 3000);
  ASSERT_TRUE(outcome.interrupted);
  EXPECT_TRUE(fs::exists(journal()));
  for (int i = 0; outcome.interrupted && i < 20; ++i) {
    n_simulated += outcome.n_trials;
    outcome = run(study, options(true), 5000);
    EXPECT_EQ(outcome.n_trials_resumed, n_simulated);
  }
  ASSERT_FALSE(outcome.interrupted);
  EXPECT_EQ(n_simulated + outcome.n_trials, 40000u);
  EXPECT_EQ(report::write_json(*outcome.results), undisturbed(study));
  EXPECT_FALSE(fs::exists(journal()));
  EXPECT_TRUE(read_shard_file(whole()).is_whole);
}

TEST_F(Session, ShardsOfTwoCuttingsMakeAWhole) {
  const auto study = study_of(20000);
  for (const ShardId shard : {ShardId{1, 3}, {2, 3}, {3, 3}, {2, 5}}) {
    const auto outcome = run(study, options(false, shard));
    EXPECT_EQ(outcome.n_trials, outcome.n_trials_asked);
  }
  const auto outcome = run(study, options(true));
  EXPECT_EQ(outcome.n_trials, 0u);
  EXPECT_EQ(outcome.n_trials_resumed, 40000u);
  EXPECT_EQ(report::write_json(*outcome.results), undisturbed(study));
}

TEST_F(Session, MoreTrialsUseWhatWasDoneAndFewerLoseNothing) {
  run(study_of(20000), options());
  const auto longer = run(study_of(30000), options(true));
  EXPECT_GT(longer.n_trials_resumed, 30000u);
  EXPECT_EQ(report::write_json(*longer.results), undisturbed(study_of(30000)));
  const auto shorter = run(study_of(10000), options(true));
  EXPECT_EQ(report::write_json(*shorter.results), undisturbed(study_of(10000)));
  const auto again = run(study_of(30000), options(true));
  EXPECT_EQ(again.n_trials, 0u);
}

TEST_F(Session, MoreTrialsInTheSameShardsMergeToTheSameBytes) {
  for (const std::uint32_t n : {2u, 3u, 5u}) {
    fs::remove_all(directory_);
    for (const std::uint64_t trials : {4096u, 8192u, 12000u}) {
      for (std::uint32_t i = 1; i <= n; ++i) run(study_of(trials), options(true, ShardId{i, n}));
      const auto merged = merge({directory_}, std::nullopt, 2, nullptr);
      EXPECT_TRUE(merged.is_complete()) << n << " shards, " << trials << " trials";
      EXPECT_EQ(report::write_json(merged.results), undisturbed(study_of(trials)));
    }
  }
}

TEST_F(Session, AFinishedShardDoesNotGiveWayToLess) {
  const ShardId shard{1, 2};
  run(study_of(20000), options(false, shard));
  EXPECT_THAT(fault_of(study_of(4096), options(false, shard)), HasSubstr("holds 20000 trials a point"));
  EXPECT_THAT(fault_of(study_of(20000, 8), options(false, shard)),
              HasSubstr("seed 7, this study has 8"));
  EXPECT_GT(run(study_of(20000), options(false, shard)).n_trials, 0u);
  EXPECT_GT(run(study_of(30000), options(false, shard)).n_trials, 0u);
}

TEST_F(Session, UnfinishedWorkIsRefusedWithoutResume) {
  const auto study = study_of(20000);
  run(study, options(), 3000);
  EXPECT_THAT(fault_of(study, options()), HasSubstr("--resume goes on from it"));
  EXPECT_TRUE(fs::exists(journal()));
}

TEST_F(Session, WorkOfAnotherSeedVersionOrStudyIsRefusedAndToldApart) {
  const auto study = study_of(4096);
  run(study, options());
  EXPECT_THAT(fault_of(study_of(4096, 8), options(true)), HasSubstr("seed 7, this study has 8"));
  EXPECT_THAT(
      fault_of(support::study(support::sections(60) + "simulation: {seed: 7}\n"), options(true)),
      HasSubstr("another study"));
  auto content = read_shard_file(whole());
  content.header.version = "0.0.9";
  write_shard_file(whole(), content);
  EXPECT_THAT(fault_of(study, options(true)), HasSubstr("version 0.0.9, this is version"));
}

TEST_F(Session, TornFilesAreSetAsideAndDoneAgain) {
  const auto study = study_of(20000);
  run(study, options(), 6000);
  const auto length = fs::file_size(journal());
  for (const auto cut : {length - 1, length / 2, std::uintmax_t{3}}) {
    if (!fs::exists(journal()) || fs::file_size(journal()) < cut) continue;
    fs::resize_file(journal(), cut);
    const auto outcome = run(study, options(true), 2000);
    ASSERT_FALSE(outcome.notes.empty());
    EXPECT_THAT(outcome.notes.front(), HasSubstr("torn at byte"));
  }
  const auto outcome = run(study, options(true));
  EXPECT_EQ(report::write_json(*outcome.results), undisturbed(study));
  EXPECT_TRUE(fs::exists(directory_ / "shards" / "1-of-1.journal.torn-1"));
}

TEST_F(Session, ASecondRunAtTheSameShardIsToldWhoIsAtWork) {
  const auto study = study_of(4096);
  fs::create_directories(directory_ / "shards");
  const base::FileLock lock(directory_ / "shards" / "1-of-1.lock");
  EXPECT_THAT(fault_of(study, options(true)), HasSubstr("another run is at work here"));
  EXPECT_EQ(run(study, options(false, ShardId{1, 2})).interrupted, false);
}

TEST_F(Session, ADirectoryRemovedUnderWayLosesNothing) {
  // Removes it once there is something to lose.
  class Remover final : public engine::Monitor {
   public:
    explicit Remover(fs::path directory) : directory_(std::move(directory)) {}
    void begin(Phase phase) override { phase_ = phase; }
    void progress(std::uint64_t done, std::uint64_t) override {
      if (phase_ == Phase::trials && done > 5000 && !removed_)
        removed_ = fs::remove_all(directory_) > 0;
    }
    bool stop_requested() override { return false; }

   private:
    fs::path directory_;
    Phase phase_ = Phase::true_values;
    bool removed_ = false;
  };
  const auto study = study_of(40000);
  Remover monitor(directory_ / "shards");
  std::string fault;
  try {
    run_session(study, options(), &monitor);
  } catch (const Error& error) {
    fault = error.what();
  }
  EXPECT_THAT(fault, HasSubstr("what is finished is saved in"));
  const auto outcome = run(study, options(true));
  EXPECT_GT(outcome.n_trials_resumed, 0u);
  EXPECT_EQ(report::write_json(*outcome.results), undisturbed(study));
}

}  // namespace
}  // namespace trialwright::shard
