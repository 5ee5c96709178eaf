#include "engine/available_threads.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <string>

namespace trialwright::engine {
namespace {

namespace fs = std::filesystem;

// A machine of 64 CPUs whose /proc and /sys are files in a directory of the test's.
class AvailableThreads : public ::testing::Test {
 protected:
  AvailableThreads() {
    std::string pattern = (fs::temp_directory_path() / "threads-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
  }
  ~AvailableThreads() override { fs::remove_all(root_); }

  void write(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  // Version 2 alone, mounted whole at its usual place.
  void mount_version_2() {
    write("proc/self/mountinfo",
          "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/root rw\n"
          "31 23 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
  }
  void mount_version_1() {
    write("proc/self/mountinfo",
          "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:7 - cgroup cgroup rw,cpu,cpuacct\n"
          "35 31 0:32 / /sys/fs/cgroup/cpuset rw shared:8 - cgroup cgroup rw,cpuset\n"
          "41 31 0:38 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n");
  }
  int threads(const std::map<std::string, std::string>& environment = {}, int affinity_cpus = 64) {
    return available_threads({affinity_cpus, root_, [&](const std::string& name) {
                                const auto found = environment.find(name);
                                return found == environment.end()
                                           ? std::nullopt
                                           : std::optional<std::string>(found->second);
                              }});
  }

  fs::path root_;
};

TEST_F(AvailableThreads, AreTheAffinityMasksWhereNothingElseIsTold) {
  EXPECT_EQ(threads(), 64);
  EXPECT_EQ(threads({}, 1), 1);
  EXPECT_EQ(threads({}, 2048), 2048);
  EXPECT_EQ(available_threads({3, root_, {}}), 3);
  mount_version_2();
  write("proc/self/cgroup", "0::/user.slice\n");
  write("sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
  EXPECT_EQ(threads(), 64);
}

TEST_F(AvailableThreads, AreBoundByTheQuotaOfVersion2AndOfItsParents) {
  mount_version_2();
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
  EXPECT_EQ(threads(), 8);
  EXPECT_EQ(threads({}, 4), 4);
  write("sys/fs/cgroup/a/cpu.max", "150000 50000\n");
  EXPECT_EQ(threads(), 3);
  write("sys/fs/cgroup/a/c/cpu.max", "100000 100000\n");  // not this process's
  EXPECT_EQ(threads(), 3);
}

TEST_F(AvailableThreads, RoundAFractionOfACpuUp) {
  mount_version_2();
  write("proc/self/cgroup", "0::/a\n");
  write("sys/fs/cgroup/a/cpu.max", "250000 100000\n");
  EXPECT_EQ(threads(), 3);
  write("sys/fs/cgroup/a/cpu.max", "20000 100000\n");
  EXPECT_EQ(threads(), 1);
}

TEST_F(AvailableThreads, AreBoundByTheQuotaOfVersion1) {
  mount_version_1();
  write("proc/self/cgroup", "9:cpuset:/elsewhere\n4:cpu,cpuacct:/batch/job 7\n0::/batch\n");
  const std::string job = "sys/fs/cgroup/cpu,cpuacct/batch/job 7/";
  write(job + "cpu.cfs_quota_us", "-1\n");
  write(job + "cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(threads(), 64);
  write(job + "cpu.cfs_quota_us", "600000\n");
  EXPECT_EQ(threads(), 6);
  write("sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_quota_us", "500000\n");
  write("sys/fs/cgroup/cpu,cpuacct/batch/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(threads(), 5);
}

TEST_F(AvailableThreads, FindWhatIsMountedElsewhereOrInPart) {
  // A container without a cgroup namespace sees its whole path and a mount of its own part alone.
  write("proc/self/mountinfo", "31 23 0:27 /docker/1f /mnt/a\\040b rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "0::/docker/1f/inner\n");
  write("mnt/a b/cpu.max", "700000 100000\n");
  EXPECT_EQ(threads(), 7);
  write("mnt/a b/inner/cpu.max", "200000 100000\n");
  EXPECT_EQ(threads(), 2);
  // One in a part of the hierarchy that is not mounted sees the mount's root at least; no part of a
  // name is taken for a parent.
  for (const char* outside : {"0::/docker/1f2/inner\n", "0::/../other\n", "0::/docker/1f/../other\n"}) {
    write("proc/self/cgroup", outside);
    EXPECT_EQ(threads(), 7) << outside;
  }
  // With a namespace both begin at its root.
  write("proc/self/mountinfo", "31 23 0:27 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
  write("proc/self/cgroup", "0::/\n");
  write("sys/fs/cgroup/cpu.max", "400000 100000\n");
  EXPECT_EQ(threads(), 4);
}

TEST_F(AvailableThreads, TakeDamagedFilesForNoQuota) {
  for (const char* mounts :
       {"", "31\n", "31 23 0:27 / /sys/fs/cgroup rw -\n", "- cgroup2 a b\n\\9\n"}) {
    write("proc/self/mountinfo", mounts);
    write("proc/self/cgroup", "0\n0:\n\n0::/a\n");
    EXPECT_EQ(threads(), 64) << mounts;
  }
  mount_version_2();
  for (const char* quota : {"", "max\n", "0 100000\n", "100000 0\n", "-5 100000\n", "x y\n"}) {
    write("sys/fs/cgroup/a/cpu.max", quota);
    EXPECT_EQ(threads(), 64) << quota;
  }
}

TEST_F(AvailableThreads, AreBoundByWhatTheBatchJobWasGranted) {
  EXPECT_EQ(threads({{"SLURM_CPUS_PER_TASK", "8"}, {"SLURM_CPUS_ON_NODE", "32"}}), 8);
  EXPECT_EQ(threads({{"SLURM_CPUS_PER_TASK", "8"}}, 4), 4);
  EXPECT_EQ(threads({{"SLURM_CPUS_ON_NODE", "32"}}), 32);
  EXPECT_EQ(threads({{"SLURM_CPUS_ON_NODE", "32"}, {"SLURM_STEP_TASKS_PER_NODE", "4(x2)"}}), 8);
  EXPECT_EQ(threads({{"SLURM_CPUS_ON_NODE", "2"}, {"SLURM_STEP_TASKS_PER_NODE", "4"}}), 1);
  EXPECT_EQ(threads({{"PBS_JOBID", "7.server"}, {"NCPUS", "6"}}), 6);
  EXPECT_EQ(threads({{"PBS_JOBID", "7.server"}, {"PBS_NUM_PPN", "5"}}), 5);
  EXPECT_EQ(threads({{"JOB_ID", "7"}, {"NSLOTS", "3"}}), 3);
  EXPECT_EQ(threads({{"LSB_JOBID", "7"}, {"LSB_DJOB_NUMPROC", "2"}}), 2);
}

TEST_F(AvailableThreads, TakeNoNumberForAGrantThatIsNone) {
  EXPECT_EQ(threads({{"NCPUS", "6"}, {"NSLOTS", "3"}, {"LSB_DJOB_NUMPROC", "2"}}), 64);
  EXPECT_EQ(threads({{"OMP_NUM_THREADS", "1"}}), 64);
  for (const char* text : {"", "0", "-3", "many", "99999999999999999999"})
    EXPECT_EQ(threads({{"SLURM_CPUS_PER_TASK", text}}), 64) << text;
}

TEST_F(AvailableThreads, AreTheLeastOfAll) {
  mount_version_2();
  write("proc/self/cgroup", "0::/a\n");
  write("sys/fs/cgroup/a/cpu.max", "500000 100000\n");
  EXPECT_EQ(threads({{"SLURM_CPUS_PER_TASK", "8"}}), 5);
  EXPECT_EQ(threads({{"SLURM_CPUS_PER_TASK", "4"}}), 4);
  EXPECT_EQ(threads({{"SLURM_CPUS_PER_TASK", "4"}}, 3), 3);
}

}  // namespace
}  // namespace trialwright::engine
