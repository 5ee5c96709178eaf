// How many threads a process should use: what its affinity mask, its cgroups and its batch job grant.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace trialwright::engine {

// Where a process finds itself, so that tests can put it anywhere.
struct Place {
  int affinity_cpus = 1;             // in its affinity mask (cpusets are in it too)
  std::filesystem::path root = "/";  // above proc/self and what is mounted
  std::function<std::optional<std::string>(const std::string&)> environment;  // a variable's value
};

// The least of, and at least 1:
//   - the CPUs of the affinity mask;
//   - the CPU quota of each cgroup that the process is in, up to the mount's root, version 2 (cpu.max)
//     or 1 (cpu.cfs_quota_us), wherever /proc/self/mountinfo says that they are mounted. A fraction of
//     a CPU counts as one more thread: the quota bounds CPU time whatever the threads, so that fewer
//     would leave some of it unused, and one more costs nothing, since no thread waits for another;
//   - what a batch job was granted on this node: SLURM_CPUS_PER_TASK, without it SLURM_CPUS_ON_NODE
//     shared by the step's tasks there (SLURM_STEP_TASKS_PER_NODE); PBS_NUM_PPN or NCPUS in a job of
//     PBS (PBS_JOBID); NSLOTS in one of Grid Engine (JOB_ID); LSB_DJOB_NUMPROC in one of LSF
//     (LSB_JOBID).
// OMP_NUM_THREADS is no grant: sites set it to 1 for everybody, for programs of another kind.
int available_threads(const Place& place);

}  // namespace trialwright::engine
