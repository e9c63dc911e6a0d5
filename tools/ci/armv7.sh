#!/bin/bash
# 32-bit ARM: the C tests cross-built for a Cortex-A7 and run by QEMU.
source "$(dirname "$0")/lib.sh"
need arm-linux-gnueabihf-gcc gcc-arm-linux-gnueabihf libc6-dev-armhf-cross
need qemu-arm qemu-user
need_python cmake ninja
say "ARMv7: C tests"
configure armv7 -DCMAKE_TOOLCHAIN_FILE="$ROOT/cmake/armv7.cmake" -DSAMARA_TESTS=ON
compile armv7
ctest --test-dir "$BUILD/armv7" --output-on-failure --no-tests=error -j "$JOBS"
