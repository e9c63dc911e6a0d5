#include "ukernels/simd_avx512.h"
#include "ukernels/ukernels.h"

#include "f32_lstm.inc"
