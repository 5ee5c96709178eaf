#!/usr/bin/env bash
# Exit statuses 0, 2 and 3, each with its message, and nothing lost that was there.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase2.yaml
quick=(--trials 20 --quiet)

exits 0 run "$study" "${quick[@]}" -o mine
cp mine/results.json before.json

# Faults of usage: nothing is simulated, nothing is made.
exits 2
exits 2 simulate "$study"
exits 2 run
exits 2 run "$study" --no-such-option -o none
exits 2 run "$study" --trials
for number in 1e3 -1 0 1.5 nan inf 0x10 ' 5' 5x 99999999999999999999; do
  exits 2 run "$study" --trials="$number" -o none
  tells err '--trials'
done
for number in -1 1e3 nan 18446744073709551616 abc; do
  exits 2 run "$study" --trials 20 --seed="$number" -o none
  tells err '--seed'
done
for number in 0 -2 nan 1.5 5000; do
  exits 2 run "$study" --trials 20 --threads="$number" -o none
  tells err '--threads'
done
for assignment in simulation.trials=nan simulation.trials=1e400 no.such.path=1 =1 nothing designs.efficacy.patients=-5; do
  exits 2 run "$study" --quiet --set "$assignment" -o none
  tells err "$assignment"
done
exits 2 replay "$study" --design none --scenario reported --trial 0 -o none
exits 2 replay "$study" --design efficacy --scenario reported --trial -1 -o none
exits 2 list nothing_of_the_kind
[[ ! -e none ]] || fault "a fault of usage left a results directory"

# Faults of input and output.
exits 3 run no_such_file.yaml -o none
tells err no_such_file.yaml
exits 3 run "$work" -o none
exits 3 run "$study" "${quick[@]}" -o before.json
tells err before.json
exits 3 run "$study" "${quick[@]}" -o before.json/below
exits 3 run "$study" "${quick[@]}" -o /proc/trialwright
exits 3 run "$configs/phase1.yaml" "${quick[@]}" -o mine
tells err 'another study'
mkdir foreign
echo '{"some": "other program"}' >foreign/results.json
exits 3 run "$study" "${quick[@]}" -o foreign
tells foreign/results.json 'other program'

# A full disk: files end at 1 KiB.
status=0
(
  trap '' XFSZ
  ulimit -f 1
  exec "$program" run "$study" --trials 20 --quiet -o mine >/dev/null 2>>err.full
) || status=$?
expect 'exit status on a full disk' "$status" 3
tells err.full 'writing failed'
same mine/results.json before.json
expect 'files left beside on a full disk' "$(find mine -name '*.partial')" ''

# Standard output that takes nothing.
for arguments in "run $study --trials 20 --quiet -o mine --resume" "check $study" 'list' '--help' 'run --help' '--version' \
  'exact --test fisher --n 33,34 --p 0.58,0.32 --json'; do
  status=0
  # shellcheck disable=SC2086 # words of their own
  "$program" $arguments >/dev/full 2>err || status=$?
  expect "exit status of $arguments on a full standard output" "$status" 3
  tells err 'standard output'
done
status=0
"$program" list >&- 2>err || status=$?
expect 'exit status of list without a standard output' "$status" 3

finish
