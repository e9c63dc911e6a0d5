#include "ukernels/simd_avx2.h"
#include "ukernels/ukernels.h"

#include "f32_lstm.inc"
