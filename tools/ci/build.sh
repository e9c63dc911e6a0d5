#!/bin/bash
# The C library and its tests without a warning, by gcc and by clang; the tests pass with both.
source "$(dirname "$0")/lib.sh"
need "$CLANG" "$CLANG"
need_python cmake ninja
for compiler in gcc "$CLANG"; do
  say "build and C tests: $compiler"
  configure "$compiler" -DCMAKE_C_COMPILER="$compiler" -DSAMARA_TESTS=ON
  compile "$compiler"
  ctest --test-dir "$BUILD/$compiler" --output-on-failure --no-tests=error -j "$JOBS"
done
say "exported names"
# Everything visible outside starts with sam_.
if nm -D --defined-only "$BUILD/gcc/libsamara.so" | awk '{print $3}' | grep -v '^sam_'; then
  echo "libsamara.so exports the names above" >&2
  exit 1
fi
