#!/usr/bin/env bash
# 200 deaths of a run that saves what is finished, at random moments and in the midst of its writes, resumed each time:
# the same bytes at the end.
source "$(dirname "$0")/support/checks.sh"
"${CXX:-c++}" -std=c++20 -shared -fPIC -o faults.so "$2/tests/support/fault_injection.cpp" -ldl
export ASAN_OPTIONS=verify_asan_link_order=0
study=$configs/phase2.yaml
settings=(--set simulation.engine=patients --set simulation.truth_patients=20000)
n_kills=200
status=0
RANDOM=20261123

# start DIRECTORY SEED TRIALS [FAULT=...]: a run that saves as often as it may, in the background, on 1 to 3 threads.
start() {
  env "${@:4}" "$program" run "$study" "${settings[@]}" --seed "$2" --trials "$3" -o "$1" --resume \
    --save-every 0 --threads $((1 + RANDOM % 3)) -q >>out 2>>err &
  pid=$!
}

# ended: waits for the run, without the shell's remark on its death; its exit status is in $status.
ended() {
  status=0
  { wait "$pid" || status=$?; } 2>/dev/null
}

# Milliseconds from a start to the first save: moments to kill at are spread around it.
begin=${EPOCHREALTIME/./}
start first 1 1000000
until [[ -s first/shards/1-of-1.journal ]] || ! kill -0 "$pid" 2>/dev/null; do sleep 0.005; done
to_first_save=$(((${EPOCHREALTIME/./} - begin) / 1000))
kill -KILL "$pid"
ended
[[ -s first/shards/1-of-1.journal ]] || fault 'no journal was written'
echo "first save after $to_first_save ms"

n_alive=0 n_stopped=0 n_before_save=0 n_after_save=0 n_torn=0 n_finished=0 n_same=0

# check_finished DIRECTORY SEED TRIALS: the same bytes as a run that nobody disturbed.
check_finished() {
  "$program" run "$study" "${settings[@]}" --seed "$2" --trials "$3" -o undisturbed -q >out 2>err ||
    fault "the undisturbed run of seed $2 fails: $(head -c 400 err)"
  for file in results.json results.csv resolved.yaml; do same "$1/$file" "undisturbed/$file"; done
  [[ ! -e $1/shards/1-of-1.journal ]] || fault "a journal stands after the end of seed $2"
  compgen -G "$1/shards/*.partial" >/dev/null && fault "a partial file stands after the end of seed $2"
  compgen -G "$1/shards/*.torn-*" >/dev/null && n_torn=$((n_torn + $(find "$1/shards" -name "*.torn-*" | wc -l)))
  n_same=$((n_same + 1))
  rm -rf "$1" undisturbed
}

# aim: the moments to kill at come earlier or later, so that a third of the kills are before a save however busy the
# machine becomes.
aim() {
  if ((3 * n_before_save < n_before_save + n_after_save)); then most=$((most * 4 / 5 + 1)); else most=$((most * 5 / 4)); fi
  ((most < 5000)) || most=5000
}

# torture KILLS TRIALS: that many deaths, at moments up to `most` milliseconds after the start. Where a run comes to its
# end, the next seed begins.
torture() {
  local until_kill=$1 seed=1 trials=$2 killed=0
  while ((killed < until_kill)); do
    local dir=tortured_$trials signal=KILL
    ((RANDOM % 5 == 0)) && signal=TERM
    local before has_saved=0
    before=$(stat -c %s "$dir/shards/1-of-1.journal" 2>/dev/null || echo 0)
    local faults=() delay
    delay=$((1 + RANDOM * most / 32768))
    delay=$(printf '%d.%03d' $((delay / 1000)) $((delay % 1000)))
    if ((RANDOM % 4 == 0)); then
      faults=(LD_PRELOAD="$work/faults.so" FAULT_PATH=/shards/ FAULT_KILL_AFTER=$((RANDOM)))
    fi
    start "$dir" $seed "$trials" "${faults[@]}"
    if ((${#faults[@]})); then
      for _ in {1..50}; do
        { kill -0 "$pid" || break; } 2>/dev/null
        { sleep 0.01; } 2>/dev/null
      done
    else
      sleep "$delay"
    fi
    [[ $(stat -c %s "$dir/shards/1-of-1.journal" 2>/dev/null || echo 0) == "$before" ]] || has_saved=1
    kill -"$signal" "$pid" 2>/dev/null || true
    ended
    case $status in
    0)
      n_finished=$((n_finished + 1))
      check_finished "$dir" $seed "$trials"
      seed=$((seed + 1))
      continue
      ;;
    4) n_stopped=$((n_stopped + 1)) ;;
    137 | 143) n_alive=$((n_alive + 1)) ;;
    *) fault "exit status $status after SIG$signal: $(tail -c 400 err)" ;;
    esac
    if ((has_saved)); then n_after_save=$((n_after_save + 1)); else n_before_save=$((n_before_save + 1)); fi
    ((trials < 1000)) || aim # short runs come to their end instead
    killed=$((killed + 1))
  done
  start "$dir" $seed "$trials"
  wait "$pid" || fault "the last run of seed $seed fails: $(tail -c 400 err)"
  check_finished "$dir" $seed "$trials"
}

most=$((3 * to_first_save))
torture $((n_kills * 7 / 10)) 150000 # in the midst
most=$((most / 2))
torture $((n_kills * 3 / 10)) 500 # at the beginning, and at the end
echo "$n_alive killed, $n_stopped stopped, $n_before_save of them before a save and $n_after_save after one;" \
  "$n_finished came to their end in between, $n_same ends compared, $n_torn torn tails"
expect 'kills' $((n_alive + n_stopped)) $n_kills
((n_after_save >= n_kills / 10)) || fault "only $n_after_save kills came after a save"
((n_before_save >= n_kills / 10)) || fault "only $n_before_save kills came before a save"
finish
