#!/bin/bash
# ARM64: C tests cross-built and run by QEMU on three processors (NEON only; dot product and fp16; int8 matrix multiply),
# then the wheel, cross-built and tested in an ARM64 Python under QEMU. `arm64.sh c` and `arm64.sh python` run one part;
# further words go to pytest.
#
# QEMU 7.2 computes SVE wrongly, hence `max,sve=off`.
source "$(dirname "$0")/lib.sh"
cpus=(cortex-a53 cortex-a76 max,sve=off)
part=${1:-all}
[ $# -gt 0 ] && shift
need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross
need qemu-aarch64 qemu-user
need_python cmake ninja

if [ "$part" != python ]; then
  configure arm64 -DCMAKE_TOOLCHAIN_FILE="$ROOT/cmake/aarch64.cmake" -DSAMARA_TESTS=ON
  say "ARM64: build"
  compile arm64
  for cpu in "${cpus[@]}"; do
    say "ARM64: C tests on $cpu"
    QEMU_CPU=$cpu ctest --test-dir "$BUILD/arm64" --output-on-failure --no-tests=error -j "$JOBS"
  done
  say "ARM64: integer models answer as here"
  configure gcc -DSAMARA_TESTS=ON
  compile gcc answers
  mapfile -t models < <(find examples ../shared/models -name '*.tflite' 2>/dev/null | sort)
  "$BUILD/gcc/answers" "${models[@]}" >"$BUILD/answers-here"
  running=()
  for cpu in "${cpus[@]}"; do
    qemu-aarch64 -cpu "$cpu" -L /usr/aarch64-linux-gnu "$BUILD/arm64/answers" "${models[@]}" >"$BUILD/answers-$cpu" &
    running+=($!)
  done
  for n in "${!running[@]}"; do
    wait "${running[n]}"
    diff "$BUILD/answers-here" "$BUILD/answers-${cpus[n]}"
  done
  echo "$(wc -l <"$BUILD/answers-here") models, the same bytes on ${#cpus[@]} processors"
fi
[ "$part" != c ] || exit 0

say "ARM64: wheel"
need_python build scikit-build-core cffi
rm -rf "$BUILD/arm64-dist"
_PYTHON_HOST_PLATFORM=linux-aarch64 SKBUILD_CMAKE_ARGS="-DCMAKE_TOOLCHAIN_FILE=$ROOT/cmake/aarch64.cmake" \
  python -m build --wheel --no-isolation --outdir "$BUILD/arm64-dist" . >"$BUILD/arm64-wheel.log" 2>&1 ||
  { tail -40 "$BUILD/arm64-wheel.log" >&2; exit 1; }
wheel=$(ls "$BUILD"/arm64-dist/*.whl)
ls -l "$wheel"

arm64_python
say "ARM64: Python $version packages"
site=$py/site-$version
if [ ! -e "$site/done" ]; then
  rm -rf "$site"
  arm64_pip --target "$site" numpy cffi flatbuffers click pytest pillow
  touch "$site/done"
fi
rm -rf "$BUILD/arm64-site"
arm64_pip --no-deps --target "$BUILD/arm64-site" "$wheel"

# The operators must give on ARM the integers they give here, where the test lane compares them with the reference
# engine (whose own answers on the two machines differ). Without words: these, the example network, and half precision.
if [ $# -gt 0 ]; then shards=1; else
  if [ -z "${SAMARA_RECORDED:-}" ]; then
    say "answers of this machine"
    need_python -e ".[test]"
    rm -rf "$BUILD/answers" && mkdir "$BUILD/answers"
    SAMARA_RECORD=$BUILD/answers .venv/bin/pytest -n "$JOBS" tests/ops
  fi
  export SAMARA_ANSWERS=${SAMARA_RECORDED:-$BUILD/answers}
  shards=$JOBS
  set -- tests/ops/test_*.py tests/models/test_digits.py tests/interpreter/test_fp16.py
fi
say "ARM64: pytest"
words=("$@")
shard() {
  local mine=() i
  for ((i = $1; i < ${#words[@]}; i += shards)); do mine+=("${words[i]}"); done
  [ "$shards" = 1 ] && mine=("${words[@]}")
  # -P keeps the source tree out of the way of the installed wheel.
  timeout 1200 qemu-aarch64 -cpu cortex-a76 -L "$py/root" -E PYTHONPATH="$BUILD/arm64-site:$site" \
    -E PYTHONDONTWRITEBYTECODE=1 "$py/root/usr/bin/python$version" -P -m pytest "${mine[@]}"
}
running=()
for ((n = 0; n < shards; n++)); do
  shard "$n" >"$BUILD/arm64-pytest-$n.log" 2>&1 &
  running+=($!)
done
failed=0
for n in "${!running[@]}"; do
  wait "${running[n]}" || failed=1
  tail -25 "$BUILD/arm64-pytest-$n.log"
done
exit $failed
