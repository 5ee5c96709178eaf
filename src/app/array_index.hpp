// Which shard of a study this process makes: as typed, or as the scheduler numbers its job array.
#pragma once

#include <string>

#include "shard/cut.hpp"

namespace trialwright::app {

// "I/N" with I from 1 to N; "auto" or "auto/N": I from the job array of Slurm, SGE, LSF, PBS or Torque
// that the environment tells of. N of "auto" alone: the environment's TRIALWRIGHT_SHARDS, or else the
// size of the array where the scheduler tells that it counts 1, 2 … N. Throws bad_input that says what
// to write where this leaves a doubt.
shard::ShardId parse_shard(const std::string& text);

}  // namespace trialwright::app
