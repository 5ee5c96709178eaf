#!/usr/bin/env bash
# results.json is the same bytes on one and two threads, and without the instructions that the C library picks its
# functions by (under their names in older and newer versions; a C library that knows neither ignores them).
source "$(dirname "$0")/support/checks.sh"
without=glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F,-AVX2_Usable,-FMA_Usable,-AVX512F_Usable

for name in phase2 phase3_sweep assurance; do
  "$program" run "$configs/$name.yaml" --trials 64 -q --threads 1 -o "$name-1" >/dev/null
  GLIBC_TUNABLES=$without "$program" run "$configs/$name.yaml" --trials 64 -q --threads 2 -o "$name-2" >/dev/null
  same "$name-1/results.json" "$name-2/results.json"
done
finish
