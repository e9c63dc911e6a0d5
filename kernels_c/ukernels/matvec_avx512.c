#include "ukernels/simd_avx512.h"
#include "ukernels/matvec.inc"
