#!/usr/bin/env bash
# The ctest `scripts`: what scripts/trialwright promises, in a checkout where cmake, ninja, dpkg-query and apt-get
# are stand-ins that keep a record. Arguments: the scripts folder, an empty folder to work in.
set -euo pipefail
scripts=$1
work=$2
rm -rf -- "$work"
mkdir -p "$work"/{checkout/src,checkout/include,tools,elsewhere}
cp -r -- "$scripts" "$work/checkout/scripts"
touch "$work"/checkout/CMakeLists.txt "$work"/checkout/src/{a,b}.cpp
record=$work/record
export record

stand_in() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$work/tools/$1"
  chmod +x "$work/tools/$1"
}
# shellcheck disable=SC2016 # the stand-ins expand these
{
  stand_in cmake 'echo cmake >>"$record"
while [[ $1 != -B ]]; do shift; done
mkdir -p "$2" && touch "$2/build.ninja" && echo "CMAKE_CACHEFILE_DIR:INTERNAL=$2" >"$2/CMakeCache.txt"'
  stand_in ninja 'echo ninja >>"$record"
[[ ! -e $record.broken ]] || { echo "a.cpp:1: error"; exit 1; }
while [[ $1 != -C ]]; do shift; done
mkdir -p "$2/src"
printf "#!/bin/sh\necho \"\$PWD|\$*\"; exit 4\n" >"$2/src/trialwright"; chmod +x "$2/src/trialwright"'
  stand_in dpkg-query 'shift 3
for package; do [[ $package == g++ && ! -e $record.installed ]] || echo "ii $package"; done'
  stand_in apt-get 'echo "apt-get $*" >>"$record"
[[ " $* " != *" -y "* ]] || touch "$record.installed"'
  stand_in sudo '[[ $1 == -n || $1 == -v ]] || exec "$@"'
}
export PATH=$work/tools:$PATH

n_faults=0
expect() {
  if [[ $2 != "$3" ]]; then
    printf '%s\n  expected: %s\n  found:    %s\n' "$1" "$3" "$2"
    n_faults=$((n_faults + 1))
  fi
}
# start ARGUMENT...: runs the program by the script; leaves status, out, err and what the tools were asked to do.
start() {
  : >"$record"
  status=0
  out=$(cd "$work/elsewhere" && ../checkout/scripts/trialwright "$@" 2>"$work/err") || status=$?
  err=$(<"$work/err")
  # Two names joined say which tools ran; apt-get's arguments are looked at apart.
  tools=$(cut -d ' ' -f 1 "$record" | paste -sd ' ')
}

start run study.yaml "two words"
expect "first start: program's output" "$out" "$work/elsewhere|run study.yaml two words"
expect "first start: program's status" "$status" 4
expect "first start: installs, configures, builds" "$tools" "apt-get apt-get apt-get cmake ninja"
expect "first start: installs what is missing only" "$(grep -c -- '-y --no-install-recommends install g++$' "$record")" 1
start run
expect "second start: no tool" "$tools" ""
expect "second start: silent" "$err" ""
expect "second start: program's status" "$status" 4

sleep 0.02
touch "$work/checkout/src/a.cpp"
start run
expect "a changed source: builds" "$tools" "ninja"
sleep 0.02
rm "$work/checkout/src/b.cpp"
start run
expect "a removed source: builds" "$tools" "ninja"
rm "$work/checkout/build/release/src/trialwright"
start run
expect "a removed program: builds" "$tools" "ninja"

sleep 0.02
touch "$work/checkout/src/a.cpp" "$record.broken"
start run
expect "a failed build: status" "$status" 1
expect "a failed build: nothing on stdout" "$out" ""
expect "a failed build: the compiler's words" "$(grep -c 'a.cpp:1: error' "$work/err")" 1
rm "$record.broken"
start run
expect "after a failed build: builds" "$tools" "ninja"

# As a checkout copied with its build folder finds itself.
sed -i "s|=.*|=/elsewhere/build/release|" "$work/checkout/build/release/CMakeCache.txt"
echo /elsewhere >"$work/checkout/build/release/.built-program"
start run
expect "a copied checkout: configures anew" "$tools" "cmake ninja"

((n_faults == 0)) && echo "the scripts keep their promises"
