#!/usr/bin/env bash
# trials.csv and patients.csv: what they hold agrees with the results and with replay, and their bytes are the same
# whole, in shards, stopped, killed and gone on with, compressed or not.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase3_power.yaml
rows=(--set outputs.trials=true)
packed=("${rows[@]}" --set outputs.compression=gzip)

# power FILE: of each point and hypothesis, from the rows.
power() {
  awk -F, 'NR == 1 { for (i = 1; i <= NF; ++i) at[$i] = i; next }
           { key = $1 "," $2 "," (at["trial"] > 3 ? $3 : "") "," $(at["hypothesis"]); ++n[key]; rejected[key] += $(at["rejected"]) }
           END { for (key in n) printf "%s,%.8f,%d\n", key, rejected[key] / n[key], n[key] }' "$1" | sort
}

# Drawn as counts, a swept size: whole, on threads, and what the rows say.
exits 0 run "$study" "${rows[@]}" --trials 20000 -q --threads 1 -o whole
exits 0 run "$study" "${rows[@]}" --trials 20000 -q --threads 3 -o threads
same whole/trials.csv threads/trials.csv
power whole/trials.csv >of_rows
awk -F, '$4 == "power" { printf "%s,%s,%s,%s,%.8f,%d\n", $1, $2, $3, $5, $9, $13 }' whole/results.csv | sort >of_results
[[ -s of_rows ]] || fault 'trials.csv has no rows'
same of_rows of_results
exits 0 run "$study" --trials 20000 -q -o bare
same bare/results.json whole/results.json
[[ ! -e bare/trials.csv ]] || fault 'trials.csv is written and was not asked for'

# Compressed: the same text, the same bytes on any threads.
exits 0 run "$study" "${packed[@]}" --trials 20000 -q --threads 1 -o packed
exits 0 run "$study" "${packed[@]}" --trials 20000 -q --threads 2 -o packed_threads
gzip -t packed/trials.csv.gz
gzip -dc packed/trials.csv.gz >unpacked.csv
same unpacked.csv whole/trials.csv
same packed/trials.csv.gz packed_threads/trials.csv.gz

# In shards, some of them compressed apart; and what is there of an incomplete set.
for i in 3 1 2; do exits 0 run "$study" "${packed[@]}" --trials 20000 -q --shard $i/3 -o cut; done
exits 0 merge cut
same cut/trials.csv.gz packed/trials.csv.gz
same cut/results.json packed/results.json
rm cut/shards/2-of-3.* cut/trials.csv.gz cut/results.json
exits 5 merge cut
[[ ! -e cut/trials.csv.gz ]] || fault 'rows are written of an incomplete set'
exits 0 merge cut --partial
partial=$(find cut -name trials.partial.csv.gz)
gzip -dc "$partial" >partial.csv
awk 'NR == FNR { whole[$0]; next } !($0 in whole)' whole/trials.csv partial.csv >foreign
expect 'rows that the whole does not have' "$(wc -l <foreign)" 0
(($(wc -l <partial.csv) < $(wc -l <whole/trials.csv))) || fault 'the partial rows are all rows'

# More trials later are more of the same; work without the rows asked for is done again.
exits 0 run "$study" "${rows[@]}" --trials 5000 -q -o grown
exits 0 run "$study" "${rows[@]}" --trials 20000 --resume -q -o grown
same grown/trials.csv whole/trials.csv
exits 0 run "$study" "${rows[@]}" --trials 20000 --resume -q -o bare
same bare/trials.csv whole/trials.csv
same bare/results.json whole/results.json

# Patients: those of replay, and killed at some moment.
patients=(--set simulation.engine=patients --set outputs.patients=40 "${rows[@]}" --trials 2000 --save-every 0.05)
exits 0 run "$configs/phase2.yaml" "${patients[@]}" -q -o patients
exits 0 replay "$configs/phase2.yaml" --set simulation.engine=patients --design efficacy --scenario null --trial 17 -o replayed
awk -F, '$1 == "efficacy" && $2 == "null" && $3 == 17' patients/patients.csv | cut -d, -f4- >of_run
# Columns of estimands that other designs read stay empty there; the shared ones agree.
cut -d, -f1-12 of_run >of_run_shared
tail -n +2 replayed/patients.csv | cut -d, -f1-12 >of_replay_shared
expect 'patients of trial 17' "$(wc -l <of_run)" 67
same of_run_shared of_replay_shared
for pause in 0.2 0.5 0.9; do
  "$program" run "$configs/phase2.yaml" "${patients[@]}" --resume -q -o killed >out 2>err &
  sleep $pause
  kill -9 $! 2>/dev/null || true
  wait $! 2>/dev/null || true
done
exits 0 run "$configs/phase2.yaml" "${patients[@]}" --resume -q -o killed
same killed/patients.csv patients/patients.csv
same killed/trials.csv patients/trials.csv
same killed/results.json patients/results.json

# A disk that is full (files that may not grow): exit 3, and all that was saved is used.
status=0
(
  ulimit -f 3000
  trap '' XFSZ
  exec "$program" run "$configs/phase2.yaml" "${patients[@]}" -q -o full
) >out 2>err || status=$?
expect 'exit status with a full disk' $status 3
tells err 1-of-1.
exits 0 run "$configs/phase2.yaml" "${patients[@]}" --resume -q -o full
same full/trials.csv patients/trials.csv

# Patients of points drawn as counts.
exits 2 run "$study" --set outputs.patients=5 -q -o none
tells err 'has no patients to write'
tells err 'simulation.engine: patients'
[[ ! -e none ]] || fault 'a directory was made for a faulty study'
finish
