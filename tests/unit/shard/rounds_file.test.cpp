#include "shard/rounds_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/durable_file.hpp"
#include "trialwright/error.hpp"

namespace trialwright::shard {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RoundsFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(TRIALWRIGHT_BINARY_DIR) / "rounds_file_test" /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  void write_bytes(const std::string& bytes) const {
    std::ofstream(rounds_file(folder_), std::ios::binary) << bytes;
  }
  // What it says and with which status, where the file is refused.
  std::string complaint(const Header& header, const std::string& target) const {
    try {
      read_rounds(folder_, header, target);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::io);
      return error.what();
    }
    return "taken";
  }

  Header header_{.study = "study",
                 .study_hash = 0xFEDCBA9876543210,
                 .seed = 7,
                 .version = "1.2.3",
                 .resolved_yaml = {},
                 .shard = {},
                 .n_trials = 100,
                 .n_points = 2400};
  RoundsFile rounds_{0xFEDCBA9876543210,
                     7,
                     "1.2.3",
                     "power mcse 0.01 after rounds of 100",
                     {{0, 1, 2, 5, 2399}, {1, 2399}, {}}};
  fs::path folder_;
};

TEST_F(RoundsFiles, ComeBackAsWritten) {
  write_rounds(folder_, rounds_);
  EXPECT_EQ(read_rounds(folder_, header_, rounds_.target), rounds_);
  rounds_.open.push_back({});
  write_rounds(folder_, rounds_);
  EXPECT_EQ(read_rounds(folder_, header_, rounds_.target), rounds_);
}

TEST_F(RoundsFiles, AbsentNoRoundIsJudged) {
  const RoundsFile none = read_rounds(folder_ / "absent", header_, "power");
  EXPECT_TRUE(none.open.empty());
  EXPECT_EQ(none.study_hash, header_.study_hash);
  EXPECT_EQ(none.target, "power");
}

TEST_F(RoundsFiles, OfSomethingElseAreRefusedAndSayOfWhat) {
  write_rounds(folder_, rounds_);
  Header other = header_;
  other.study_hash = 1;
  EXPECT_THAT(complaint(other, rounds_.target), HasSubstr("another study (fedcba9876543210"));
  other = header_;
  other.seed = 8;
  EXPECT_THAT(complaint(other, rounds_.target), HasSubstr("another seed (7, not 8)"));
  other = header_;
  other.version = "1.2.4";
  EXPECT_THAT(complaint(other, rounds_.target), HasSubstr("another version (1.2.3, not 1.2.4)"));
  EXPECT_THAT(complaint(header_, ""), HasSubstr("another precision (power mcse 0.01"));
  EXPECT_THAT(complaint(header_, ""), HasSubstr(rounds_file(folder_).string()));
  other = header_;
  other.n_points = 2399;
  EXPECT_THAT(complaint(other, rounds_.target), HasSubstr("points that the study does not have"));
  EXPECT_EQ(complaint(header_, rounds_.target), "taken");
}

TEST_F(RoundsFiles, DamagedAnywhereAreRefused) {
  write_rounds(folder_, rounds_);
  const std::string sound = base::read_file(rounds_file(folder_));
  ASSERT_GT(sound.size(), 40u);
  for (std::size_t i = 0; i < sound.size(); ++i) {
    std::string bytes = sound;
    bytes[i] = static_cast<char>(bytes[i] ^ 0x10);
    write_bytes(bytes);
    EXPECT_NE(complaint(header_, rounds_.target), "taken") << "byte " << i;
    write_bytes(sound.substr(0, i));
    EXPECT_NE(complaint(header_, rounds_.target), "taken") << "cut to " << i;
  }
  write_bytes(sound + "x");
  EXPECT_NE(complaint(header_, rounds_.target), "taken");
}

TEST(TargetText, TellsTargetsApartAndNotTheNumberOfTrials) {
  scenario::SimulationSpec simulation;
  EXPECT_EQ(target_text(simulation), "");
  simulation.precision = scenario::PrecisionTarget{"power", {}, 0.005, {}, 10000};
  EXPECT_EQ(target_text(simulation), "power mcse 0.005 after rounds of 10000");
  auto other = simulation;
  other.trials *= 2;
  EXPECT_EQ(target_text(other), target_text(simulation));
  simulation.precision = scenario::PrecisionTarget{"event_rate", "easi50", {}, 0.01, 500};
  EXPECT_EQ(target_text(simulation), "event_rate of easi50 half_width 0.01 after rounds of 500");
}

}  // namespace
}  // namespace trialwright::shard
