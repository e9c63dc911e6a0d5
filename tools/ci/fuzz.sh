#!/bin/bash
# libFuzzer over load + prepare + invoke for SECONDS (default 30), starting from the small models at hand.
# What it finds lies in build/ci/fuzz-findings; `build/ci/fuzz/fuzz_model FILE` runs one again.
source "$(dirname "$0")/lib.sh"
need "$CLANG" "$CLANG"
need "/usr/lib/llvm-${CLANG#clang-}/lib/clang/${CLANG#clang-}/lib/linux/libclang_rt.fuzzer-$(uname -m).a" "libclang-rt-${CLANG#clang-}-dev"
need_python cmake ninja
say "fuzz"
configure fuzz -DCMAKE_C_COMPILER="$CLANG" -DSAMARA_FUZZ=ON -DSAMARA_SANITIZE=address,undefined
compile fuzz fuzz_model
mkdir -p "$CACHE/corpus" "$BUILD/fuzz-seeds" "$BUILD/fuzz-findings"
find examples ../shared/models -name '*.tflite' -size -40k -exec cp -t "$BUILD/fuzz-seeds" {} + 2>/dev/null || true
"$BUILD/fuzz/fuzz_model" -max_total_time="${1:-30}" -timeout=20 -rss_limit_mb=4096 -malloc_limit_mb=2048 -max_len=65536 \
  -artifact_prefix="$BUILD/fuzz-findings/" -print_final_stats=1 "$CACHE/corpus" "$BUILD/fuzz-seeds"
