#!/usr/bin/env bash
# status: what is whole, running, stopped and missing, by the program's own shards.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase2.yaml

exits 3 status absent
mkdir empty
exits 3 status empty
exits 2 status

exits 0 submit "$study" -o grid --shards 3 --trials 300
exits 0 status grid
tells out '3 shards: 0 whole, 0 running, 0 stopped, 3 missing'
tells out 'missing: 1-3'
exits 0 run "$study" --trials 300 -o grid --shard 2/3 -q
exits 0 status grid
tells out '1 whole, 0 running, 0 stopped, 2 missing'
tells out 'missing: 1,3'
exits 0 status grid --json
tells out '"is_whole": false'
for shard in 1 3; do exits 0 run "$study" --trials 300 -o grid --shard "$shard/3" -q; done
exits 0 status grid --json
tells out '"is_whole": true'
expect 'trials done' "$(sed -n 's/^ "trials_done": \(.*\),/\1/p' out)" \
  "$(sed -n 's/^ "trials_to_do": \(.*\),/\1/p' out)"
# Shards of fewer trials than the others were asked for go on.
exits 0 run "$study" --trials 400 -o grid --shard 1/3 --resume -q
exits 0 status grid
tells out '1 whole, 0 running, 2 stopped, 0 missing'

# Under way, and after a kill.
"$program" run "$study" --trials 50000000 -o long --shard 1/2 --save-every 0.1 -q >/dev/null 2>&1 &
pid=$!
for ((i = 0; i < 300; i++)); do
  "$program" status long --json >out 2>err || true
  if grep -qE '"trials_done": [1-9]' out; then break; fi
  sleep 0.1
done
tells out '"state": "running"'
grep -qE '^ "seconds_left": [0-9]' out || fault "no time left: $(<out)"
kill -KILL "$pid"
wait "$pid" || true
exits 0 status long
tells out '2 shards: 0 whole, 0 running, 1 stopped, 1 missing'

# A whole study is one shard.
exits 0 run "$study" --trials 300 -o whole -q
exits 0 status whole
tells out '1 shards: 1 whole'
finish
