#!/bin/bash
# libFuzzer over load + prepare + invoke for SECONDS (default 30), from the small models at hand and a model of each
# operator; before that, empty tensors of enormous other sizes as they are. What it finds lies in build/ci/fuzz-findings;
# `build/ci/fuzz/fuzz_model FILE` runs one again.
source "$(dirname "$0")/lib.sh"
need "$CLANG" "$CLANG"
need "/usr/lib/llvm-${CLANG#clang-}/lib/clang/${CLANG#clang-}/lib/linux/libclang_rt.fuzzer-$(uname -m).a" "libclang-rt-${CLANG#clang-}-dev"
need_python cmake ninja
python -c "import samara, pytest" 2>/dev/null || need_python -e ".[test]"
say "fuzz"
configure fuzz -DCMAKE_C_COMPILER="$CLANG" -DSAMARA_FUZZ=ON -DSAMARA_SANITIZE=address,undefined
compile fuzz fuzz_model
mkdir -p "$CACHE/corpus" "$BUILD/fuzz-findings"
rm -rf "$BUILD/fuzz-models"
python tests/fuzz/seeds.py "$BUILD/fuzz-models"
find examples ../shared/models -name '*.tflite' -size -40k -exec cp -t "$BUILD/fuzz-models/seeds" {} + 2>/dev/null || true
fuzz() {
  "$BUILD/fuzz/fuzz_model" -timeout=20 -rss_limit_mb=4096 -malloc_limit_mb=2048 -max_len=65536 \
    -artifact_prefix="$BUILD/fuzz-findings/" -print_final_stats=1 "$@"
}
fuzz -runs=0 "$BUILD/fuzz-models/odd"
fuzz -max_total_time="${1:-30}" "$CACHE/corpus" "$BUILD/fuzz-models/seeds"
