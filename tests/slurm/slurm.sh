#!/usr/bin/env bash
# A real Slurm of two nodes on this machine: an array of 16 shards and its merge give the bytes of one whole run; so
# they do after tasks are cancelled, killed, requeued, stopped before their time limit and lost with their node.
# Arguments: the program, the source directory, an empty folder to work in. Skipped (77) where Slurm is not
# installed, unless TRIALWRIGHT_NEEDS_SLURM is set.
# shellcheck source=tests/cli/support/checks.sh
source "$(dirname "$0")/../cli/support/checks.sh"
for tool in sbatch slurmctld slurmd munged; do
  if ! PATH=$PATH:/usr/sbin:/sbin command -v "$tool" >/dev/null; then
    echo "$tool is not installed: no test with Slurm"
    [[ -n ${TRIALWRIGHT_NEEDS_SLURM-} ]] && exit 1
    exit 77
  fi
done
root=$2
# Slurm's sockets are in it, and their paths must be short.
cluster=$(mktemp -d /tmp/tw-slurm.XXXXXX)
cluster() { "$root/scripts/slurm_cluster" "$1" "$cluster" "${@:2}"; }
trap 'cluster down; rm -rf -- "$cluster"' EXIT
trap 'exit 130' INT TERM
now() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

cat >study.yaml <<END
schema: 1
extends: $configs/library/hcmsc.yaml
designs:
  fixed: {kind: fixed, arms: {placebo: 1, hcmsc: 1}, patients: 200, primary: easi50_superiority}
scenarios: {null: {effect: 0}, reported: {effect: 1}}
sweep: {designs.fixed.patients: [100, 200]}
simulation: {trials: 3000, seed: 20261123, engine: patients, truth_patients: 4096}
END
# Saves so often that a task can be met with something saved and something left.
cat >saving <<END
#!/bin/bash
if [[ \$1 == run ]]; then exec "$program" "\$@" --save-every 0.1; fi
exec "$program" "\$@"
END
chmod +x saving
printf 'TRIALWRIGHT=%q\n' "$work/saving" >site

# poll WHAT COMMAND...: until it holds; ends the test where it does not within 5 minutes.
poll() {
  local what=$1 deadline=$((SECONDS + 300))
  shift
  until "$@"; do
    if ((SECONDS >= deadline)); then
      squeue -r || true
      tail -n 40 -- "$cluster"/slurmctld.log || true
      tail -n 5 -- "$cluster"/slurmd*.log limited/submit/logs/* disturbed/submit/logs/* 2>/dev/null || true
      fault "not within 5 minutes: $what"
      finish
    fi
    sleep 0.2
  done
}
# told KEY: of submit's --json in ./out.
told() { sed -n "s/^ \"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" out; }
# state JOB[_TASK]: as Slurm says; "" where it is over.
state() { squeue -h -r -j "$1" -o %T 2>/dev/null || true; }
is_over() { [[ -z $(state "$1") || $(state "$1") == COMPLETING ]]; }
# A requeued task waits two minutes unless it is told not to. Two things keep it from being started at once: what its
# first start still has to say would be taken for the end of its second, so that start's slurmstepd must be gone; and
# a node refuses a job whose credential it has revoked within the same second, so seconds must pass.
declare -A released=()
release() {
  local task job reason start
  while read -r task job reason; do
    [[ $reason == BeginTime ]] || continue
    start=$task.$(restarts "$task")
    [[ -z ${released[$start]-} ]] || continue
    ! grep -qs "^slurmstepd: \[$job[.]batch\]" /proc/[0-9]*/cmdline || continue
    if scontrol update "job=$task" StartTime=now+4seconds; then released[$start]=yes; fi
  done < <(squeue -h -r -t PENDING -o '%i %A %r')
}
is_over_by_releasing() {
  release
  is_over "$1"
}
# has_saved DIRECTORY TASK: something of it is on the disk, and a process is at work on it.
has_saved() { [[ -e $1/shards/$2-of-$3.journal && -s $1/shards/$2-of-$3.lock ]]; }
restarts() { scontrol -o show job "$1" | grep -o 'Restarts=[0-9]*' | head -n 1; }
# Requeued: it waits, or it runs again.
is_restarted() {
  release
  [[ $(restarts "$1") =~ =[1-9] ]]
}

cluster up
eval "$(cluster env)"
now "the cluster is up"

# A task that is too long for its time limit, while everything else goes on, on the node that stays.
{ cat site && echo '#SBATCH --nodelist=n1'; } >site_n1
exits 0 submit study.yaml -o limited --shards 1 --trials 1000000000 --time 1 --template site_n1 --go --json
limited=$(told array_job)
limited_merge=$(told merge_job)

exits 0 run study.yaml -q -o whole
exits 0 submit study.yaml -o 'an array' --shards 16 --template site --go --json
poll 'the merge of an array' is_over "$(told merge_job)"
same 'an array/results.json' whole/results.json
exits 0 status 'an array'
tells out '16 shards: 16 whole'
now "an array of 16 shards and its merge"

trials=2000000
exits 0 submit study.yaml -o disturbed --shards 16 --trials "$trials" --template site --go --json
array=$(told array_job)
merge=$(told merge_job)
poll 'task 1 saves' has_saved disturbed 1 16
scancel "${array}_1"
poll 'task 2 saves' has_saved disturbed 2 16
kill -KILL "$(cut -d ' ' -f 2 disturbed/shards/2-of-16.lock)"
poll 'task 3 saves' has_saved disturbed 3 16
scontrol requeue "${array}_3"
poll 'task 4 saves' has_saved disturbed 4 16
# scancel tries again and again where the task is requeued before it has its answer.
timeout 5 scancel --batch --signal=USR1 "$(squeue -h -j "${array}_4" -o %A)" || true
# Other tasks of the second node; of those the youngest has the most left, and is held still until the node is lost.
on_n2() { squeue -h -r -j "$array" -w n2 -t RUNNING -o %K | grep -vx '[1-4]' | sort -n; }
saves_on_n2() {
  local youngest
  met=$(on_n2) || return 1
  youngest=$(tail -n 1 <<<"$met")
  has_saved disturbed "$youngest" 16 &&
    kill -STOP "$(cut -d ' ' -f 2 "disturbed/shards/$youngest-of-16.lock")" 2>/dev/null &&
    [[ ! -e disturbed/shards/$youngest-of-16.shard ]]
}
met=
poll 'a task on node n2 saves' saves_on_n2
cluster crash n2
lost=
for task in $met; do [[ -e disturbed/shards/$task-of-16.shard ]] || lost+=" $task"; done
[[ -n $lost ]] || fault 'every task on node n2 had ended when it was lost'
now "a task is cancelled, one killed, one requeued, one told of its time limit, and$lost lost with their node"
# While Slurm finds out.
"$program" run study.yaml --trials "$trials" -q -o long >/dev/null &
long=$!
poll 'the requeued task restarts' is_restarted "${array}_3"
poll 'the task told of its time limit restarts' is_restarted "${array}_4"
for task in $lost; do poll "the loss of task $task is noticed" is_restarted "${array}_$task"; done
cluster boot n2
now "what was disturbed starts again"
poll 'the merge of the disturbed array' is_over_by_releasing "$merge"
log=disturbed/submit/logs/merge-$merge.log
poll 'the merge tells its end' grep -q -- --array= "$log"
[[ ! -e disturbed/results.json ]] || fault 'results without the missing shards'
command=$(grep -o "sbatch --array=.*" "$log" | head -n 1)
# A task that Slurm starts on n2 just when that comes back may be taken for one of those lost, and killed for good.
unmade=
for task in {1..16}; do [[ -e disturbed/shards/$task-of-16.shard ]] || unmade+=" $task"; done
named=
IFS=', ' read -ra ranges < <(sed 's/.*--array=\([^ ]*\).*/\1/' <<<"$command")
for range in "${ranges[@]}"; do
  for ((task = ${range%-*}; task <= ${range#*-}; task++)); do named+=" $task"; done
done
expect 'the shards that are asked for' "$named" "$unmade"
[[ $unmade == ' 1 2'* ]] || fault "tasks 1 and 2 were cancelled and killed, but missing are only$unmade"
[[ $command == "sbatch --array="*" $work/disturbed/submit/array.sh" ]] || fault "the command is $command"
exits 5 merge disturbed
tells err "$command"
for task in 1 2; do
  [[ -e disturbed/shards/$task-of-16.journal ]] || fault "what task $task had saved is gone"
done
now "the missing shards are told"

again=$(eval "${command/sbatch/sbatch --parsable}")
poll 'the missing shards' is_over "$again"
exits 0 merge disturbed
wait "$long" || fault 'the long run on one machine failed'
same disturbed/results.json long/results.json
exits 0 status disturbed
tells out '16 shards: 16 whole'
now "the disturbed array gives the same bytes"

# Slurm looks at time limits every 30 seconds.
poll 'the time limit' is_restarted "${limited}_1"
done_before=$("$program" status limited --json | sed -n 's/^ "trials_done": \(.*\),/\1/p')
((done_before > 0)) || fault 'nothing was saved before the time limit'
goes_on() {
  release
  (($("$program" status limited --json | sed -n 's/^ "trials_done": \(.*\),/\1/p') > done_before))
}
poll 'the task goes on after its time limit' goes_on
scancel "$limited"
poll 'the cancelled task ends' is_over "${limited}_1"
scancel "$limited_merge"
expect 'what scancel leaves in the queue' "$(squeue -h | grep -vc ' CG ')" 0
now "a task went on after its time limit, and ended when it was cancelled"
finish
