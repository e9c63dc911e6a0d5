#include "ukernels/simd_scalar.h"
#include "ukernels/ukernels.h"

#include "f32_lstm.inc"
