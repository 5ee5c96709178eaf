#!/usr/bin/env bash
# --resume goes on from whatever is there, to the same bytes; without it nothing that is unfinished is lost.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase2.yaml
slow=("$study" --set simulation.engine=patients --save-every 0.02)

exits 0 run "${slow[@]}" --trials 20000 -q -o whole

# stopped DIRECTORY ARGUMENT...: a run of far too many trials, stopped after a save.
stopped() {
  local dir=$1 status=0 pid
  shift
  "$program" run "${slow[@]}" --trials 50000000 -o "$dir" "$@" >out 2>err &
  pid=$!
  has_saved "$dir" $pid
  kill -TERM "$pid"
  wait "$pid" || status=$?
  expect 'exit status of a stopped run' "$status" 4
}

# Nothing there; then whole; then stopped on the way to more.
exits 0 run "${slow[@]}" --trials 3000 -o grown --resume
! grep -q 'found done' err || fault 'work was found where there was none'
exits 0 run "${slow[@]}" --trials 3000 -o grown --resume
tells err '18000 of 18000 trials were found done'
exits 0 run "${slow[@]}" --trials 20000 -o grown --resume
tells err 'of 120000 trials were found done'
for file in results.json results.csv resolved.yaml; do same "grown/$file" "whole/$file"; done
before=$(stat -c %Y.%s.%i grown/shards/1-of-1.shard)
exits 0 run "${slow[@]}" --trials 20000 -q -o grown --resume
expect 'a shard file with nothing to add' "$(stat -c %Y.%s.%i grown/shards/1-of-1.shard)" "$before"
same grown/results.json whole/results.json
stopped grown --resume
tells err '--resume goes on'
same whole/results.json grown/results.json

# What is unfinished is not lost to a run that does not ask for it.
exits 3 run "${slow[@]}" --trials 50000000 -q -o grown
tells err '--resume goes on from it'
[[ -s grown/shards/1-of-1.journal ]] || fault 'the journal is gone'
exits 3 run "${slow[@]}" --trials 50000000 -q -o grown --resume --seed 5
exits 3 run "$study" --trials 50000000 -q -o grown --resume
tells err 'another study'
exits 3 run "${slow[@]}" --trials 19999 -q -o grown --resume
tells err 'holds 20000 trials a point'
exits 0 run "${slow[@]}" --trials 20001 -o grown --resume
tells err 'trials were found done'
[[ ! -e grown/shards/1-of-1.journal ]] || fault 'a journal stands after the end'
exits 0 run "${slow[@]}" --trials 20001 -q -o whole_and_one
same grown/results.json whole_and_one/results.json

# A directory that no results.json tells about: the journal does.
stopped bare
rm -f bare/*.*
exits 3 run "$study" --trials 100 -q -o bare
tells err 'holds work of'

# Shards of any cutting are taken in by a whole run, overlaps once.
for shard in 1/3 3/3 2/5; do exits 0 run "${slow[@]}" --trials 20000 -q -o cut --shard $shard; done
exits 0 run "${slow[@]}" --trials 20000 -o cut --resume
tells err 'of 120000 trials were found done'
same cut/results.json whole/results.json

# A shard goes on from its own file.
exits 0 run "${slow[@]}" --trials 20000 -q -o cut --shard 3/3 --resume
tells out 'done: '
exits 0 run "${slow[@]}" --trials 20000 -o cut --shard 3/3 --resume --json
tells out '"trials_simulated": 0'

# Without -o: a longer run finds the shorter one's directory, and a short look after it has one of its own.
exits 0 run "${slow[@]}" --trials 5000 -q
exits 0 run "${slow[@]}" --trials 9000 --resume
tells err 'of 54000 trials were found done'
exits 0 run "${slow[@]}" --trials 300 -q
expect 'directories' "$(find results -mindepth 1 -maxdepth 1 | sed 's/-[0-9a-f]\{8\}/-HASH/' | sort | tr '\n' ' ')" \
  'results/phase2-HASH results/phase2-HASH-300trials '
finish
