#include "ukernels/simd_avx2.h"
#include "ukernels/matvec.inc"
