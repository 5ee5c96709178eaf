#!/usr/bin/env bash
# The Snakemake workflow gives the bytes of a run on one machine, goes on after a failure, and uses what was done
# when more trials are asked for. Arguments: the program, the source directory, an empty folder to work in.
# shellcheck source=tests/cli/support/checks.sh
source "$(dirname "$0")/../cli/support/checks.sh"
# It writes below the home directory and beside itself.
export HOME=$work XDG_CACHE_HOME=$work/cache PYTHONDONTWRITEBYTECODE=1
study=$configs/phase2.yaml

workflow() {
  snakemake -s "$configs/../scripts/snakemake/Snakefile" --cores 2 --nocolor --config "study=$study" \
    "directory=in shards" shards=3 "$@" >log 2>&1
}

# A program that fails in the second of three shards.
cat >failing <<END
#!/bin/sh
case "\$*" in *"--shard 2/3"*) exit 4 ;; esac
exec "$program" "\$@"
END
chmod +x failing
workflow trials=600 trialwright=./failing && fault 'a failed shard was not noticed'
[[ ! -e "in shards/results.json" ]] || fault 'results without the second shard'
workflow trials=600 "trialwright=$program" || fault "the workflow failed: $(tail -n 20 log)"
exits 0 run "$study" --trials 600 -q -o whole
same "in shards/results.json" whole/results.json

workflow trials=1200 "trialwright=$program" || fault "more trials failed: $(tail -n 20 log)"
exits 0 run "$study" --trials 1200 -q -o more
same "in shards/results.json" more/results.json
finish
