# shellcheck shell=bash disable=SC2034
# What the scripts of this folder share. Sourced with their arguments: the program, the source directory, an empty
# folder to work in. `finish` ends a script.
set -Eeuo pipefail
# A script does not end in silence.
trap '((BASH_SUBSHELL)) || printf "FAULT: %s line %d: %s\n" "${BASH_SOURCE[0]##*/}" "$LINENO" "$BASH_COMMAND"' ERR
program=$1
configs=$2/configs
work=$3
rm -rf -- "$work"
mkdir -p "$work"
cd "$work"

n_faults=0

# fault TEXT: tells it and goes on.
fault() {
  printf 'FAULT: %s\n' "$1"
  n_faults=$((n_faults + 1))
}

# expect WHAT FOUND WANTED
expect() {
  [[ $2 == "$3" ]] || fault "$1
  expected: $3
  found:    $2"
}

# exits STATUS ARGUMENT...: the program's exit status; its output is left in ./out and ./err.
exits() {
  local wanted=$1 status=0
  shift
  "$program" "$@" >out 2>err || status=$?
  [[ $status == "$wanted" ]] || fault "trialwright $*
  expected exit status $wanted, found $status: $(head -c 400 err)"
}

# tells FILE TEXT: the file holds the text.
tells() {
  grep -qF -- "$2" "$1" || fault "$1 does not tell \"$2\": $(head -c 400 "$1")"
}

# same A B: the same bytes.
same() {
  cmp -- "$1" "$2" || fault "$1 and $2 differ: $(diff -- "$1" "$2" | head -4)"
}

# trials_saved DIRECTORY: how many trials its files tell of; those of the last save may be on their way to the disk still.
trials_saved() {
  { "$program" status "$1" --json 2>/dev/null || true; } | sed -n 's/^ "trials_done": \(.*\),/\1/p'
}

# has_saved DIRECTORY PROCESS: waits until a save is finished, which a second one shows, or the process has ended.
has_saved() {
  local before now n_saves=0
  before=$(trials_saved "$1")
  while ((n_saves < 2)) && kill -0 "$2" 2>/dev/null; do
    sleep 0.02
    now=$(trials_saved "$1")
    ((${now:-0} <= ${before:-0})) || n_saves=$((n_saves + 1))
    before=$now
  done
}

finish() {
  if ((n_faults > 0)); then
    printf '%d faults\n' "$n_faults"
    exit 1
  fi
  echo "all held"
}
