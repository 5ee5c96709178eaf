#!/usr/bin/env bash
# Shards of any cutting, merged in any order and nesting, give the bytes of one run; what is missing, foreign or torn
# is told, with the command that mends it.
source "$(dirname "$0")/support/checks.sh"

cat >study.yaml <<EOF
schema: 1
extends: $configs/library/hcmsc.yaml
designs:
  fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 40, primary: easi50_superiority}
scenarios: {null: {effect: 0}, reported: {effect: 1}}
sweep: {designs.fixed.patients: [40, 60]}
simulation: {trials: 9000, seed: 5, engine: patients}
EOF
quick=(-q --threads 2)

# shard I/N DIR [ARGUMENT...]
shard() {
  exits 0 run study.yaml --shard "$1" -o "$2" "${quick[@]}" "${@:3}"
}

exits 0 run study.yaml -o whole "${quick[@]}"
for i in 4 2 5 1 3; do shard $i/5 five; done

# All of them, as one run would have written.
exits 0 merge five -q
tells out 'written to five'
for file in results.json results.csv resolved.yaml; do same whole/$file five/$file; done
tells five/manifest.json '"partial": false'
! grep -rq 'partial' five/results.json five/results.csv || fault 'whole results are called partial'
exits 0 merge five -q --json
same out whole/results.json
exits 0 merge five/shards -q
same whole/results.json five/results.json

# Odd orders, files among directories, cuttings that nest, the same twice.
shard 2/4 mixed/a
shard 1/8 mixed/b/c
shard 2/8 mixed/b/c
for i in 5 6 7 8; do shard $i/8 mixed/d; done
exits 0 merge mixed/d five/shards/3-of-5.shard mixed/b mixed/d/shards/7-of-8.shard mixed/a five/shards/1-of-5.shard -o odd
tells err 'trials stand in several files; each is counted once'
same whole/results.json odd/results.json

# Without a place for the results.
exits 2 merge five mixed
tells err '-o DIR is needed'
exits 2 merge five/shards/1-of-5.shard
exits 2 merge
exits 3 merge no_such_place -o none
tells err 'no_such_place'
[[ ! -e none ]] || fault 'a refused merge left a directory'

# Shards that are missing: nothing is written, and the command that makes them is told.
mkdir -p some/shards
cp five/shards/{1,3}-of-5.shard some/shards
exits 5 merge some -q
expect 'standard output of an incomplete merge' "$(<out)" ''
tells err 'incomplete: 3 of 5 shards lack work'
tells err '  fixed / null, designs.fixed.patients = '
tells err 'to make them: --array=2,4-5'
tells err '  trialwright run CONFIG --trials 9000 --shard 2/5 -o some --resume'
expect 'files after an incomplete merge' "$(ls some)" shards
exits 5 merge some -q --json
tells out '"array": "2,4-5"'
tells out '"missing_shards": ['
mkdir some/submit
touch some/submit/array.sh some/submit/the_study.yaml
echo 5 >some/submit/shards
exits 5 merge some -q
tells err "sbatch --array=2,4-5 $work/some/submit/array.sh"
tells err "trialwright run $work/some/submit/the_study.yaml --trials 9000 --shard 4/5 -o some --resume"
echo 7 >some/submit/shards
exits 5 merge some -q
tells err ' of 7 shards'
tells err 'sbatch --array='
rm -r some/submit

# What is there, marked in every output, apart from the whole.
exits 0 merge some -q --partial
tells out 'PARTIAL: shards are missing'
tells out 'written to some/partial'
tells some/partial/results.json '"partial": true'
tells some/partial/manifest.json '"partial": true'
expect 'the last column of partial results' "$(sed 's/.*,//' some/partial/results.csv | sort -u)" $'partial\ntrue'
[[ ! -e some/results.json ]] || fault 'partial results stand in the place of whole ones'
# The command does it.
for i in 2 4 5; do shard $i/5 some --resume; done
exits 0 merge some -q
same whole/results.json some/results.json

# Merged things merge again, and a longer run goes on from them.
exits 0 merge five/shards/{2,4}-of-5.shard -o left -q --partial
exits 0 merge five/shards/{5,1,3}-of-5.shard -o right -q --partial
exits 0 merge right left -o both -q
same whole/results.json both/results.json
exits 0 merge both -q
same whole/results.json both/results.json
exits 0 run study.yaml -o longer "${quick[@]}" --trials 20000
exits 0 run study.yaml -o both --threads 2 --trials 20000 --resume
tells err 'trials were found done'
same longer/results.json both/results.json

# More trials than any shard was asked for; fewer than the results hold.
exits 5 merge five -q --trials 20000
tells err '--array=1-5'
tells err 'run CONFIG --trials 20000 --shard 1/5'
for number in 0 -1 1e3 x; do
  exits 2 merge five --trials="$number"
  tells err '--trials'
done

# Another seed, another study.
shard 1/5 foreign --seed 6
exits 3 merge five foreign -o none
tells err 'foreign/shards/1-of-5.shard: does not belong to the other files: its s'
exits 3 merge foreign five mixed -o none
tells err 'foreign/shards/1-of-5.shard: does not belong'
exits 0 run study.yaml -o other --set designs.fixed.patients=50 --set 'sweep.designs.fixed.patients=[50]' "${quick[@]}"
exits 3 merge five -o other
tells err 'other'
[[ ! -e none ]] || fault 'a refused merge left a directory'

# A file that was cut.
cp -r five torn
size=$(stat -c %s torn/shards/2-of-5.shard)
truncate -s $((size / 2)) torn/shards/2-of-5.shard
rm torn/results.json
exits 5 merge torn
tells err '2-of-5.shard: torn at byte'
tells err '--array=2'
[[ ! -e torn/results.json ]] || fault 'an incomplete merge wrote results'
printf 'something else altogether, and long enough' >torn/shards/x.shard
exits 3 merge torn
tells err 'x.shard'

# Rows: the bytes of one run, also of things merged before, whose first parts are gone.
rows=(--set outputs.trials=true --set outputs.patients=3)
exits 0 run study.yaml "${rows[@]}" -o rows_whole "${quick[@]}"
for i in 3 1 2; do shard $i/3 rows "${rows[@]}"; done
exits 0 merge rows -q
exits 0 merge rows/shards/2-of-3.shard -o rows_part -q --partial
[[ -s rows_part/partial/trials.partial.csv && ! -e rows_part/partial/trials.csv ]] || fault 'partial rows are not called so'
exits 0 merge rows rows_part -o rows_again -q
rm -r rows/shards rows_part
exits 0 merge rows_again -o rows_last -q
for directory in rows rows_again rows_last; do
  for file in results.json trials.csv patients.csv; do same rows_whole/$file $directory/$file; done
done

# Trials with looks, drawn as counts and by patients.
looks=(run "$configs/group_sequential.yaml" --trials 9000 "${quick[@]}" --set 'scenarios={null: {effect: 0}, reported: {effect: 1}}')
exits 0 "${looks[@]}" -o looks_whole
for i in 2 4 1 3; do exits 0 "${looks[@]}" --shard $i/4 -o looks; done
exits 0 merge looks -q
for file in results.json results.csv; do same looks_whole/$file looks/$file; done
looks=(run "$configs/../tests/golden/staged.yaml" "${quick[@]}" --set outputs.trials=true --set outputs.patients=2)
exits 0 "${looks[@]}" -o looks_of_patients
for i in 3 1 2; do exits 0 "${looks[@]}" --shard $i/3 -o looks_of_few; done
exits 0 merge looks_of_few -q
for file in results.json results.csv trials.csv patients.csv; do same looks_of_patients/$file looks_of_few/$file; done

# Two cuttings that overlap in part and together cover all: what is told to be missing makes it whole.
shard 1/3 mixed
for i in 2 3 4 5; do shard $i/5 mixed; done
status=0
"$program" merge mixed -q >out 2>err || status=$?
if [[ $status == 5 ]]; then
  tells err '--array=1'
  shard 1/5 mixed
  exits 0 merge mixed -q
fi
same whole/results.json mixed/results.json

# Rounds of a study that stops on precision.
target=(--set 'simulation.precision={metric: power, mcse: 0.004, round_trials: 4096}' --set simulation.trials=30000)
exits 0 run study.yaml "${target[@]}" -o stops "${quick[@]}"
for round in 1 2 3 4 5 6 7 8; do
  for i in 1 2 3; do shard $i/3 rounds "${target[@]}" --resume; done
  status=0
  "$program" merge rounds -q >out 2>err || status=$?
  [[ $status == 5 ]] || break
  tells err "points are not precise enough after $round round"
  tells err 'the next round: --array=1-3'
  expect 'files between two rounds' "$(ls rounds)" shards
done
expect 'exit status of the last merge' "$status" 0
((round > 1)) || fault 'one round was enough'
same stops/results.json rounds/results.json
finish
