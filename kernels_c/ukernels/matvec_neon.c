#include "ukernels/simd_neon.h"
#include "ukernels/matvec.inc"
