#!/usr/bin/env bash
# A rerun into a results directory loses nothing that is there: neither to an interruption nor to fewer trials.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase3_power.yaml

# interrupted_run SECONDS ARGUMENT...: a run of far too many trials, stopped after that long.
interrupted_run() {
  local status=0 pid
  "$program" run "$study" --trials 500000000 "${@:2}" >out 2>err &
  pid=$!
  sleep "$1"
  kill -INT "$pid"
  wait "$pid" || status=$?
  expect 'exit status of an interrupted run' "$status" 4
}

exits 0 run "$study" --trials 500 -q -o kept
mkdir before
cp kept/*.* before
exits 3 run "$study" --trials 400 -q -o kept
tells err 'holds 500 trials a point'
tells err '-o DIR'
interrupted_run 2 -q -o kept
tells err 'kept/interrupted'
tells err 'kept keeps what it held'
tells kept/interrupted/results.json '"interrupted": true'
for file in results.json results.csv resolved.yaml manifest.json; do
  same "kept/$file" "before/$file"
  [[ -s kept/interrupted/$file ]] || fault "kept/interrupted/$file is missing"
done

# More trials, and a whole run after an interrupted one, take the place of less.
exits 3 run "$study" --trials 501 -q -o kept
tells err '--resume goes on from it'
exits 0 run "$study" --trials 501 -q -o kept --resume
tells kept/results.json '"n_trials": 501'

# Without -o, runs of other numbers of trials have other directories.
exits 0 run "$study" --trials 30 -q
exits 0 run "$study" --trials 20 -q
expect 'default directories' "$(find results -mindepth 1 -maxdepth 1 | wc -l)" 2
exits 0 run "$study" --trials 20 -q
expect 'default directories after the same again' "$(find results -mindepth 1 -maxdepth 1 | wc -l)" 2
finish
