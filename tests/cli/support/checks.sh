# shellcheck shell=bash disable=SC2034
# What the scripts of this folder share. Sourced with their arguments: the program, the source directory, an empty
# folder to work in. `finish` ends a script.
set -euo pipefail
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

# has_saved FILE N PROCESS: waits until a journal has been written to N times, or the process has ended.
has_saved() {
  local size=0 before=0 n=0
  while ((n < $2)) && kill -0 "$3" 2>/dev/null; do
    size=$(stat -c %s "$1" 2>/dev/null || echo 0)
    ((size > before)) && n=$((n + 1))
    before=$size
    sleep 0.02
  done
}

finish() {
  if ((n_faults > 0)); then
    printf '%d faults\n' "$n_faults"
    exit 1
  fi
  echo "all held"
}
