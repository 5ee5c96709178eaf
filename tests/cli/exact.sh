#!/usr/bin/env bash
# The calculator that other tools call: its options, its one line of JSON, its values.
source "$(dirname "$0")/support/checks.sh"

# power TEST N P ALPHA SIDES…: the number of {"power":…}, the only thing printed.
power() {
  exits 0 exact --test "$1" --n "$2" --p "$3" --alpha "$4" "${@:5}" --json
  grep -qE '^\{"power":[0-9.eE+-]+\}$' out && [[ $(wc -l <out) == 1 ]] || fault "not {\"power\":…} alone: $(<out)"
  expect 'standard error of exact' "$(<err)" ''
  sed -E 's/.*:([^}]*)\}/\1/' out
}

# near WHAT FOUND WANTED: within 1e-9, all digits that the reference prints being right.
near() {
  awk -v a="$2" -v b="$3" 'BEGIN { d = a - b; exit !(d < 1e-9 && d > -1e-9) }' ||
    fault "$1: $2, not $3"
}

# Rows of tests/reference/exact_power_binary.csv, calculated by other programs.
rows=0
while IFS=, read -r test n1 n2 p1 p2 wanted _; do
  case $test in
    pooledZ_*) name=z_pooled ;;
    fisher_*) name=fisher ;;
    *) continue ;;
  esac
  case $test in
    *_1s) near "$test" "$(power $name "$n1,$n2" "$p1,$p2" 0.025)" "$wanted" ;;
    *_2s) near "$test" "$(power $name "$n1,$n2" "$p1,$p2" 0.05 --two-sided)" "$wanted" ;;
  esac
  rows=$((rows + 1))
done < <(grep -E '^(pooledZ|fisher)_[12]s,(20|50),' "$2/tests/reference/exact_power_binary.csv" | awk 'NR % 2 == 1')
((rows >= 10)) || fault "only $rows reference rows were compared"

exits 0 exact --test boschloo --n 33,34 --p 0.58,0.32
tells out 'type I error'
for arguments in '--test fishr --n 33,34 --p 0.5,0.3' '--test fisher --n 33 --p 0.5,0.3' \
  '--test fisher --n 33,34,35 --p 0.5,0.3' '--test fisher --n 33.5,34 --p 0.5,0.3' '--test fisher --n 0,34 --p 0.5,0.3' \
  '--test fisher --n 33,34 --p nan,0.3' '--test fisher --n 33,34 --p 58,32' '--test fisher --n 33,34 --p 0.5' \
  '--test fisher --n 33,34 --p 0.5,0.3 --alpha 0' '--test fisher --n 33,34 --p 0.5,0.3 --alpha 1e400' \
  '--n 33,34 --p 0.5,0.3'; do
  # shellcheck disable=SC2086 # words of their own
  exits 2 exact $arguments --json
  expect "standard output of exact $arguments" "$(<out)" ''
done
finish
