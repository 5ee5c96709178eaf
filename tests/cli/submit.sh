#!/usr/bin/env bash
# submit: what it writes, what it asks of Slurm (a stand-in that keeps a record), and what it refuses.
source "$(dirname "$0")/support/checks.sh"
study=$configs/phase2.yaml
mkdir -p tools none
# shellcheck disable=SC2016 # the stand-ins expand these
{
  printf '#!/bin/bash\nprintf "%%s|" "$PWD" "$@" >>"$RECORD"; echo >>"$RECORD"\n' >tools/sbatch
  printf 'n=$(wc -l <"$RECORD"); [[ -z ${BROKEN-} ]] || { echo "sbatch: error: no such partition" >&2; exit 1; }\necho "$((40 + n));cluster"\n' >>tools/sbatch
}
chmod +x tools/sbatch
export RECORD=$work/record
: >record

# Nothing is queued without --go.
PATH=$work/tools:$PATH exits 0 submit "$study" -o "a study" --shards 12 --trials 300 --seed 7 --set title=Try
tells out 'in 12 shards'
tells out "submit.sh'"
expect 'queued without --go' "$(wc -l <record)" 0
for file in phase2.yaml array.sh merge.sh submit.sh logs; do
  [[ -e "a study/submit/$file" ]] || fault "submit/$file is missing"
done
for file in array merge submit; do
  bash -n "a study/submit/$file.sh" || fault "submit/$file.sh is no shell script"
  [[ -x "a study/submit/$file.sh" ]] || fault "submit/$file.sh cannot be executed"
done
tells "a study/submit/phase2.yaml" 'trials: 300'
tells "a study/submit/phase2.yaml" 'seed: 7'
for line in '--array=1-12' '--requeue' '--cpus-per-task=1' '--signal=B:USR1@90' '--open-mode=append'; do
  grep -qxF -- "#SBATCH $line" "a study/submit/array.sh" || fault "array.sh lacks $line"
done
tells "a study/submit/array.sh" "#SBATCH --chdir=\"$work/a study/submit\""
tells "a study/submit/merge.sh" 'attempts=1'

# Everything asked for, and a site's template.
cat >site <<'END'
#!/bin/bash
#SBATCH --account=trials
module load apptainer
TRIALWRIGHT="apptainer exec tw.sif trialwright"
END
PATH=$work/tools:$PATH exits 0 submit "$study" -o full --shards 40 --trials 300 --cpus-per-task 4 --time 1-00:30:00 \
  --memory 2G --partition long --max-running 10 --no-requeue --attempts 3 --template site --go --json
tells out '"array_job": "41"'
tells out '"merge_job": "42"'
for line in '--array=1-40%10' '--no-requeue' '--cpus-per-task=4' '--time=1-00:30:00' '--mem=2G' '--partition=long' \
  '--account=trials'; do
  grep -qxF -- "#SBATCH $line" full/submit/array.sh || fault "array.sh lacks $line"
done
# What stands after the first command is no option to Slurm.
expect 'options after commands' "$(sed '1,/^[^#]/d' full/submit/array.sh | grep -c '^#SBATCH')" 0
expect 'a requeue by itself' "$(grep -c 'scontrol requeue' full/submit/array.sh)" 0
expect 'the template comes after the default' \
  "$(grep -n '^TRIALWRIGHT=' full/submit/array.sh | tail -1 | cut -d : -f 2-)" 'TRIALWRIGHT="apptainer exec tw.sif trialwright"'
tells full/submit/merge.sh 'attempts=3'
tells full/submit/merge.sh '#SBATCH --account=trials'
expect 'sbatch for the array' "$(sed -n 1p record)" "$work/full/submit|--parsable|--array=1-40%10|array.sh|"
expect 'sbatch for the merge' "$(sed -n 2p record)" "$work/full/submit|--parsable|--dependency=afterany:41|merge.sh|1|1|"

# A task of the array, played without Slurm: the shard is made, and the second time there is nothing left to do.
exits 0 submit "$study" -o played --shards 2 --trials 300
for task in 1 2; do
  SLURM_ARRAY_TASK_ID=$task SLURM_ARRAY_JOB_ID=9 bash played/submit/array.sh || fault "task $task failed"
done
bash played/submit/merge.sh >out 2>err || fault "the merge failed: $(<err)"
exits 0 run "$study" --trials 300 -q -o whole
same played/results.json whole/results.json
# Without its second shard the merge job asks for it again while it has attempts left.
exits 0 submit "$study" -o lacking --shards 2 --trials 300 --attempts 2
SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_JOB_ID=9 bash lacking/submit/array.sh || fault 'task 1 failed'
: >record
PATH=$work/tools:$PATH bash lacking/submit/merge.sh >out 2>err || fault "the merge failed: $(<err)"
expect 'the missing shard is queued again' "$(sed -n 1p record)" "$work/lacking/submit|--parsable|--array=2|array.sh|"
expect 'and another merge' "$(sed -n 2p record | cut -d '|' -f 4-)" 'merge.sh|1|2|'
status=0
PATH=$work/tools:$PATH bash lacking/submit/merge.sh 1 2 >out 2>err || status=$?
expect 'status after the last attempt' "$status" 5
tells err "sbatch --array=2 $work/lacking/submit/array.sh"

# Refused before anything is written or queued.
: >record
exits 2 submit "$study" --shards 4
exits 2 submit "$study" -o no
for name in "no 'quotes'" 'no 10%'; do exits 2 submit "$study" -o "$name" --shards 4; done
for fault in '--shards 0' '--shards x' '--shards 4 --time 0' '--shards 4 --time 1:2:3:4' '--shards 4 --memory 2X' \
  '--shards 4 --cpus-per-task 0' '--shards 4 --max-running 0' '--shards 4 --attempts 0' \
  '--shards 4 --set designs.efficacy.patients=-1'; do
  # shellcheck disable=SC2086 # words
  PATH=$work/tools:$PATH exits 2 submit "$study" -o no $fault --go
done
exits 3 submit "$study" -o no --shards 4 --template absent
[[ ! -e no ]] || fault 'a refused submit has made its directory'
exits 3 submit "$study" -o whole --shards 4 --set designs.efficacy.patients=90
tells err 'whole'
[[ ! -e whole/submit ]] || fault "scripts in another study's directory"
expect 'queued by a refused submit' "$(wc -l <record)" 0

# Without sbatch, and with one that fails.
PATH=$work/none exits 3 submit "$study" -o without --shards 4 --trials 300 --go
tells err 'sbatch is not in the PATH'
BROKEN=1 PATH=$work/tools:$PATH exits 3 submit "$study" -o broken --shards 4 --trials 300 --go
tells err 'no such partition'
finish
