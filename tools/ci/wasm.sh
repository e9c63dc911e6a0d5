#!/bin/bash
# WebAssembly: the static library and the C tests for WASI with 128-bit vectors, run in Node.js; integer models give the
# bytes they give here, by the vector kernels and by the portable ones.
source "$(dirname "$0")/lib.sh"
need "$CLANG" "$CLANG"
need "wasm-ld-${CLANG#clang-}" "lld-${CLANG#clang-}"
need /usr/include/wasm32-wasi/stdlib.h wasi-libc
need "/usr/lib/llvm-${CLANG#clang-}/lib/clang/${CLANG#clang-}/lib/wasi/libclang_rt.builtins-wasm32.a" "libclang-rt-${CLANG#clang-}-dev-wasm32"
need node nodejs
need_python cmake ninja
say "WebAssembly: C tests"
configure wasm -DCMAKE_TOOLCHAIN_FILE="$ROOT/cmake/wasm32.cmake" -DCMAKE_C_COMPILER="$CLANG" -DSAMARA_TESTS=ON
compile wasm
ctest --test-dir "$BUILD/wasm" --output-on-failure --no-tests=error -j "$JOBS"
say "WebAssembly: integer models answer as here"
configure gcc -DSAMARA_TESTS=ON
compile gcc answers
mapfile -t models < <(find examples ../shared/models -name '*.tflite' -exec realpath {} + 2>/dev/null | sort)
"$BUILD/gcc/answers" "${models[@]}" >"$BUILD/answers-here"
for isa in scalar wasmsimd; do
  SAMARA_ISA=$isa node --no-warnings --experimental-wasi-unstable-preview1 cmake/wasi.mjs "$BUILD/wasm/answers" \
    "${models[@]}" >"$BUILD/answers-$isa" 2>"$BUILD/answers-$isa.level"
  grep -qx "level: $isa" "$BUILD/answers-$isa.level" || { cat "$BUILD/answers-$isa.level" >&2; exit 1; }
  diff "$BUILD/answers-here" "$BUILD/answers-$isa"
done
echo "$(wc -l <"$BUILD/answers-here") models, the same bytes"
