#!/bin/bash
# Sanitizers. `sanitize.sh address`: C tests, mutated models and the runtime's Python tests under AddressSanitizer and
# UndefinedBehaviorSanitizer. `sanitize.sh thread`: the C tests under ThreadSanitizer.
source "$(dirname "$0")/lib.sh"
kind=${1:-address}
need_python cmake ninja
need ccache ccache # the Python extension is the C tests' objects linked once more
export CMAKE_C_COMPILER_LAUNCHER=ccache UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS=allocator_may_return_null=1
case $kind in
address) flags=address,undefined ;;
thread) flags=thread ;;
*) echo "usage: sanitize.sh address|thread" >&2; exit 2 ;;
esac

say "C tests under -fsanitize=$flags"
configure "$kind" -DCMAKE_C_COMPILER=gcc -DSAMARA_TESTS=ON -DSAMARA_SANITIZE=$flags
compile "$kind"
ctest --test-dir "$BUILD/$kind" --output-on-failure --no-tests=error -j "$JOBS"
[ "$kind" = address ] || exit 0

models=$(find examples ../shared/models -name '*.tflite' -size -600k 2>/dev/null | sort || true)
if [ -x "$BUILD/address/mutate" ]; then
  say "mutated models"
  # shellcheck disable=SC2086
  timeout 600 "$BUILD/address/mutate" "${SAMARA_MUTATIONS:-3000}" $models
fi

say "Python tests under -fsanitize=$flags"
package_in address "-DSAMARA_SANITIZE=$flags;-DSAMARA_WERROR=ON"
# The interpreter itself never frees everything: leaks are looked for by the C tests only, and what freed memory the
# sanitizer holds back must not look like one to the tests that watch the process grow.
ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=16:$ASAN_OPTIONS PYTHONMALLOC=malloc \
  LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" \
  "$python" .venv/bin/pytest -n "$JOBS" tests/interpreter -m "not slow"
