#!/usr/bin/env bash
# What check says of the files of rows is what a run then writes.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase3_power.yaml
asked=(--trials 2000 --set 'outputs={trials: true, patients: 10}' --set simulation.engine=patients)

# number FILE KEY: of the JSON in `out`, below the file's name.
number() {
  grep -A2 "\"$1\"" out | grep -o "\"$2\": [0-9]*" | grep -o '[0-9]*$'
}

exits 0 run "$study" "${asked[@]}" -q -o rows
exits 0 check "$study" "${asked[@]}" --json
for file in trials.csv patients.csv; do
  expect "rows of $file" "$(number $file rows)" "$(($(wc -l <rows/$file) - 1))"
  told=$(number $file bytes_uncompressed)
  found=$(stat -c %s rows/$file)
  ((told > found * 85 / 100 && told < found * 115 / 100)) || fault "$file: $told bytes told, $found found"
done
exits 0 check "$study" "${asked[@]}" --set outputs.compression=gzip
tells out 'trials.csv.gz: 36000 rows'
tells out 'before compression'
exits 0 check "$study"
if grep -q 'trials.csv' out; then fault 'check tells of rows that nobody asked for'; fi
finish
