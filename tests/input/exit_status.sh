#!/usr/bin/env bash
# Every faulty study through the program itself: status 2, nothing on stdout, each expected fault on stderr,
# and nothing simulated or written. Arguments: the program, the folder of faulty studies, a folder to work in.
set -u
program=$1
folder=$2
work=$3
n_failed=0
fail() {
  echo "$1"
  n_failed=$((n_failed + 1))
}

rm -rf "$work"
mkdir -p "$work"
n=0
while IFS= read -r study; do
  n=$((n + 1))
  arguments=()
  while IFS= read -r assignment; do arguments+=(--set "$assignment"); done \
    < <(sed -n 's/^# set //p' "$study" | tr -d '\0')
  "$program" check "$study" "${arguments[@]}" >"$work/stdout" 2>"$work/stderr"
  status=$?
  expectations=${study%.yaml}.expect
  [ -e "$expectations" ] || expectations=$study
  n_expected=$(grep -c '^# expect 2 ' "$expectations")
  n_found=$(grep -c 'error: ' "$work/stderr")
  [ "$status" -eq 2 ] || fail "$study: status $status"
  [ -s "$work/stdout" ] && fail "$study: wrote to stdout"
  [ "$n_found" -eq "$n_expected" ] || fail "$study: $n_found faults, expected $n_expected"
done < <(find "$folder" -mindepth 2 -name '*.yaml' ! -name '*.part.yaml' | sort)
[ "$n" -ge 60 ] || fail "only $n faulty studies"

"$program" run "$folder/numbers/patients_zero.yaml" -o "$work/results" >"$work/stdout" 2>"$work/stderr"
[ $? -eq 2 ] || fail "run: not status 2"
[ -e "$work/results" ] && fail "run: wrote results of a faulty study"
"$program" check "$work/no_such_study.yaml" >"$work/stdout" 2>"$work/stderr"
[ $? -eq 3 ] || fail "a study that cannot be read: not status 3"

echo "$n studies, $n_failed failures"
[ "$n_failed" -eq 0 ]
