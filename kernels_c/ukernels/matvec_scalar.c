#include "ukernels/simd_scalar.h"
#include "ukernels/matvec.inc"
