#!/usr/bin/env bash
# The calculator that other tools call: its options, its one line of JSON, its values.
source "$(dirname "$0")/support/checks.sh"

# boundaries ARGUMENT…: runs it with --json; the line is left in ./out.
boundaries() {
  exits 0 boundaries "$@" --json
  [[ $(wc -l <out) == 1 ]] || fault "boundaries $*: not one line: $(<out)"
  expect "standard error of boundaries $*" "$(<err)" ''
}

# value KEY [LOOK]: a number of ./out, of a look (from 1) or of the whole.
value() { grep -oE "\"$1\":[^,}]+" out | sed -n "${2:-1}s/.*://p"; }

# near WHAT FOUND WANTED TOLERANCE
near() {
  awk -v a="$2" -v b="$3" -v t="$4" 'BEGIN { d = a - b; exit !(a != "" && a != "null" && d < t && d > -t) }' ||
    fault "$1: $2, not $3"
}

# The information of a design of the reference tables.
fractions() {
  case $1 in
    'K2 equal') echo 0.5,1 ;;
    'K3 equal') echo 0.3333333333333333,0.6666666666666666,1 ;;
    'K4 equal') echo 0.25,0.5,0.75,1 ;;
    'K5 equal') echo 0.2,0.4,0.6,0.8,1 ;;
    *) echo "${1//\//,}" ;;
  esac
}

declare -A families=([OF]=obrien_fleming [P]=pocock [WT]=wang_tsiatis [asOF]=lan_demets_obrien_fleming
  [asP]=lan_demets_pocock [asHSD]=hwang_shih_decani [asKD]=kim_demets)

# Every critical value of tests/reference/gs_boundaries.csv, calculated by other programs.
rows=0
while IFS=, read -r type parameter info _ stage _ _ _ _ _ _ _ _ _ _ _ _ _ _ wanted; do
  if [[ $stage == 1 ]]; then
    arguments=(--alpha 0.025 --information "$(fractions "$info")" --efficacy "${families[$type]}")
    [[ $parameter == NA ]] || arguments+=(--efficacy-parameter "$parameter")
    boundaries "${arguments[@]}"
  fi
  near "$type $parameter $info look $stage" "$(value efficacy_z "$stage")" "$wanted" 1e-9
  rows=$((rows + 1))
done < <(tail -n +2 "$2/tests/reference/gs_boundaries.csv")
expect 'number of rows of efficacy' $rows 157

# And of gs_futility.csv.
rows=0
while IFS=, read -r eff _ binding info _ stage _ upper _ lower _ inflation _ _ null drift _ futility _; do
  if [[ $stage == 1 ]]; then
    arguments=(--alpha 0.025 --information "$(fractions "$info")" --efficacy "${families[${eff% *}]}" --beta 0.1
      --futility hwang_shih_decani --futility-parameter -2)
    [[ $eff == *NA ]] || arguments+=(--efficacy-parameter "${eff#* }")
    [[ $binding == FALSE ]] || arguments+=(--binding)
    boundaries "${arguments[@]}"
    near 'power' "$(value power)" 0.9 1e-9
    # (z_alpha + z_beta)^2 = 10.5074
    near "drift of $eff $info" "$(value drift | awk '{ print $1 * $1 / 10.507415866 }')" "$inflation" 1e-5
  fi
  near "$eff $info upper $stage" "$(value efficacy_z "$stage")" "$upper" 1e-6
  near "$eff $info lower $stage" "$(value futility_z "$stage")" "$lower" 1e-6
  if [[ $null != NA ]]; then
    near "$eff $info P(efficacy | 0) $stage" "$(value p_efficacy_null "$stage")" "$null" 1e-6
    near "$eff $info P(efficacy | drift) $stage" "$(value p_efficacy "$stage")" "$drift" 1e-6
    near "$eff $info P(futility | drift) $stage" "$(value p_futility "$stage")" "$futility" 1e-6
  fi
  rows=$((rows + 1))
done < <(tail -n +2 "$2/tests/reference/gs_futility.csv")
expect 'number of rows of futility' $rows 61

# One look is the fixed design; power under a drift, or the drift for a power.
boundaries --drift 3.2415155
near 'fixed z' "$(value efficacy_z)" 1.959963984540054 1e-12
near 'fixed power' "$(value power)" 0.9 1e-7
expect 'futility of none' "$(value futility_z)" null
boundaries --beta 0.1
near 'fixed drift' "$(value drift)" 3.241515549 1e-8
boundaries --information 0.5,1
expect 'drift of none' "$(value drift)" null
expect 'power of none' "$(value power)" null
# Given as a user or by pieces what a family spends or has.
boundaries --information 0.5,1 --efficacy piecewise --efficacy-spending 0.5:0.5,1:1
near 'linear spending' "$(value efficacy_z 2)" 2.125118798666 1e-9
boundaries --information 0.5,1 --efficacy user --alpha-spent 0.0125,0.025
near 'spending as given' "$(value efficacy_z 2)" 2.125118798666 1e-9
boundaries --information 0.5,1 --efficacy user --efficacy-z 2.178272094376,2.178272094376
near 'alpha of z as given' "$(value alpha_spent 2)" 0.025 1e-11
boundaries --information 0.5,1 --efficacy haybittle_peto
near 'Haybittle-Peto' "$(value efficacy_z 1)" 3 1e-12
near 'Haybittle-Peto' "$(value alpha_spent 2)" 0.025 1e-12

exits 0 boundaries --information 0.5,1 --futility kim_demets --futility-parameter 2
for text in 'inflation factor' 'expected information' 'futility z'; do tells out "$text"; done

while read -r arguments; do
  # shellcheck disable=SC2086 # words of their own
  exits 2 boundaries $arguments --json
  expect "standard output of boundaries $arguments" "$(<out)" ''
  [[ -s err ]] || fault "boundaries $arguments says nothing"
done <<'FAULTY'
--efficacy pocok
--information 0.5,0.5,1
--information 0.75,0.5,1
--information 0,1
--information 50,100
--information 0.5,0.75
--information 0.5,1,1.1
--information 0.5,,1
--information nan,1
--information 0.05,0.1,0.15,0.2,0.25,0.3,0.35,0.4,0.45,0.5,0.55,0.6,0.65,0.7,0.75,0.8,0.85,0.9,0.95,0.99,1
--alpha 0
--alpha 2.5
--alpha 1e400
--efficacy hwang_shih_decani
--efficacy pocock --efficacy-parameter 1
--efficacy kim_demets --efficacy-parameter -1
--efficacy piecewise
--efficacy piecewise --efficacy-spending 0.5
--efficacy piecewise --efficacy-spending 0.5:0.7,0.4:1,1:1
--efficacy piecewise --efficacy-spending 0.5:0.7
--efficacy user
--information 0.5,1 --efficacy user --efficacy-z 2
--information 0.5,1 --efficacy user --efficacy-z 2,2 --alpha-spent 0.01,0.025
--information 0.5,1 --efficacy user --alpha-spent 0.01,0.02
--alpha 0.001 --information 0.5,1 --efficacy haybittle_peto
--futility pocock
--futility hwang_shih_decani
--futility kim_demets --futility-parameter 2 --beta 0
--futility kim_demets --futility-parameter 2 --drift 3
--futility-parameter -2
--beta-spent 0.1
--binding
--drift 3 --beta 0.1
--drift inf
FAULTY
finish
