#!/usr/bin/env bash
# Every command tells its options; list tells what a study can name.
source "$(dirname "$0")/support/checks.sh"

declare -A options=(
  [run]='CONFIG --set --trials --seed --threads --json --quiet --output --shard --resume --save-every'
  [merge]='DIR --output --partial --trials --threads --json --quiet --array=3,17-20'
  [submit]='CONFIG --set --trials --seed --output --shards --go'
  [status]='DIR --json'
  [check]='CONFIG --set --trials --seed'
  [calibrate]='CONFIG --set --seed --threads --json --quiet --output'
  [size]='CONFIG --set --trials --seed --threads --json --quiet --power --design --scenario'
  [replay]='CONFIG --set --seed --design --scenario --trial --output'
  [exact]='--test --n --p --alpha --two-sided --json'
  [boundaries]='--alpha --information --efficacy --efficacy-parameter --efficacy-spending --efficacy-z --alpha-spent --futility --futility-parameter --futility-spending --beta-spent --binding --beta --drift --json'
  [list]='KIND'
)
exits 0 --help
tells out 'Exit status'
for command in "${!options[@]}"; do
  exits 0 --help
  grep -qE "^ +$command " out || fault "trialwright --help does not name $command"
  exits 0 "$command" --help
  for option in ${options[$command]}; do tells out "$option"; done
done
exits 0 --help
for command in $(sed -n '/^Subcommands:/,/^$/s/^  \([a-z]*\) .*/\1/p' out); do
  [[ -n ${options[$command]:-} ]] || fault "no options of $command are tested"
done

exits 0 --version
grep -qE '^trialwright [0-9]+\.[0-9]+\.[0-9]+$' out || fault "--version prints $(<out)"
exits 0 list
for name in chi_square boschloo kumaraswamy composite permuted_block responder counts; do tells out "$name"; done
exits 0 list analyses
tells out 'fisher_midp'
! grep -q permuted_block out || fault 'list analyses lists the randomisation methods'
finish
