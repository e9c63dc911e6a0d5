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

# package_in NAME CMAKE-ARGUMENTS: the Python package, built so, in build/ci/NAME-site; `python` and PYTHONPATH then run it
# instead of the installed one. The base interpreter does not follow .venv's link to the source tree.
package_in() {
  need_python -e ".[test]"
  local site=$BUILD/$1-site packages
  rm -rf "$site"
  SKBUILD_CMAKE_ARGS=$2 SKBUILD_BUILD_DIR=$BUILD/$1-wheel CC=gcc python -m pip install -q --no-deps --target "$site" .
  read -r python packages < <(python -c "import sys, sysconfig; print(sys._base_executable, sysconfig.get_path('purelib'))")
  export PYTHONSAFEPATH=1 PYTHONPATH=$site:$packages
}

# An ARM64 Debian's Python: root in $py/root, of version $version; packages fetched by a private apt configuration,
# unpacked, never installed. Run it by `qemu-aarch64 -L "$py/root" "$py/root/usr/bin/python$version"`.
arm64_python() {
  py=$CACHE/arm64-python
  if [ ! -e "$py/root/usr/bin/python3" ]; then
    say "ARM64: fetch Python"
    need dpkg-deb dpkg
    rm -rf "$py"
    mkdir -p "$py"/{root,state/lists/partial,cache/archives/partial}
    : >"$py/state/status"
    cat >"$py/apt.conf" <<EOF
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dir::State "$py/state";
Dir::State::status "$py/state/status";
Dir::Cache "$py/cache";
EOF
    APT_CONFIG=$py/apt.conf apt-get update -qq
    APT_CONFIG=$py/apt.conf apt-get install -qq -y --download-only python3 libstdc++6 libgcc-s1 >"$BUILD/arm64-apt.log" 2>&1 ||
      { tail -20 "$BUILD/arm64-apt.log" >&2; exit 1; }
    for package in "$py"/cache/archives/*.deb; do dpkg-deb -x "$package" "$py/root"; done
    rm -rf "$py/cache" "$py/state"
    # QEMU shows the host's /proc/cpuinfo, which libraries that read it (not ours) take for an ARM one.
    mkdir -p "$py/root/proc"
    printf 'processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd03\n\n' >"$py/root/proc/cpuinfo"
  fi
  version=$(cd "$py/root/usr/bin" && ls python3.?? | head -1)
  version=${version#python}
}

# arm64_pip WORD…: `pip install` of wheels for that Python.
arm64_pip() {
  local flags=(--python-version "$version" --implementation cp --abi "cp${version/./}" --abi abi3 --abi none) platform
  for platform in manylinux_2_28 manylinux_2_27 manylinux_2_17 manylinux2014 linux; do
    flags+=(--platform "${platform}_aarch64")
  done
  python -m pip install -q --only-binary=:all: "${flags[@]}" "$@"
}
