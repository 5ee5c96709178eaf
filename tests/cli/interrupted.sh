#!/usr/bin/env bash
# Signals that ask for a stop: exit status 4, and the finished trials saved.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase2.yaml

# started: waits until the run in the background listens to signals (the bit of SIGUSR2 in its mask).
started() {
  local mask
  for _ in {1..2000}; do
    mask=$(awk '/^SigCgt/ {print $2}' "/proc/$pid/status" 2>/dev/null) || return 0
    ((16#${mask:-0} & 1 << 11)) && return 0
    sleep 0.01
  done
}

for signal in INT TERM USR1 USR2 XCPU HUP; do
  dir=stopped_$signal
  "$program" run "$study" --trials 50000000 --save-every 0.02 -o "$dir" >out 2>err &
  pid=$!
  has_saved "$dir" $pid
  kill -"$signal" "$pid"
  status=0
  wait "$pid" || status=$?
  expect "exit status after SIG$signal" "$status" 4
  tells err 'interrupted'
  tells err '--resume goes on'
  tells out 'INTERRUPTED'
  for file in results.json results.csv resolved.yaml manifest.json shards/1-of-1.journal; do
    [[ -s $dir/$file ]] || fault "$file is missing after SIG$signal"
  done
  tells "$dir/results.json" '"interrupted": true'
  tells "$dir/results.json" '"metric": "power"'
done

# Before anything is planned: nothing to save, and a clean end.
"$program" run "$configs/phase3_sweep.yaml" --trials 50000000 -o early >out 2>err &
pid=$!
started
kill -USR1 "$pid"
status=0
wait "$pid" || status=$?
expect 'exit status of a run stopped early' "$status" 4
tells err 'interrupted'

# A shard.
"$program" run "$study" --trials 50000000 --save-every 0.02 -o cut --shard 2/2 >out 2>err &
pid=$!
has_saved cut $pid
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
expect 'exit status of a stopped shard' "$status" 4
tells out 'shard 2/2 interrupted'

# nohup's SIGHUP stays ignored, and a second Ctrl-C ends at once.
(
  trap '' HUP
  exec "$program" run "$study" --trials 50000000 -o nohup >out 2>err
) &
pid=$!
started
kill -HUP "$pid"
sleep 0.5
kill -0 "$pid" 2>/dev/null || fault 'SIGHUP has stopped a run that ignores it'
kill -TERM "$pid"
status=0
wait "$pid" || status=$?
expect 'exit status of a run under nohup' "$status" 4
finish
