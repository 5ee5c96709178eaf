#!/usr/bin/env bash
# simulation.engine from outside: what is used and why is told, and what cannot be drawn as counts is refused.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase3_power.yaml
counts='counts drawn from their exact joint law'
linked=(--set designs.fixed.primary=nrs4_superiority)

# points ENGINE FILE: how many points of results.json have this engine.
points() { grep -c "\"engine\": \"$1\"" "$2" || true; }

exits 0 list engines
for name in auto patients counts; do tells out "  $name "; done

exits 0 run "$study" --trials 200 -o drawn -q
tells out "Note: $counts"
expect 'points drawn as counts' "$(points counts drawn/results.json)" 18
tells drawn/resolved.yaml 'engine: auto'
! grep -q engine drawn/manifest.json || fault 'the manifest tells the engine'
exits 0 run "$study" --trials 200 -o asked -q --set simulation.engine=counts
tail -n +2 drawn/results.csv >drawn.csv
tail -n +2 asked/results.csv >asked.csv
same drawn.csv asked.csv

exits 0 run "$study" --trials 200 -o made -q --set simulation.engine=patients
tells out 'patients simulated: simulation.engine says so'
expect 'points simulated patient by patient' "$(points patients made/results.json)" 18
! cmp -s drawn/results.csv made/results.csv || fault 'both engines give the same numbers'
exits 3 run "$study" --trials 200 -o made -q
tells err 'another study'

exits 0 run "$study" "${linked[@]}" --trials 200 -o linked -q
tells out 'patients simulated: '
expect 'points simulated for a following measure' "$(points patients linked/results.json)" 18

for command in 'run -q -o none' check 'size -q'; do
  read -ra words <<<"$command"
  exits 2 "${words[0]}" "$study" "${words[@]:1}" "${linked[@]}" --set simulation.engine=counts --trials 200
  expect "standard output of a refused $command" "$(<out)" ''
  tells err 'simulation.engine=counts: error: design "fixed" under scenario "reported" cannot be drawn as counts'
done
[[ ! -e none ]] || fault 'a refused run left a results directory'

exits 0 check "$study"
tells out "# fixed: $counts"
exits 0 check "$study" "${linked[@]}"
tells out '# fixed: patients simulated: '
exits 0 check "$study" --json
tells out '"engine": "counts"'

exits 0 replay "$study" --design fixed --scenario reported --trial 3 -o replayed
tells err 'draws trial 3 as counts'
tells err 'engine: patients'
exits 0 replay "$study" --design fixed --scenario reported --trial 3 -o again --set simulation.engine=patients
expect 'standard error of a replay of patients' "$(<err)" ''
same replayed/patients.csv again/patients.csv
finish
