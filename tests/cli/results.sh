#!/usr/bin/env bash
# What a run leaves, and that what it writes out runs again to the same bytes.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase2.yaml

exits 0 run "$study" --trials 100 -o first
tells out 'Phase 2 NCT04179760 replayed'
tells out 'type I error'
tells out 'written to first'
tells err ' thread'
! grep -q $'\r\|\033' err || fault 'a progress bar went to what is not a terminal'
# To a terminal the table is as wide as it; a container may have no pseudo-terminals.
if script -qec true /dev/null >terminal 2>&1 </dev/null; then
  for width in 90 150; do
    script -qec "stty cols $width; '$program' run '$study' --trials 100 -q -o first" /dev/null >terminal </dev/null
    widest=$(tr -d '\r' <terminal | wc -L)
    ((widest <= width && widest > width - 20)) || fault "the table has $widest characters on a terminal of $width"
  done
else
  echo "no pseudo-terminal can be had: $(<terminal)"
  "$program" run "$study" --trials 100 -q -o first >terminal
fi
expect 'the files of a results directory' "$(ls first)" 'manifest.json
resolved.yaml
results.csv
results.json
shards'
tells first/manifest.json '"command_line"'
tells first/results.csv 'design,scenario,metric,hypothesis,look,reason,arm,estimate,mcse,lower,upper,n_trials'
n_metrics=$(grep -c '"metric":' first/results.json)
expect 'lines of results.csv' "$(wc -l <first/results.csv)" $((n_metrics + 1))

exits 0 run "$study" --trials 100 -o first --quiet --json
expect 'standard error of a quiet run' "$(<err)" ''
same out first/results.json

exits 0 run first/resolved.yaml -q -o second
same first/results.json second/results.json
same first/results.csv second/results.csv
same first/resolved.yaml second/resolved.yaml

# What check prints is a study, and the same one.
exits 0 check "$study" --trials 100
cp out checked.yaml
sed '/^# /,$d' checked.yaml | sed '$d' >study_part.yaml
same study_part.yaml first/resolved.yaml
exits 0 run checked.yaml -q -o third
same first/results.json third/results.json

# Options stand for values of the file.
exits 0 run "$study" -q -o set --set simulation.trials=100 --set simulation.seed=7
exits 0 run "$study" -q -o options --trials 100 --seed 7
same set/results.json options/results.json
! cmp -s set/results.json first/results.json || fault 'another seed gives the same results'
finish
