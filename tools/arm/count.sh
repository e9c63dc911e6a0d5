#!/bin/bash
# Executed ARM64 instructions of one inference, ours beside LiteRT's: builds what is needed, then runs instructions.py.
#
#     tools/arm/count.sh MODEL.tflite…                 on cortex-a53 and cortex-a76, with LiteRT
#     tools/arm/count.sh --no-litert --top 10 MODEL…   only ours, with the functions that need most
#     tools/arm/count.sh --no-litert --allow-fp16 --cpu cortex-a76 MODEL…   in half precision
#
# `instructions.py --help` lists the options.
source "$(dirname "$0")/../ci/lib.sh"
need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross
need qemu-aarch64 qemu-user
need_python cmake ninja
arm=$ROOT/tools/arm out=$BUILD/arm
mkdir -p "$out"
configure arm64 -DCMAKE_TOOLCHAIN_FILE="$ROOT/cmake/aarch64.cmake" -DSAMARA_TESTS=ON
compile arm64 libsamara.a >"$out/build.log" || { tail -20 "$out/build.log" >&2; exit 1; }
cc -O2 -Wall -Wextra -shared -fPIC "$arm/qemu_count.c" -o "$out/qemu_count.so"
# The linker warns that dlopen in a static program needs this libc at run time; the program loads nothing.
aarch64-linux-gnu-gcc -O2 -Wall -Wextra -static -I interpreter/include -I kernels_c/include "$arm/invoke.c" \
  "$BUILD/arm64/libsamara.a" -lm -lpthread -o "$out/invoke" 2>"$out/link.log" || { cat "$out/link.log" >&2; exit 1; }
case " $* " in
*" --no-litert "*) exec python "$arm/instructions.py" --work "$out" "$@" ;;
esac
arm64_python
site=$py/site-litert-$version
if [ ! -e "$site/done" ]; then
  rm -rf "$site"
  arm64_pip --target "$site" numpy ai-edge-litert
  touch "$site/done"
fi
exec python "$arm/instructions.py" --work "$out" --root "$py/root" --site "$site" "$@"
