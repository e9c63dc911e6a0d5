/* Samara: the clamp that a fused activation asks for, in floats and in quantized units. */
#ifndef SAM_COMMON_ACTIVATION_H
#define SAM_COMMON_ACTIVATION_H

#include "fixed_point.h"
#include "samara/options.h"

/* TANH and SIGN_BIT are no clamps: no operator of the format fuses them, they are refused. */
static inline sam_status sam_activation_bounds_f32(sam_ctx *ctx, int32_t activation, float *lo, float *hi) {
  *lo = -INFINITY;
  *hi = INFINITY;
  switch (activation) {
    case SAM_ACTIVATION_NONE:
      return SAM_OK;
    case SAM_ACTIVATION_RELU:
      *lo = 0;
      return SAM_OK;
    case SAM_ACTIVATION_RELU6:
      *lo = 0, *hi = 6;
      return SAM_OK;
    case SAM_ACTIVATION_RELU_N1_TO_1:
      *lo = -1, *hi = 1;
      return SAM_OK;
    default:
      return sam_fail(ctx, SAM_UNSUPPORTED, "fused activation %d is not a clamp", (int)activation);
  }
}

/* The same in units of `t`, within the range of its type. Its quantization must have been checked. */
static inline sam_status sam_activation_bounds_quantized(sam_ctx *ctx, int32_t activation, const sam_tensor *t,
                                                         int32_t *lo, int32_t *hi) {
  float flo, fhi;
  SAM_TRY(sam_activation_bounds_f32(ctx, activation, &flo, &fhi));
  int32_t tlo, thi, zero_point = t->quant->zero_point[0];
  float scale = t->quant->scale[0];
  sam_type_range(t->type, &tlo, &thi);
  *lo = flo == -INFINITY ? tlo : sam_quantize_bound(flo, scale, zero_point, tlo, thi);
  *hi = fhi == INFINITY ? thi : sam_quantize_bound(fhi, scale, zero_point, tlo, thi);
  return SAM_OK;
}

/* The same for unquantized integers. */
static inline sam_status sam_activation_bounds_int(sam_ctx *ctx, int32_t activation, int64_t type_lo, int64_t type_hi,
                                                   int64_t *lo, int64_t *hi) {
  float flo, fhi;
  SAM_TRY(sam_activation_bounds_f32(ctx, activation, &flo, &fhi));
  *lo = flo == -INFINITY || flo < (double)type_lo ? type_lo : (int64_t)flo;
  *hi = fhi == INFINITY || fhi > (double)type_hi ? type_hi : (int64_t)fhi;
  return SAM_OK;
}

#endif
