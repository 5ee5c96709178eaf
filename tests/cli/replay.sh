#!/usr/bin/env bash
# Trials made again decide as they did in the run: of the first trials, the sums agree.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase2.yaml
n=8
patients=(--set simulation.engine=patients)

exits 0 run "$study" "${patients[@]}" --trials $n -q -o run
for scenario in reported null; do
  : >decisions
  for ((trial = 0; trial < n; ++trial)); do
    exits 0 replay "$study" "${patients[@]}" --design efficacy --scenario $scenario --trial $trial -o "$scenario-$trial"
    expect 'standard error of replay' "$(<err)" ''
    cat "$scenario-$trial/decisions.txt" >>decisions
    for file in patients.csv visits.csv adverse_events.csv; do
      [[ -s $scenario-$trial/$file ]] || fault "replay leaves no $file"
    done
    expect "patients of trial $trial" "$(wc -l <"$scenario-$trial/patients.csv")" 68
  done
  # "  easi50_superiority: hcmsc 19/33 against placebo 11/34, estimate …, p = …: rejected"
  awk '/ against / {
         sub(":", "", $1); split($3, active, "/"); split($6, control, "/"); sub(",", "", control[2])
         rejected[$1] += / rejected$/ && !/not rejected$/
         events[$1 "," $2] += active[1]; patients[$1 "," $2] += active[2]
         events[$1 "," $5] += control[1]; patients[$1 "," $5] += control[2]
       }
       END {
         for (name in rejected) printf "power,%s,,%.6f\n", name, rejected[name] / n
         for (key in events) printf "event_rate,%s,%.6f\n", key, events[key] / patients[key]
       }' n=$n decisions | sort >replayed
  awk -F, -v scenario=$scenario '$1 == "efficacy" && $2 == scenario && ($3 == "power" || $3 == "event_rate") {
         printf "%s,%s,%s,%.6f\n", $3, $4, $7, $8 }' run/results.csv | sort >simulated
  expect 'analyses and their arms' "$(wc -l <simulated)" 18
  same replayed simulated
done
exits 0 replay "$study" "${patients[@]}" --design efficacy --scenario reported --trial 5 -o again
same again/patients.csv reported-5/patients.csv
same again/decisions.txt reported-5/decisions.txt
finish
