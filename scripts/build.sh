# What the scripts beside this file share: installing Debian packages and building, each only where needed.
# Sourced, never run. Everything it says goes to stderr.

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
build_dir=$root/build/release
program=$build_dir/src/trialwright

say() { printf 'trialwright: %s\n' "$*" >&2; }
fail() {
  say "$@"
  exit 1
}

# run_quietly COMMAND...: its output is shown only where it fails.
run_quietly() {
  local log=$build_dir/.log status=0
  "$@" </dev/null >"$log" 2>&1 || status=$?
  ((status == 0)) || cat -- "$log" >&2
  return "$status"
}

# packages_missing GROUP...: the packages of the groups that are not installed, one a line.
packages_missing() {
  local wanted installed
  wanted=$(grep -E "^($(IFS='|' && printf '%s' "$*")) " "$root/scripts/packages.txt" | cut -d ' ' -f 2)
  # shellcheck disable=SC2086 # a word a package
  installed=$(dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' $wanted 2>/dev/null |
    sed -n 's/^ii *//p') || true
  grep -vxF -f <(printf '%s\n' "$installed") <<<"$wanted" || true
}

# install_packages PACKAGE...: with root's rights, or sudo's.
install_packages() {
  local -a as_root=()
  if ((EUID != 0)); then
    as_root=(sudo)
    command -v sudo >/dev/null || as_root=()
    # Without a terminal nobody can type a password.
    if ((${#as_root[@]} > 0)) && ! sudo -n true 2>/dev/null && [[ ! -t 0 || ! -t 2 ]]; then
      as_root=()
    fi
    ((${#as_root[@]} > 0)) || fail "these Debian packages are missing; as root, run:
  apt-get update && apt-get install --no-install-recommends $*"
  fi
  local -a apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0)
  say "installing Debian packages: $*"
  ((${#as_root[@]} == 0)) || sudo -v
  # A failed update is told only where it matters: where the packages cannot be had.
  run_quietly "${apt[@]}" update || say "apt-get update failed; trying with the package lists at hand"
  local removed
  removed=$(apt-get -s --no-install-recommends install "$@" 2>/dev/null | sed -n 's/^Remv \([^ ]*\).*/\1/p')
  [[ -z $removed ]] || say "they replace: ${removed//$'\n'/ }"
  run_quietly "${apt[@]}" -y --no-install-recommends install "$@" ||
    fail "apt-get could not install the packages above"
}

# have_packages GROUP...: whether the groups are installed; asks dpkg only after its records or the list changed.
have_packages() {
  local stamp=$build_dir/.packages-${*: -1}
  if [[ $stamp -nt /var/lib/dpkg/status && $stamp -nt $root/scripts/packages.txt ]] ||
    ! command -v dpkg-query >/dev/null; then
    return 0
  fi
  [[ -z $(packages_missing "$@") ]] || return 1
  touch -- "$stamp" 2>/dev/null || true
}

# built NAME SOURCE...: whether the build called NAME is newer than the sources. The stamp holds the checkout's
# path, since a copied build folder still builds the tree it was copied from.
built() {
  local stamp=$build_dir/.built-$1
  shift
  [[ -e $stamp && $(<"$stamp") == "$root" ]] &&
    [[ -z $(cd -- "$root" && find "$@" -newer "$stamp" -print -quit) ]]
}

# build NAMES GROUPS TARGET OPTION... -- SOURCE...: installs the package groups, configures with the options and
# builds the target, each only where it is still needed once no other process is building this checkout. The first
# name is this build's; the others are of builds that it contains.
build() {
  local target=$3 name
  local -a names groups options=()
  read -ra names <<<"$1"
  read -ra groups <<<"$2"
  shift 3
  while [[ $1 != -- ]]; do
    options+=("$1")
    shift
  done
  shift
  mkdir -p -- "$build_dir"
  exec 9>"$build_dir/.lock"
  flock -n 9 || {
    say "waiting for another build of this checkout"
    flock 9
  }
  # shellcheck disable=SC2046 # a word a package
  have_packages "${groups[@]}" || install_packages $(packages_missing "${groups[@]}")
  if ! built "${names[0]}" "$@"; then
    printf '%s\n' "$root" >"$build_dir/.building"
    configure "${options[@]}"
    compile "$target"
    for name in "${names[@]}"; do
      cp -f --preserve=timestamps -- "$build_dir/.building" "$build_dir/.built-$name"
    done
  fi
  exec 9>&-
}

# configure OPTION...: only where the build folder is new, was copied or moved, or lacks an option.
configure() {
  local cache=$build_dir/CMakeCache.txt option same=1
  if [[ -e $build_dir/build.ninja ]] && grep -qxF "CMAKE_CACHEFILE_DIR:INTERNAL=$build_dir" "$cache"; then
    for option in "$@"; do
      grep -qxF -- "${option#-D}" "$cache" || same=0
    done
    ((same == 0)) || return 0
  else
    # The tests need packages that running does not; scripts/test switches them on.
    set -- --fresh -DTRIALWRIGHT_BUILD_TESTS:BOOL=OFF "$@"
  fi
  run_quietly cmake -S "$root" -B "$build_dir" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@" ||
    fail "the build could not be configured; the messages above say why"
}

# compile TARGET: a moving line on a terminal, silence elsewhere; errors in full.
compile() {
  say "building $1 in ${build_dir#"$root"/}"
  if [[ -t 2 ]]; then
    ninja -C "$build_dir" "$1" >&2 || fail "the build failed; the messages above say why"
  else
    run_quietly ninja --quiet -C "$build_dir" "$1" || fail "the build failed; the messages above say why"
  fi
}

# pin CPU: sets `pinned` to the words that keep a command on one processor, CPU or else the last that this process
# may use, and `pinned_to` to what that is called; without taskset both say that nothing is pinned.
pin() {
  local cpu=$1 allowed
  # shellcheck disable=SC2034 # read by the scripts that source this
  pinned=() pinned_to="not pinned"
  command -v taskset >/dev/null || return 0
  allowed=$(taskset -cp $$)
  cpu=${cpu:-${allowed##*[ ,-]}}
  taskset -c "$cpu" true 2>/dev/null || fail "this process may not use processor $cpu"
  # shellcheck disable=SC2034
  pinned=(taskset -c "$cpu") pinned_to="processor $cpu"
}
