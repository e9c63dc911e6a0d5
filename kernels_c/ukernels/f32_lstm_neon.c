#include "ukernels/simd_neon.h"
#include "ukernels/ukernels.h"

#include "f32_lstm.inc"
