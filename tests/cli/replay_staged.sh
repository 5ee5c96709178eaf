#!/usr/bin/env bash
# Trials with looks made again decide as they did in the run, tell their looks, and list who was randomised.
source "$(dirname "$0")/support/checks.sh"
study=$configs/group_sequential.yaml
n=12
patients=(--set simulation.engine=patients --set outputs.trials=true)

exits 0 run "$study" "${patients[@]}" --trials $n -q -o run
# A row's fields, by the header's names; `decisions` is quoted and comes last, so that commas before it are separators.
field() { awk -F, -v name="$1" -v design="$2" -v trial="$3" '
  NR == 1 { for (i = 1; i <= NF; ++i) place[$i] = i }
  $1 == design && $2 == "reported" && $(place["trial"]) == trial { print $(place[name]) }' run/trials.csv; }
for design in conditional_power beta_spending; do
  for ((trial = 0; trial < n; ++trial)); do
    exits 0 replay "$study" "${patients[@]}" --design $design --scenario reported --trial $trial -o "$design-$trial" --json
    json=$(<out)
    [[ $json == *'"stop_reason": "'"$(field stop_reason $design $trial)"'"'* ]] || fault "$design $trial: another stop reason"
    decisions=$design-$trial/decisions.txt
    expect "$design $trial: looks" "$(grep -c '^look ' "$decisions")" "$(field looks $design $trial)"
    enrolled=$(field n_enrolled $design $trial)
    expect "$design $trial: patients" "$(wc -l <"$design-$trial/patients.csv")" $((enrolled + 1))
    grep -q "^end: $(field stop_reason $design $trial) at look $(field looks $design $trial); $enrolled patients randomised, $(field n_analysed $design $trial) of them known" "$decisions" ||
      fault "$design $trial: another end than in trials.csv"
    # Who was known at the first look are half of the planned 412.
    known=$(awk -F, 'NR > 1 && $NF == 1' "$design-$trial/patients.csv" | wc -l)
    expect "$design $trial: known at look 1" "$known" 206
    expect "$design $trial: visits" "$(awk -F, 'NR > 1 && $2 == 0' "$design-$trial/visits.csv" | wc -l)" "$enrolled"
  done
done
exits 0 replay "$study" "${patients[@]}" --design beta_spending --scenario reported --trial 5 -o again
same again/patients.csv beta_spending-5/patients.csv
same again/decisions.txt beta_spending-5/decisions.txt
finish
