#!/usr/bin/env bash
# --shard: what may be typed, and what the job arrays of Slurm, SGE, LSF, PBS and Torque say.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase2.yaml
unset TRIALWRIGHT_SHARDS "${!SLURM_@}" "${!SGE_@}" "${!LSB_@}" "${!PBS_@}"

for shard in 0/3 4/3 -1/3 1/0 1/100001 1 1/ /3 1/3/ 1/3x 1.0/3 '1 /3' +1/3 automatic auto/ auto/0 auto/x ''x; do
  exits 2 run "$study" --trials 10 -q -o typed --shard "$shard"
  tells err '--shard'
done
[[ ! -e typed ]] || fault 'a refused --shard has made a directory'

# array SHARD VARIABLE=VALUE...: the shard that `--shard SHARD` is, or the exit status.
array() {
  local shard=$1 status=0
  shift
  env "$@" "$program" run "$study" --trials 10 -q -o arrays --shard "$shard" >out 2>err || status=$?
  if ((status)); then echo "exit $status"; else grep -o '^shard [0-9]*/[0-9]*' out | cut -d' ' -f2; fi
}

slurm=(SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=4 SLURM_ARRAY_TASK_STEP=1 SLURM_ARRAY_TASK_COUNT=4)
expect 'a Slurm array' "$(array auto SLURM_ARRAY_TASK_ID=3 "${slurm[@]}")" 3/4
expect 'N typed' "$(array auto/40 SLURM_ARRAY_TASK_ID=3 "${slurm[@]}")" 3/40
expect 'N of the environment' "$(array auto SLURM_ARRAY_TASK_ID=3 TRIALWRIGHT_SHARDS=17 "${slurm[@]}")" 3/17
expect 'N typed before N of the environment' \
  "$(array auto/40 SLURM_ARRAY_TASK_ID=3 TRIALWRIGHT_SHARDS=17 "${slurm[@]}")" 3/40

# --array=3,17 of 40: the array alone does not tell of how many.
some=(SLURM_ARRAY_TASK_ID=17 SLURM_ARRAY_TASK_MIN=3 SLURM_ARRAY_TASK_MAX=17 SLURM_ARRAY_TASK_STEP=1
  SLURM_ARRAY_TASK_COUNT=2)
expect 'some of a Slurm array' "$(array auto "${some[@]}")" 'exit 2'
tells err 'auto/N'
expect 'some of a Slurm array, N typed' "$(array auto/40 "${some[@]}")" 17/40
expect 'gaps in a Slurm array' "$(array auto SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_MAX=5 \
  SLURM_ARRAY_TASK_STEP=2 SLURM_ARRAY_TASK_COUNT=3)" 'exit 2'
expect 'a Slurm array from 0' "$(array auto/4 SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_MAX=3)" \
  'exit 2'
tells err 'shards count from 1'
expect 'an index beyond N' "$(array auto/4 SLURM_ARRAY_TASK_ID=5)" 'exit 2'
tells err 'beyond the last of 4'

expect 'an SGE array' "$(array auto SGE_TASK_ID=2 SGE_TASK_FIRST=1 SGE_TASK_LAST=5 SGE_TASK_STEPSIZE=1)" 2/5
expect 'an SGE array with steps' \
  "$(array auto SGE_TASK_ID=3 SGE_TASK_FIRST=1 SGE_TASK_LAST=5 SGE_TASK_STEPSIZE=2)" 'exit 2'
expect 'no SGE array' "$(array auto SGE_TASK_ID=undefined SGE_TASK_FIRST=undefined)" 'exit 2'
tells err 'finds no job array'
expect 'an LSF array' "$(array auto LSB_JOBINDEX=2 LSB_JOBINDEX_END=6)" 2/6
expect 'no LSF array' "$(array auto LSB_JOBINDEX=0)" 'exit 2'
expect 'a PBS array' "$(array auto/7 PBS_ARRAY_INDEX=2)" 2/7
expect 'a PBS array without N' "$(array auto PBS_ARRAY_INDEX=2)" 'exit 2'
tells err 'auto/N'
expect 'a Torque array' "$(array auto PBS_ARRAYID=2 TRIALWRIGHT_SHARDS=8)" 2/8
expect 'two schedulers that agree' "$(array auto/9 PBS_ARRAYID=2 PBS_ARRAY_INDEX=2)" 2/9
expect 'two schedulers that do not' "$(array auto/9 PBS_ARRAYID=2 SLURM_ARRAY_TASK_ID=3)" 'exit 2'
expect 'an index that is none' "$(array auto/9 SLURM_ARRAY_TASK_ID=3x)" 'exit 2'
expect 'N that is none' "$(array auto PBS_ARRAYID=2 TRIALWRIGHT_SHARDS=many)" 'exit 2'
expect 'no array' "$(array auto/9 TRIALWRIGHT_SHARDS=9)" 'exit 2'

for seconds in -1 x 1e99 ''; do exits 2 run "$study" --trials 10 -q -o typed --save-every "$seconds"; done

# A shard prints what it did, and makes no results.
exits 0 run "$study" --trials 10 -o shards --shard 2/3
tells out 'shard 2/3 done'
tells out 'shards/shards/2-of-3.shard'
tells out 'trialwright merge shards'
[[ ! -e shards/results.json ]] || fault 'a shard has written results'
exits 0 run "$study" --trials 10 -q -o shards --shard 2/3 --json
tells out '"shard": 2'
finish
