#!/usr/bin/env bash
# Precision in rounds from outside: whole, in shards of any number merged between rounds, and interrupted, a run stops
# at the same trials with the same bytes.
source "$(dirname "$0")/support/checks.sh"

cat >study.yaml <<END
schema: 1
extends: $configs/library/hcmsc_rescue.yaml
designs:
  fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 24, primary: easi50_superiority}
scenarios: {null: {effect: 0}, reported: {effect: 1}}
sweep: {designs.fixed.patients: [8, 60, 150]}
simulation: {trials: 10000, truth_patients: 8192, precision: {metric: power, mcse: 0.0075, round_trials: 2000}}
END

exits 0 run study.yaml -q -o whole
n_stops=$(grep -o '"n_trials": [0-9]*,' whole/results.json | sort -u | wc -l)
((n_stops >= 2)) || fault "all points stop at once: the test shows nothing"
tells whole/resolved.yaml 'precision: {metric: power, mcse: 0.0075, round_trials: 2000}'

# in_rounds DIR N...: one round by shards of each of these numbers in turn (the last one's for all that follow), merged,
# until merge says that all is there.
in_rounds() {
  local directory=$1 study=${study:-study.yaml} whole=${whole:-whole} n i status=5 n_rounds=0
  shift
  while ((status == 5 && n_rounds < 8)); do
    n=$1
    (($# == 1)) || shift
    for ((i = 1; i <= n; ++i)); do exits 0 run "$study" -q -o "$directory" --shard "$i/$n"; done
    status=0
    "$program" merge "$directory" -q >out 2>err || status=$?
    if ((status == 5)); then tells err 'next round'; fi
    n_rounds=$((n_rounds + 1))
  done
  expect "merge after $n_rounds rounds in $directory" "$status" 0
  ((n_rounds > 2)) || fault "$directory took $n_rounds rounds: the test shows nothing"
  same "$whole/results.json" "$directory/results.json"
  same "$whole/results.csv" "$directory/results.csv"
}
in_rounds one 1
in_rounds two 2
in_rounds seven 7
in_rounds mixed 5 2 3

# Trials with looks, in rounds of shards and interrupted.
cat >staged.yaml <<END
schema: 1
extends: $configs/group_sequential.yaml
simulation: {trials: 20000, engine: patients, truth_patients: 8192, precision: {metric: power, mcse: 0.006, round_trials: 1000}}
END
exits 0 run staged.yaml -q -o staged
n_stops=$(grep -o '"n_trials": [0-9]*,' staged/results.json | sort -u | wc -l)
((n_stops >= 2)) || fault "all points with looks stop at once: the test shows nothing"
study=staged.yaml whole=staged in_rounds staged_in_two 2
status=4
for ((n_runs = 0; status == 4 && n_runs < 100; ++n_runs)); do
  status=0
  timeout -s INT "0.$((3 + n_runs % 5))" "$program" run staged.yaml -q -o staged_stopped --resume >out 2>err || status=$?
  if ((status == 124)); then status=4; fi
done
expect "trials with looks, interrupted $n_runs times" "$status" 0
same staged/results.json staged_stopped/results.json

# A round that lacks a shard is not judged.
exits 0 run study.yaml -q -o lacking --shard 1/2
exits 5 merge lacking -q
tells err '--array=2'
[[ ! -e lacking/shards/rounds ]] || fault 'a round that lacks a shard was judged'

# Interrupted and gone on with, again and again.
longer=(-q --trials 10000000 --set simulation.precision.mcse=0.0013 --set simulation.precision.round_trials=20000)
exits 0 run study.yaml "${longer[@]}" -o long
status=4
n_runs=0
while ((status == 4 && n_runs < 100)); do
  status=0
  timeout -s INT "0.$((4 + n_runs % 5))" "$program" run study.yaml "${longer[@]}" -o stopped --resume >out 2>err || status=$?
  if ((status == 124)); then status=4; fi
  n_runs=$((n_runs + 1))
done
expect "interrupted $n_runs times" "$status" 0
((n_runs > 1)) || fault 'the run was never interrupted: the test shows nothing'
same long/results.json stopped/results.json

# More precision goes on from what was done, and ends as if asked for at once.
exits 0 run study.yaml -q -o whole --resume --set simulation.precision.mcse=0.006
exits 0 run study.yaml -q -o stricter --set simulation.precision.mcse=0.006
same stricter/results.json whole/results.json

# null switches it off.
exits 0 run study.yaml -q -o all --set simulation.precision=null --trials 300
expect 'numbers of trials without a target' "$(grep -o '"n_trials": [0-9]*,' all/results.json | sort -u)" '"n_trials": 300,'

exits 0 check study.yaml
tells out 'precision: power of each design'
tells out '4441 trials reach it at worst'
exits 0 check study.yaml --json
tells out '"trials_at_most": 6144'
exits 0 check study.yaml --set simulation.precision.mcse=0.001
tells out 'more than the 10000 there are'
exits 0 list precision
tells out 'coverage'
finish
