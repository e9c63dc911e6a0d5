#!/bin/bash
# The AVX-512, AVX-512 VNNI and AVX-VNNI kernels on a machine that has AVX2 only: their sources compiled against intrinsics
# of our own (tests/c/avx512/immintrin.h). C tests at every level, then integer models, whose bytes must be the scalar
# ones. `avx512.sh python [WORD…]` runs the operators' Python tests (or WORD…) with that library.
#
# What this does not run: the machine code that the compiler makes of the real intrinsics, the assembler lines of
# vpdpbusd, and the detection of the processor.
source "$(dirname "$0")/lib.sh"
need_python cmake ninja
[ "$(uname -m)" = x86_64 ] && grep -qw avx2 /proc/cpuinfo || { echo "needs an x86 processor with AVX2" >&2; exit 1; }

if [ "${1:-}" != python ]; then
  say "AVX-512 by AVX2: C tests"
  configure avx512 -DCMAKE_C_COMPILER=gcc -DSAMARA_TESTS=ON -DSAMARA_PORTABLE_AVX512=ON
  compile avx512
  ctest --test-dir "$BUILD/avx512" --output-on-failure --no-tests=error -j "$JOBS"
  say "AVX-512 by AVX2: integer models"
  mapfile -t models < <(find examples ../shared/models -name '*.tflite' 2>/dev/null | sort)
  for isa in scalar sse41 avx2 avxvnni avx512 avx512vnni; do
    SAMARA_ISA=$isa "$BUILD/avx512/answers" "${models[@]}" >"$BUILD/answers-$isa" 2>"$BUILD/answers-$isa.level"
    grep -qx "level: $isa" "$BUILD/answers-$isa.level" || { cat "$BUILD/answers-$isa.level" >&2; exit 1; }
    diff "$BUILD/answers-scalar" "$BUILD/answers-$isa"
  done
  echo "$(wc -l <"$BUILD/answers-scalar") models, the same bytes on 6 levels"
  exit 0
fi
shift
[ $# -gt 0 ] || set -- tests/ops tests/models/test_digits.py

say "AVX-512 by AVX2: Python tests"
package_in avx512 "-DSAMARA_PORTABLE_AVX512=ON"
level=$("$python" -c 'from samara.interpreter import _native; print(_native.isa())')
[ "$level" = avx512vnni ] || { echo "the library's level is $level" >&2; exit 1; }
"$python" -m pytest "$@"
