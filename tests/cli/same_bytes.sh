#!/usr/bin/env bash
# results.json is the same bytes by both engines on one, two and three threads, on one core, and without the
# instructions that the C library picks its functions by (under their names in older and newer versions; a C library
# that knows neither ignores them). A trial is the same bytes whatever the number of trials asked for.
source "$(dirname "$0")/support/checks.sh"
without=glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F,-AVX2_Usable,-FMA_Usable,-AVX512F_Usable

# both STUDY TRIALS ARGUMENT...: one thread, and two or three without those instructions.
both() {
  local name=$1 n_trials=$2
  shift 2
  "$program" run "$configs/$name.yaml" --trials "$n_trials" "$@" -q --threads 1 -o one >/dev/null
  for n_threads in 2 3; do
    GLIBC_TUNABLES=$without "$program" run "$configs/$name.yaml" --trials "$n_trials" "$@" -q \
      --threads $n_threads -o more >/dev/null
    same one/results.json more/results.json
    rm -r more
  done
  rm -r one
}

patients=(--set simulation.engine=patients)
both phase2 64
both phase3_sweep 16
both assurance 64
both phase2 64 "${patients[@]}"
both phase3_power 300000
both phase3_power 64 "${patients[@]}"
# Trials with looks: counts where they can be drawn, and patients; past the first trials that have an inference.
both group_sequential 70000 --set 'scenarios={reported: {effect: 1}}'
both group_sequential 16 "${patients[@]}"
both promising_zone 6000
both promising_zone 16 "${patients[@]}"
both seamless_selection 2000
both seamless_selection 16 "${patients[@]}"
both enrichment 16
both maintenance 32
both regional_bridging 16

# On whatever cores the process may use.
study=$configs/phase3_power.yaml
"$program" run "$study" --trials 1000 -q -o any >/dev/null
taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$program" run "$study" --trials 1000 -q -o one >/dev/null
same any/results.json one/results.json

# The study's hash and its trials do not hang on how many are asked for.
for n_trials in 10 100000; do
  "$program" replay "$configs/phase3_sweep.yaml" --trial 7 --design fixed --scenario assumed \
    --set simulation.trials=$n_trials -o "of-$n_trials" >/dev/null
done
for file in patients.csv visits.csv adverse_events.csv decisions.txt; do
  same of-10/$file of-100000/$file
done
finish
