#!/usr/bin/env bash
# The search for a sample size from outside: a null scenario that still has an answer, harm, a ceiling, Ctrl-C.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase3_power.yaml

# Without an effect on efficacy non-inferiority in adverse events is to be shown, superiority cannot be.
exits 0 size "$study" --scenario null --hypothesis ae_noninferiority -q
tells out '878 patients (439 placebo + 439 hcmsc)'
exits 2 size "$study" --scenario null -q
tells err 'the null hypothesis is true under every scenario asked for'
exits 2 size "$study" --hypothesis ae_noninferiorty -q
tells err 'did you mean "ae_noninferiority"?'

# Treatment that is worse.
exits 0 size "$study" --scenario cautious --set scenarios.cautious.effect=-1 -q
tells out 'the size to show harm, not benefit'
exits 0 size "$study" --scenario reported -q
! grep -q harm out || fault 'a benefit is called harm'

# Drawn truths that never reach the target.
exits 5 size "$configs/assurance.yaml" --trials 500 --power 0.999 --maximum 2000 -q
tells out 'assurance has a ceiling'

# Ctrl-C: what is finished is printed.
cat >two.yaml <<END
schema: 1
extends: $study
scenarios:
  draws: {truth: {draw: calibration_posterior}}
END
status=0
"$program" size two.yaml --power 0.8 --maximum 100000 --trials 100000000 --json >out 2>err &
pid=$!
sleep 3
kill -INT "$pid"
wait "$pid" || status=$?
expect 'exit status after Ctrl-C' "$status" 4
tells err 'interrupted: '
tells out '"interrupted": true'
tells out '"scenario": "cautious"'
! grep -qF '"scenario": "draws"' out || fault 'what was not finished is printed'
finish
