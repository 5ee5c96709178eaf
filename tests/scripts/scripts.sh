#!/usr/bin/env bash
# The ctest `scripts`: what the scripts promise, in a checkout where cmake, ninja, dpkg-query and apt-get are
# stand-ins that keep a record. Arguments: the scripts folder, an empty folder to work in.
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

# ask SCRIPT ARGUMENT...: another script of the checkout; leaves status, out, err, tools as start does.
ask() {
  : >"$record"
  status=0
  out=$(cd "$work/elsewhere" && "../checkout/scripts/$1" "${@:2}" 2>"$work/err") || status=$?
  err=$(<"$work/err")
  tools=$(cut -d ' ' -f 1 "$record" | paste -sd ' ')
}

for script in compare_peers bench_compare shard_efficiency; do
  ask "$script" --help
  expect "$script --help: status" "$status" 0
  expect "$script --help: names itself" "${out%% *}" "scripts/$script"
  expect "$script --help: no tool" "$tools" ""
  option=--rounds
  [[ $script != shard_efficiency ]] || option=--shards
  ask "$script" "$option" many
  expect "$script, what is no number: status" "$status" 1
  expect "$script, what is no number: the message" "$err" "trialwright: $option takes a number, not 'many'"
  ask "$script" --no-such-option
  expect "$script, an unknown option: status" "$status" 1
  expect "$script, an unknown option: no tool" "$tools" ""
done

# A study and a program that stand in for real ones: the merged results are the uncut run's, then not.
cat >"$work/program" <<'EOF'
#!/usr/bin/env bash
for ((i = 0; i < 30000; i++)); do :; done
while (($# > 0)); do
  case $1 in
    merge) directory=$2 answer=${MERGED:-0.80} ;;
    -o) directory=$2 answer=0.80 ;;
  esac
  shift
done
mkdir -p "$directory" && echo "$answer" >"$directory/results.json"
EOF
chmod +x "$work/program"
touch "$work/study.yaml"
ask shard_efficiency --program "$work/program" --shards 3 --at-least 0 "$work/study.yaml"
expect "shard_efficiency: status" "$status" 0
expect "shard_efficiency: tells an efficiency" "$(grep -c 'efficiency by CPU time *[0-9.]*, with merge [0-9.]*$' <<<"$out")" 1
expect "shard_efficiency: compares the bytes" "$(tail -1 <<<"$out")" \
  "the merged results.json is the uncut run's, byte for byte"
MERGED=0.81 ask shard_efficiency --program "$work/program" --shards 3 --at-least 0 "$work/study.yaml"
expect "shard_efficiency, other bytes: status" "$status" 5
expect "shard_efficiency, other bytes: the message" "$err" \
  "trialwright: the merged results.json is not the uncut run's"
ask shard_efficiency --program "$work/program" --shards 3 --at-least 9 "$work/study.yaml"
expect "shard_efficiency, too little: status" "$status" 5
ask shard_efficiency --program /bin/false --shards 3 "$work/study.yaml"
expect "shard_efficiency, a program that fails: status" "$status" 1

# R's interpreter is a stand-in that tells its arguments.
# shellcheck disable=SC2016
stand_in Rscript 'echo "$1|${2##*/}|${3##*/}|$5"'
rm "$work"/checkout/build/release/.packages-*
# shellcheck disable=SC2016
stand_in dpkg-query 'shift 3
for package; do [[ $package == r-* && ! -e $record.peers ]] || echo "ii $package"; done'
# shellcheck disable=SC2016
stand_in apt-get 'echo "apt-get $*" >>"$record"
[[ " $* " != *" -y "* ]] || touch "$record.peers"'
ask compare_peers --rounds 3
expect "compare_peers: installs R and rpact" \
  "$(grep -c -- '-y --no-install-recommends install r-base-core r-cran-mnormt r-cran-rpact$' "$record")" 1
expect "compare_peers: starts R with the program and the rounds" "$out" "--vanilla|compare_peers.R|trialwright|3"

# Two revisions whose programs take the same time; the second answers 0.02 (two standard errors) more.
command -v git >/dev/null || {
  echo "without git, bench_compare is not tested"
  exit $((n_faults > 0))
}
checkout=$work/checkout
in_checkout() { git -C "$checkout" -c user.name=test -c user.email=test@localhost "$@"; }
mkdir -p "$checkout/configs"
touch "$checkout/configs/one.yaml" "$checkout/configs/two.yaml"
echo '/build*/' >"$checkout/.gitignore"
echo 0.80 >"$checkout/answer"
in_checkout init -q -b main
in_checkout add -A
in_checkout commit -q -m one
echo 0.82 >"$checkout/answer"
in_checkout commit -q -am two
# shellcheck disable=SC2016
stand_in ninja 'echo ninja >>"$record"
[[ ! -e $record.broken ]] || { echo "a.cpp:1: error"; exit 1; }
while [[ $1 != -C ]]; do shift; done
mkdir -p "$2/src"
{
  echo "#!/usr/bin/env bash"
  echo "echo run >>\"$record.runs\""
  echo "while [[ \$1 != -o ]]; do shift; done"
  echo "mkdir -p \"\$2\" && printf \"design,metric,estimate,mcse\\nd,power,$(<"$2/../../answer"),0.007071068\\n\" >\"\$2/results.csv\""
  echo "for ((i = 0; i < 20000; i++)); do :; done"
} >"$2/src/trialwright"; chmod +x "$2/src/trialwright"'
# shellcheck disable=SC2016
stand_in dpkg-query 'shift 3; printf "ii %s\n" "$@"'

ask bench_compare --time-only --rounds 2 no-such-revision
expect "bench_compare, an unknown revision: status" "$status" 1
expect "bench_compare, an unknown revision: the message" "$err" \
  "trialwright: 'no-such-revision' is no revision of this checkout"
expect "bench_compare, an unknown revision: no tool" "$tools" ""
ask bench_compare
expect "bench_compare without a revision: status" "$status" 1
touch "$record.broken"
ask bench_compare --time-only HEAD~1
expect "bench_compare, a revision that does not build: status" "$status" 1
rm "$record.broken"
ask bench_compare --time-only --rounds 2 HEAD~1 HEAD
expect "bench_compare: status" "$status" 0
expect "bench_compare: builds both" "$tools" "cmake ninja cmake ninja"
expect "bench_compare: a warm-up and two rounds of two studies in two programs" "$(wc -l <"$record.runs")" 12
expect "bench_compare: a line a study" "$(cut -d ' ' -f 1 <<<"$out" | tail -2 | paste -sd ' ')" "one two"
expect "bench_compare: how far the answers lie apart" \
  "$(grep -o '[0-9]* probabilities.*' <<<"$out" | uniq)" "1 probabilities, largest |z| 2.00"
expect "bench_compare: leaves no worktree" "$(in_checkout worktree list | wc -l)" 1
ask bench_compare --time-only --rounds 1 --study two HEAD~1 HEAD~1
expect "bench_compare, again: builds nothing" "$tools" ""
expect "bench_compare, a program against itself" "$(tail -1 <<<"$out" | grep -o 'the same bytes')" "the same bytes"
ask bench_compare --time-only --study three HEAD
expect "bench_compare, an unknown study: status" "$status" 1
ask bench_compare --clean
expect "bench_compare --clean" "$(ls "$checkout/build")" "release"

((n_faults == 0)) && echo "the scripts keep their promises"
