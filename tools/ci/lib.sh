# Shared by the lanes: `source tools/ci/lib.sh`. Each lane is a script of its own that a developer can run alone; all of
# them build below build/ci, take downloads from a cache outside the tree, and stop at the first failure.
#
#   SAMARA_CACHE   folder for downloads (default: ~/.cache/samara)
#   SAMARA_JOBS    parallel compilations (default: the number of processors)
set -euo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$ROOT"
CACHE=${SAMARA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/samara}
JOBS=${SAMARA_JOBS:-$(nproc)}
BUILD=$ROOT/build/ci
CLANG=${CLANG:-clang-16}
mkdir -p "$CACHE" "$BUILD"
trap 'echo "FAILED: ${BASH_SOURCE[0]##*/} line $LINENO" >&2' ERR

say() { printf '\n== %s\n' "$*"; }

# need COMMAND PACKAGE…: installs the Debian packages unless the command (or file) is there.
need() {
  local command=$1
  shift
  if command -v "$command" >/dev/null || [ -e "$command" ]; then return; fi
  if [ "$(id -u)" != 0 ]; then
    echo "$command is missing: sudo apt-get install $*" >&2
    exit 1
  fi
  say "apt-get install $*"
  [ -e "$BUILD/apt-updated" ] || { apt-get update -qq && touch "$BUILD/apt-updated"; }
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$BUILD/apt.log" 2>&1 ||
    { tail -20 "$BUILD/apt.log" >&2; exit 1; }
}

# The environment the checks run in: the README's .venv, made here if it is not there yet.
venv() {
  [ -x .venv/bin/python ] || python3 -m venv .venv
  PATH=$ROOT/.venv/bin:$PATH
}

# need_python PACKAGE…: into .venv, only what is missing.
need_python() {
  venv
  python -m pip install -q "$@"
}

# configure NAME CMAKE-OPTION…: a build below build/ci/NAME with warnings as errors.
configure() {
  local name=$1
  shift
  cmake -G Ninja -S "$ROOT" -B "$BUILD/$name" -DSAMARA_WERROR=ON "$@" >"$BUILD/$name.log" ||
    { cat "$BUILD/$name.log" >&2; exit 1; }
}
compile() { cmake --build "$BUILD/$1" -j "$JOBS" ${2:+--target "${@:2}"}; }
