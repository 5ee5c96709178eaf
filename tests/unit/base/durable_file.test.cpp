#include "base/durable_file.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/file_faults.hpp"
#include "trialwright/error.hpp"

namespace trialwright::base {
namespace {

namespace fs = std::filesystem;
using support::fault_of;
using support::FileSizeLimit;
using support::n_files;
using testing::HasSubstr;
using testing::MatchesRegex;

class DurableFile : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            ("trialwright_durable_" +
             std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  fs::path root_;
};

TEST_F(DurableFile, IsReadAsWritten) {
  const std::string content("a\0b\n\xff", 5);
  write_file(root_ / "x", "an older one");
  write_file(root_ / "x", content);
  EXPECT_EQ(read_file(root_ / "x"), content);
  write_file(root_ / "x", std::string(300'000, 'y'));
  EXPECT_EQ(read_file(root_ / "x").size(), 300'000u);
  EXPECT_EQ(n_files(root_), 1u);
  EXPECT_EQ(fault_of([&] { read_file(root_ / "absent"); }),
            (root_ / "absent").string() + ": cannot be read (No such file or directory)");
  EXPECT_THAT(fault_of([&] { read_file(root_); }), HasSubstr("Is a directory"));
}

TEST_F(DurableFile, WrittenInPartsIsInPlaceOrNotThere) {
  {
    FileBeside beside(root_ / "x");
    beside.append("one ");
    EXPECT_FALSE(fs::exists(root_ / "x"));
  }
  EXPECT_EQ(n_files(root_), 0u);
  FileBeside beside(root_ / "x");
  beside.append("one ");
  beside.append("two");
  beside.put_in_place();
  EXPECT_EQ(read_file(root_ / "x"), "one two");
  EXPECT_EQ(n_files(root_), 1u);
}

TEST_F(DurableFile, IsReadHereAndThere) {
  write_file(root_ / "x", "0123456789");
  const ReadFile file(root_ / "x");
  EXPECT_EQ(file.length(), 10u);
  EXPECT_EQ(file.read(3, 4), "3456");
  EXPECT_EQ(file.read(8, ~0ULL), "89");
  EXPECT_EQ(file.read(10, 1), "");
  EXPECT_EQ(file.read(~0ULL, ~0ULL), "");
  EXPECT_THAT(fault_of([&] { ReadFile directory(root_); }), HasSubstr("Is a directory"));
  EXPECT_THAT(fault_of([&] { ReadFile absent(root_ / "y"); }), HasSubstr("No such file"));
}

TEST_F(DurableFile, ManyWritersAtOnceLeaveOneWholeFile) {
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'i'; ++c)
    writers.emplace_back([&, c] {
      for (int i = 0; i < 20; ++i) write_file(root_ / "x", std::string(10'000, c));
    });
  for (auto& writer : writers) writer.join();
  const std::string content = read_file(root_ / "x");
  EXPECT_EQ(content, std::string(10'000, content.at(0)));
  EXPECT_EQ(n_files(root_), 1u);
}

TEST_F(DurableFile, AFailedAppendLeavesWhatWasThere) {
  AppendFile file(root_ / "x", 0);
  file.append("one ");
  std::string fault;
  {
    const FileSizeLimit limit(1000);
    fault = fault_of([&] { file.append(std::string(5000, 'x')); });
  }
  EXPECT_EQ(fault, (root_ / "x").string() +
                       ": appending failed, what was saved before stands (File too large)");
  EXPECT_EQ(read_file(root_ / "x"), "one ");
  EXPECT_EQ(file.length(), 4u);
  file.append("two");
  file.sync();
  EXPECT_EQ(read_file(root_ / "x"), "one two");
}

TEST_F(DurableFile, GoesOnAfterTheLengthGiven) {
  write_file(root_ / "x", "sound, torn");
  {
    AppendFile file(root_ / "x", 5);
    EXPECT_EQ(file.length(), 5u);
    file.append("!");
  }
  EXPECT_EQ(read_file(root_ / "x"), "sound!");
  EXPECT_EQ(AppendFile(root_ / "x", 100).length(), 6u);
  AppendFile file(root_ / "x", 100);
  file.cut(2);
  file.append("ng");
  EXPECT_EQ(read_file(root_ / "x"), "song");
}

TEST_F(DurableFile, RemovedOrReplacedUnderWayIsNoticed) {
  fs::create_directories(root_ / "a");
  AppendFile file(root_ / "a" / "x", 0);
  file.append("1");
  file.sync();
  fs::remove_all(root_ / "a");
  file.append("2");
  EXPECT_EQ(fault_of([&] { file.sync(); }),
            (root_ / "a" / "x").string() + ": was removed or replaced while it was written to");
  fs::create_directories(root_ / "a");
  write_file(root_ / "a" / "x", "12");
  EXPECT_THAT(fault_of([&] { file.sync(); }), HasSubstr("was removed or replaced"));
}

TEST_F(DurableFile, CannotBeAppendedToWhereItCannotBeMade) {
  EXPECT_EQ(fault_of([&] { AppendFile(root_ / "absent" / "x", 0); }),
            (root_ / "absent" / "x").string() + ": cannot be written (No such file or directory)");
}

TEST_F(DurableFile, TheLockKeepsOthersOutAndSaysWhoHoldsIt) {
  const fs::path file = root_ / "lock";
  EXPECT_FALSE(FileLock::is_held(file));
  {
    const FileLock lock(file);
    EXPECT_TRUE(FileLock::is_held(file));
    EXPECT_THAT(read_file(file), MatchesRegex("[^ ]+ [0-9]+\n"));
    EXPECT_THAT(fault_of([&] { FileLock another(file); }),
                MatchesRegex(".*/lock: another run is at work here \\([^ ]+, process " +
                             std::to_string(::getpid()) + "\\)"));
  }
  EXPECT_FALSE(FileLock::is_held(file));
  EXPECT_EQ(n_files(root_), 0u);
  const FileLock again(file);
}

TEST_F(DurableFile, DeathFreesTheLock) {
  const fs::path file = root_ / "lock";
  const pid_t child = ::fork();
  if (child == 0) {
    const FileLock lock(file);
    ::raise(SIGKILL);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(fs::exists(file));
  EXPECT_FALSE(FileLock::is_held(file));
  const FileLock lock(file);
  EXPECT_EQ(read_file(file).substr(read_file(file).find(' ') + 1), std::to_string(::getpid()) + "\n");
}

TEST_F(DurableFile, OneOfManyGetsTheLock) {
  // In one process, too: the lock belongs to the open file. 8 ask again and again, one at a time has
  // it.
  std::atomic<int> n_inside = 0, n_held = 0;
  std::vector<std::thread> askers;
  for (int i = 0; i < 8; ++i)
    askers.emplace_back([&] {
      for (int k = 0; k < 10; ++k) try {
          const FileLock lock(root_ / "lock");
          EXPECT_EQ(++n_inside, 1);
          ++n_held;
          --n_inside;
        } catch (const Error&) {
        }
    });
  for (auto& asker : askers) asker.join();
  EXPECT_GT(n_held, 0);
}

TEST_F(DurableFile, TheLockThatCannotBeMadeIsToldWithTheReason) {
  EXPECT_EQ(fault_of([&] { FileLock lock(root_ / "absent" / "lock"); }),
            (root_ / "absent" / "lock").string() + ": cannot be written (No such file or directory)");
}

}  // namespace
}  // namespace trialwright::base
