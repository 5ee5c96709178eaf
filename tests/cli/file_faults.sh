#!/usr/bin/env bash
# Disks that fill, directories that go, two runs in one, clocks that jump, torn journals: a clear error, exit status 3,
# and --resume gets to the same bytes.
source "$(dirname "$0")/support/checks.sh"
source_dir=$2
"${CXX:-c++}" -std=c++20 -shared -fPIC -o faults.so "$source_dir/tests/support/fault_injection.cpp" -ldl
export TMPDIR=$work/tmp ASAN_OPTIONS=verify_asan_link_order=0
mkdir "$TMPDIR"
study=$configs/phase2.yaml
slow=("$study" --set simulation.engine=patients --save-every 0.02 -q)
n_trials=6000
exits 0 run "${slow[@]}" --trials $n_trials -o whole

# with FAULT=... : what follows runs with these faults.
with() {
  local status=0 wanted=$1
  shift
  env LD_PRELOAD="$work/faults.so" "$@" >out 2>err || status=$?
  [[ $status == "$wanted" ]] || fault "$*
  expected exit status $wanted, found $status: $(head -c 400 err)"
}

# Where the message says that the work is saved, it is.
is_saved() {
  local file
  file=$(grep -o 'is saved in [^;]*' err | cut -c13-)
  [[ -s $file ]] || fault "the message tells of a file that is not there: $(head -c 400 err)"
}

# recovers DIRECTORY: with the fault gone, and what was saved elsewhere moved in, the run comes to its end.
recovers() {
  mkdir -p "$1/shards"
  find "$TMPDIR" -name '*.shard' -exec mv {} "$1/shards" \;
  exits 0 run "${slow[@]}" --trials $n_trials -o "$1" --resume
  for file in results.json results.csv resolved.yaml; do same "$1/$file" "whole/$file"; done
  expect "what is left in $1" "$(find "$1/shards" -type f ! -name "*.torn-*" -printf "%f\n")" 1-of-1.shard
  rm -rf "$1"
}

# A full disk, found at any moment: at the lock, the journal, the whole file, the results.
for bytes in 0 20 3000 10000 30000; do
  with 3 FAULT_PATH=/full/ FAULT_WRITES_AFTER=$bytes "$program" run "${slow[@]}" --trials $n_trials -o full
  tells err 'No space left'
  if [[ -n $(ls "$TMPDIR") ]]; then
    tells err 'move it into'
    tells err '--resume'
    is_saved
  fi
  recovers full
done
with 3 FAULT_PATH=.shard. FAULT_WRITES_AFTER=0 "$program" run "${slow[@]}" --trials $n_trials -o full
tells err '1-of-1.journal; go on with --resume'
recovers full
with 3 FAULT_PATH=/results.json FAULT_WRITES_AFTER=0 "$program" run "${slow[@]}" --trials $n_trials -o full
[[ -s full/shards/1-of-1.shard ]] || fault 'the finished work is not saved where the results cannot be'
recovers full
with 3 FAULT_PATH=/full/ FAULT_SYNCS_AFTER=3 "$program" run "${slow[@]}" --trials $n_trials -o full
tells err 'Input/output error'
grep -q 'nothing was finished yet' err || is_saved # the first save may come before the first trials
recovers full
with 3 FAULT_PATH=/full/ FAULT_WRITES_AFTER=3000 "$program" run "${slow[@]}" --trials $n_trials -o full --shard 1/2
tells err 'No space left'
find "$TMPDIR" -name '1-of-2.*.shard' -exec mv {} full/shards \;
exits 0 run "${slow[@]}" --trials $n_trials -o full --shard 1/2 --resume
exits 0 run "${slow[@]}" --trials $n_trials -o full --shard 2/2
exits 0 run "${slow[@]}" --trials $n_trials -o full --resume
same full/results.json whole/results.json
rm -rf full

# Files may not grow beyond 8 KiB, not the ones elsewhere either: what was saved before stands.
status=0
(ulimit -f 8 && "$program" run "${slow[@]}" --trials $n_trials -o full) >out 2>err || status=$?
expect 'exit status with short files' "$status" 3
tells err 'File too large'
recovers full

# Nowhere to write.
with 3 FAULT_PATH=read_only FAULT_OPENING=30 "$program" run "${slow[@]}" --trials $n_trials -o read_only
tells err 'Read-only file system'
: >a_file
exits 3 run "${slow[@]}" --trials $n_trials -o a_file
exits 3 run "${slow[@]}" --trials $n_trials -o a_file/below
exits 3 run "${slow[@]}" --trials $n_trials -o /proc/results
with 3 FAULT_PATH=.journal FAULT_OPENING=30 "$program" run "${slow[@]}" --trials $n_trials -o read_only
tells err 'Read-only file system'
recovers read_only
with 3 FAULT_PATH=few/shards FAULT_OPENING=24 "$program" run "${slow[@]}" --trials $n_trials -o few
tells err 'Too many open files'
recovers few

# begun DIRECTORY ARGUMENT...: a long run that has saved, in the background.
begun() {
  "$program" run "${slow[@]}" --trials 50000000 -o "$@" >out 2>err &
  pid=$!
  has_saved "$1" $pid
}
# goes_on DIRECTORY: the long run finds what was saved, wherever that is by now.
goes_on() {
  mkdir -p "$1/shards"
  find "$TMPDIR" -name '*.shard' -exec mv {} "$1/shards" \;
  "$program" run "$study" --set simulation.engine=patients --trials 50000000 -o "$1" --resume >out 2>err &
  pid=$!
  for _ in {1..2400}; do
    { grep -q 'found done' err || ! kill -0 "$pid"; } 2>/dev/null && break
    sleep 0.05
  done
  kill -TERM "$pid"
  ended_with 4 "the run that goes on in $1"
  grep -q '^[1-9][0-9]* of 300000000 trials were found done' err || fault "nothing was found in $1: $(head -c 400 err)"
  rm -f "$1"/*.* # results of more trials than are asked for next would stay
}
ended_with() {
  local status=0
  wait "$pid" || status=$?
  expect "exit status of $2" "$status" "$1"
}

# The directory, removed, moved away, replaced by a file under way.
begun gone
rm -rf gone
ended_with 3 'a run whose directory was removed'
tells err 'was removed or replaced'
tells err 'is saved in gone/shards/1-of-1.'
is_saved
goes_on gone
recovers gone
begun gone
mv gone elsewhere
: >gone
ended_with 3 'a run whose directory was replaced by a file'
tells err "$TMPDIR/1-of-1."
rm gone
goes_on gone
recovers gone
goes_on elsewhere
recovers elsewhere
begun gone
cp gone/shards/1-of-1.journal copy
mv copy gone/shards/1-of-1.journal
ended_with 3 'a run whose journal was replaced'
tells err 'was removed or replaced'
is_saved
goes_on gone
recovers gone

# Two runs in one directory: the second is told whom it disturbs, the first goes on.
begun two
exits 3 run "${slow[@]}" --trials 50000000 -o two --resume
tells err "another run is at work here ($(hostname), process $pid)"
kill -TERM "$pid"
ended_with 4 'the first of two runs'
goes_on two
recovers two

# The clock of the day jumps by days: saves go on, and the results are the same.
LD_PRELOAD=$work/faults.so FAULT_CLOCK=jumps "$program" run "${slow[@]}" --trials 50000000 -o clock >out 2>err &
pid=$!
has_saved clock $pid
kill -0 "$pid" || fault 'the run under a jumping clock has ended'
kill -KILL "$pid"
{ wait "$pid" || true; } 2>/dev/null
goes_on clock
with 0 FAULT_CLOCK=jumps "$program" run "${slow[@]}" --trials $n_trials -o clock --resume
recovers clock

# A journal that is cut or damaged anywhere, and so is a whole file.
with 3 FAULT_PATH=/1-of-1.shard FAULT_WRITES_AFTER=0 "$program" run "${slow[@]}" --trials $n_trials -o torn_once
RANDOM=20261123
size=$(stat -c %s torn_once/shards/1-of-1.journal)
for at in 0 1 40 $((size / 2)) $((size - 1)) $((RANDOM * RANDOM % size)) $((RANDOM * RANDOM % size)); do
  for damage in cut overwritten; do
    cp -r torn_once torn
    if [[ $damage == cut ]]; then
      truncate -s "$at" torn/shards/1-of-1.journal
    else
      printf 'damage' | dd of=torn/shards/1-of-1.journal bs=1 seek="$at" conv=notrunc status=none
    fi
    status=0
    "$program" run "$study" --set simulation.engine=patients --trials $n_trials -o torn --resume >out 2>err || status=$?
    if ((at < 10)) && [[ $damage == overwritten ]]; then
      expect "exit status of a file that is none of ours (byte $at $damage)" "$status" 3
      rm torn/shards/1-of-1.journal
      exits 0 run "${slow[@]}" --trials $n_trials -o torn --resume
    else
      expect "exit status with byte $at $damage" "$status" 0
      ((at == 0)) || tells err 'torn at byte'
      ((at < size - 1)) || tells err 'trials were found done'
    fi
    same torn/results.json whole/results.json
    rm -rf torn
  done
done
cp -r whole torn
truncate -s -7 torn/shards/1-of-1.shard
"$program" run "$study" --set simulation.engine=patients --trials $n_trials -o torn --resume >out 2>err ||
  fault 'a torn shard file is not done again'
tells err 'torn at byte'
tells err 'set aside as 1-of-1.shard.torn-1'
same torn/results.json whole/results.json
finish
