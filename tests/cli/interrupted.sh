#!/usr/bin/env bash
# Ctrl-C: exit status 4, and the finished trials saved.
source "$(dirname "$0")/support/checks.sh"

for signal in INT TERM; do
  "$program" run "$configs/phase2.yaml" --trials 50000000 -o "stopped_$signal" >out 2>err &
  pid=$!
  sleep 3
  kill -"$signal" "$pid"
  status=0
  wait "$pid" || status=$?
  expect "exit status after SIG$signal" "$status" 4
  tells err 'interrupted'
  tells out 'INTERRUPTED'
  for file in results.json results.csv resolved.yaml manifest.json; do
    [[ -s stopped_$signal/$file ]] || fault "$file is missing after SIG$signal"
  done
  tells "stopped_$signal/results.json" '"interrupted": true'
  tells "stopped_$signal/results.json" '"metric": "power"'
done
finish
